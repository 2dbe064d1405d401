import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class HookController {
    private static final long TOLERANCE = 300; // seconds, in both directions
    private static final String SECRET = System.getenv("WEBHOOK_SECRET"); // the whole secret, including whsec_
    private final Set<String> known = ConcurrentHashMap.newKeySet(); // a unique key in your database works across processes
    private final ObjectMapper json = new ObjectMapper();

    @PostMapping("/hook")
    public ResponseEntity<Void> hook(
            @RequestBody(required = false) byte[] body,
            @RequestHeader(name = "X-Signature", defaultValue = "") String header) throws GeneralSecurityException {
        return ResponseEntity.status(receive(body == null ? new byte[0] : body, header)).build();
    }

    private int receive(byte[] body, String header) throws GeneralSecurityException {
        if (!isGenuine(body, header)) return 401;
        try {
            String id = json.readTree(body).path("id").asText("");
            if (id.isEmpty()) return 400;
            if (known.add(id)) System.out.println(id); // your work goes here
            return 200;
        } catch (IOException notJson) {
            return 400;
        }
    }

    static boolean isGenuine(byte[] body, String header) throws GeneralSecurityException {
        String timestamp = "";
        var signatures = new ArrayList<String>();
        for (String part : header.split(",")) {
            String[] pair = part.strip().split("=", 2);
            if (pair.length == 2 && pair[0].equals("t")) timestamp = pair[1];
            if (pair.length == 2 && pair[0].equals("v1")) signatures.add(pair[1]);
        }
        if (!timestamp.matches("[0-9]{1,12}")) return false;
        if (Math.abs(Instant.now().getEpochSecond() - Long.parseLong(timestamp)) > TOLERANCE) return false;
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(SECRET.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
        mac.update((timestamp + ".").getBytes(StandardCharsets.UTF_8));
        byte[] expected = HexFormat.of().formatHex(mac.doFinal(body)).getBytes(StandardCharsets.UTF_8);
        return signatures.stream().anyMatch(v1 -> MessageDigest.isEqual(expected, v1.getBytes(StandardCharsets.UTF_8)));
    }
}
