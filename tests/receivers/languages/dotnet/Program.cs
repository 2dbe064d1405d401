using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

const long Tolerance = 300; // seconds, in both directions
var secret = Encoding.UTF8.GetBytes(Environment.GetEnvironmentVariable("WEBHOOK_SECRET")!); // including whsec_
var known = new ConcurrentDictionary<string, bool>(); // a unique key in your database also works across processes
var app = WebApplication.CreateBuilder(args).Build();

app.MapPost("/hook", async (HttpRequest request) =>
{
    using var copy = new MemoryStream();
    await request.Body.CopyToAsync(copy);
    var body = copy.ToArray();
    return Results.StatusCode(Receive(body, request.Headers["X-Signature"].ToString()));
});
app.Run();

int Receive(byte[] body, string header)
{
    if (!IsGenuine(body, header)) return 401;
    try
    {
        using var json = JsonDocument.Parse(body);
        if (json.RootElement.GetProperty("id").GetString() is not { } id) return 400;
        if (known.TryAdd(id, true)) Console.WriteLine(id); // your work goes here
        return 200;
    }
    catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException)
    {
        return 400;
    }
}

bool IsGenuine(byte[] body, string header)
{
    var parts = header.Split(',').Select(part => part.Trim().Split('=', 2)).Where(part => part.Length == 2).ToList();
    var timestamp = parts.FirstOrDefault(part => part[0] == "t")?[1] ?? "";
    if (timestamp.Length is 0 or > 12 || !timestamp.All(char.IsAsciiDigit)) return false;
    if (Math.Abs(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - long.Parse(timestamp)) > Tolerance) return false;
    byte[] signed = [.. Encoding.ASCII.GetBytes(timestamp + "."), .. body];
    var expected = Encoding.ASCII.GetBytes(Convert.ToHexString(HMACSHA256.HashData(secret, signed)).ToLowerInvariant());
    // FixedTimeEquals returns false if the lengths differ.
    return parts.Any(part => part[0] == "v1" && CryptographicOperations.FixedTimeEquals(expected, Encoding.UTF8.GetBytes(part[1])));
}
