"""Labelled deliveries that arrived wrong in one known way (or arrived well), made without the package's own signing.

The sender is cStar as published: `X-Signature: t=<unix seconds>,v1=<hex of HMAC-SHA256(secret, t.body)>`, the key being
the whole secret as shown. Everything is drawn from one seed, so two runs make the same corpus.
"""

import base64
import hashlib
import hmac
import json
import random
import re
import string
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

SEED = 20251210
NOW = 1_765_377_000  # 2025-12-10T14:30:00Z

CAUSES = (
    "ok",
    "wrong_secret",
    "secret_whitespace",
    "secret_quoted",
    "secret_decoded",
    "secret_prefix_cut",
    "secret_masked",
    "body_reencoded",
    "body_trailing_newline",
    "body_bom",
    "body_crlf",
    "body_charset",
    "body_cut",
    "body_changed",
    "too_old",
    "in_the_future",
    "milliseconds",
    "header_missing",
    "header_old_name",
    "header_malformed",
    "signature_cut",
    "legacy_form",
    "other_provider",
)

TITLES = (
    "Cannot log in",
    "Smörgåsbord für Zoë & Renée <vip>",
    "Checkout fails: https://shop.example/cart?a=1&b=2",
    "日本語のお客様 😀",
    'He said "no" \\ and left',
    "Prix: 12,50 € – déjà payé",
    "Línea uno\nlínea dos\ttab",
    "<b>Ñandú</b> / ¿qué tal?",
)
NAMES = ("Ada Lovelace", "Jörg Müller", "Chloé d'Été", "Siân O'Neill", "Łukasz Żak", "Renée & Co. <shop>")
NEAR = ("Café à Genève", "Señor Muñoz")  # letters that latin-1 and cp1252 have too


@dataclass(frozen=True)
class Delivery:
    """What a receiver holds and got, and what is the matter with it.

    `true` is the fault that was made; `labels` are the causes that may be named first. Where they are several, `true` has to
    be the cause named or among its alternatives.
    """

    name: str
    true: str
    labels: tuple[str, ...]
    body: Any
    headers: Any
    secrets: Any
    now: int
    sent: bytes

    def is_told_by(self, cause: str, alternatives: Iterable[str]) -> bool:
        """Whether this verdict is right."""
        return cause in self.labels and self.true in (cause, *alternatives)


def mac(key: str | bytes, message: bytes) -> str:
    """HMAC-SHA256 in lower-case hexadecimal."""
    return hmac.new(key.encode() if isinstance(key, str) else key, message, hashlib.sha256).hexdigest()


def signed(body: bytes, key: str | bytes, timestamp: int | str) -> str:
    """`X-Signature` as cStar writes it."""
    return f"t={timestamp},v1={mac(key, str(timestamp).encode() + b'.' + body)}"


def compact(event: Any) -> bytes:
    """As `JSON.stringify` writes it."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


class Draw:
    """Secrets, events and headers, each other than the one before."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def token(self, length: int) -> str:
        return "".join(self.random.choices(string.ascii_letters + string.digits, k=length))

    def secret(self) -> str:
        return "whsec_" + self.token(self.random.choice((24, 32, 40)))

    def coded_secret(self) -> tuple[str, bytes]:
        """A secret whose text after the prefix is base64, and the bytes that it stands for."""
        raw = self.random.randbytes(self.random.choice((24, 30, 32)))
        return "whsec_" + base64.b64encode(raw).decode(), raw

    def event(self, title: str | None = None, kind: str | None = None) -> dict[str, Any]:
        """An event in the published envelope and, of two kinds, in the published payload."""
        kind = kind or self.random.choice(("ticket.created", "ticket.updated", "survey.submitted", "player.level_up"))
        title = title or self.random.choice(TITLES)
        name = self.random.choice(NAMES)
        ticket = {
            "id": f"tkt_{self.token(8)}",
            "prefixed_id": f"CST-{self.random.randrange(1000, 9999)}",
            "title": title,
            "status": "new",
            "priority": self.random.choice(("low", "normal", "high", "urgent")),
            "channel": self.random.choice(("widget", "email", "api")),
            "customer_id": f"cus_{self.token(8)}",
            "created_at": "2025-12-10T14:29:58Z",
        }
        customer = {"id": ticket["customer_id"], "name": name, "email": f"{self.token(6).lower()}@example.com"}
        data: dict[str, Any] = {
            "ticket.created": {"ticket": ticket, "customer": customer},
            "ticket.updated": {"ticket": ticket, "changes": {"status": {"from": "new", "to": "open"}}},
            "survey.submitted": {
                "survey": {"id": f"srv_{self.token(8)}", "rating": self.random.randrange(1, 6), "comment": title},
                "customer": customer,
            },
            "player.level_up": {
                "player": {
                    "id": f"ply_{self.token(8)}",
                    "name": name,
                    "level": self.random.randrange(2, 60),
                    "note": title,
                },
                "progress": {
                    "xp": self.random.randrange(100, 9000),
                    "share": 0.25,
                    "tags": ["a/b", "<c>"],
                    "boss": None,
                },
            },
        }[kind]
        return {
            "id": f"evt_{kind.replace('.', '_')}_{self.token(8)}",
            "type": kind,
            "created_at": "2025-12-10T14:30:00Z",
            "team_id": "0b1f6a52-7c1e-4f7b-9a55-2f4f1f6f2c11",
            "data": data,
        }

    def age(self) -> int:
        """A timestamp well within the tolerance."""
        return NOW - self.random.randrange(0, 240)

    def full(self, event: dict[str, Any], signature: str, length: int | None = None) -> dict[str, str]:
        """All headers that cStar is published to send."""
        headers = {
            "Host": "receiver.example",
            "User-Agent": "cStar-Webhooks/1.0",
            "Content-Type": "application/json",
            "X-Signature": signature,
            "X-Event-Type": event["type"],
            "X-Event-ID": event["id"],
            "X-Webhook-ID": "whk_4f1c9a",
            "X-Timestamp": "2025-12-10T14:30:00Z",
            "X-Delivery-Attempt": "1",
            "x-cstar-request-id": "req_77aa01",
        }
        return headers if length is None else headers | {"Content-Length": str(length)}

    def dressed(self, event: dict[str, Any], signature: str, length: int | None = None) -> Any:
        """The headers in one of the forms in which receivers hand them on."""
        full = self.full(event, signature, length)
        return self.random.choice(
            (
                full,
                {name.lower(): value for name, value in full.items()},
                {name.upper(): value for name, value in full.items()},
                list(full.items()),
                signature,
                {"X-Signature": signature},
                {"x-signature": signature},
            )
        )


Made = tuple[str, tuple[str, ...], Any, Any, Any, int, bytes]
PAIR = ("wrong_secret", "body_changed")


def _ok(draw: Draw) -> Iterator[Made]:
    for number in range(20):
        event, secret, stamp = draw.event(TITLES[number % len(TITLES)]), draw.secret(), draw.age()
        body = compact(event)
        yield "plain", ("ok",), body, draw.dressed(event, signed(body, secret, stamp), len(body)), secret, NOW, body
    event, secret, other = draw.event(), draw.secret(), draw.secret()
    body = compact(event)
    good = signed(body, secret, NOW)
    right = good.partition("v1=")[2]
    wrong = mac(other, f"{NOW}.".encode() + body)
    full = draw.full(event, good)
    for name, headers, secrets in (
        ("several secrets", good, [other, secret]),
        ("several secrets as bytes", good, (secret.encode(), other.encode())),
        ("two v1, the first of another secret", f"t={NOW},v1={wrong},v1={right}", secret),
        ("two v1, the second cut", f"t={NOW},v1={right},v1={right[:20]}", secret),
        ("v0 beside v1", f"t={NOW},v0={wrong},v1={right}", secret),
        ("v1 before t", f"v1={right},t={NOW}", secret),
        ("oldest allowed", signed(body, secret, NOW - 300), secret),
        ("youngest allowed", signed(body, secret, NOW + 300), secret),
        ("old name beside the new one", full | {"x-cstar-signature": "sha256=" + wrong}, secret),
        ("another provider's header beside ours", full | {"Stripe-Signature": f"t={NOW},v1={wrong}"}, secret),
        ("length of the compressed body", full | {"Content-Length": "17"}, secret),
        ("another event id in the headers", full | {"X-Event-ID": "evt_other"}, secret),
        ("a mask beside the secret", good, ["whsec_••••", secret]),
        ("a list with the other's whitespace", good, [other + "\n", secret]),
    ):
        yield name, ("ok",), body, headers, secrets, NOW, body
    for name, odd in (
        ("a secret without prefix", "correct horse battery staple"),
        ("a secret with quotes that belong to it", '"whsec_quoted"'),
        ("a secret with a space that belongs to it", " whsec_spaced "),
        ("a secret of bytes", b"\x00\xff\xfe secret"),
        ("a secret of letters outside of ASCII", "whsec_gehëim"),
    ):
        yield name, ("ok",), body, signed(body, odd, NOW), odd, NOW, body
    for name, raw in (
        ("indented", json.dumps(event, indent=2).encode()),
        ("with a newline", body + b"\n"),
        ("with CRLF", json.dumps(event, indent=2).replace("\n", "\r\n").encode()),
        ("escaped", json.dumps(event).encode()),
        ("sorted", json.dumps(event, sort_keys=True).encode()),
    ):
        yield name, ("ok",), raw, signed(raw, secret, NOW), secret, NOW, raw


def _wrong_secret(draw: Draw) -> Iterator[Made]:
    for number in range(16):
        event, secret, stamp = draw.event(), draw.secret(), draw.age()
        body = compact(event)
        header = signed(body, secret, stamp)
        held = (
            draw.secret(),
            [draw.secret(), draw.secret()],
            "sk_test_" + draw.token(32),
            secret[:-1] + ("a" if secret[-1] != "a" else "b"),
            draw.secret().encode(),
            "whk_4f1c9a",
            secret.swapcase(),
            "whsec_" + base64.b64encode(draw.random.randbytes(32)).decode(),
        )[number % 8]
        headers = header if number % 2 else draw.full(event, header, len(body))
        yield "other secret", PAIR, body, headers, held, NOW, body


def _secret_whitespace(draw: Draw) -> Iterator[Made]:
    for before, after in (
        ("", "\n"),
        ("", " "),
        (" ", ""),
        ("", "\r\n"),
        ("\t", ""),
        (" ", " "),
        ("\n", "\n"),
        ("", "   "),
        ("", "\t\n"),
        ("", "\u00a0"),
    ):
        event, secret, stamp = draw.event(), draw.secret(), draw.age()
        body = compact(event)
        held: Any = f"{before}{secret}{after}"
        held = draw.random.choice((held, held.encode(), [draw.secret(), held]))
        yield (
            repr((before, after)),
            ("secret_whitespace",),
            body,
            draw.dressed(event, signed(body, secret, stamp)),
            held,
            NOW,
            body,
        )


def _secret_quoted(draw: Draw) -> Iterator[Made]:
    both = ("secret_quoted", "secret_whitespace")
    for before, after, labels in (
        ('"', '"', both[:1]),
        ("'", "'", both[:1]),
        ("`", "`", both[:1]),
        ("“", "”", both[:1]),
        ("‘", "’", both[:1]),
        ('"', '"', both[:1]),
        ("'", "'", both[:1]),
        ('"', '"\n', both),
        ("' ", " '", both),
        ('"', '"', both[:1]),
    ):
        event, secret, stamp = draw.event(), draw.secret(), draw.age()
        body = compact(event)
        held: Any = f"{before}{secret}{after}"
        held = draw.random.choice((held, held.encode(), [held, draw.secret()]))
        yield before + after, labels, body, draw.dressed(event, signed(body, secret, stamp)), held, NOW, body


def _secret_decoded(draw: Draw) -> Iterator[Made]:
    for number in range(12):
        event, (secret, raw), stamp = draw.event(), draw.coded_secret(), draw.age()
        body = compact(event)
        if number % 3 == 0:
            yield (
                "held decoded",
                ("secret_decoded",),
                body,
                draw.dressed(event, signed(body, secret, stamp)),
                raw,
                NOW,
                body,
            )
        else:
            held: Any = (secret, secret.encode(), [draw.secret(), secret])[number % 3 - 1 if number < 7 else 2]
            yield (
                "signed decoded",
                ("secret_decoded",),
                body,
                draw.dressed(event, signed(body, raw, stamp)),
                held,
                NOW,
                body,
            )
    event, (secret, raw) = draw.event(), draw.coded_secret()
    body = compact(event)
    bare = secret.removeprefix("whsec_")
    either = ("secret_decoded", "secret_prefix_cut")
    yield "signed decoded, held without prefix", either, body, signed(body, raw, NOW), bare, NOW, body
    unpadded = "whsec_" + base64.urlsafe_b64encode(raw).decode().rstrip("=")
    yield "url-safe, without padding", ("secret_decoded",), body, signed(body, raw, NOW), unpadded, NOW, body


def _secret_prefix_cut(draw: Draw) -> Iterator[Made]:
    for number in range(12):
        event, secret, stamp = draw.event(), draw.secret(), draw.age()
        body = compact(event)
        bare = secret.removeprefix("whsec_")
        key, held = (secret, bare) if number % 2 else (bare, secret)
        given: Any = draw.random.choice((held, held.encode(), [draw.secret(), held]))
        name = "held without" if number % 2 else "signed without"
        yield name, ("secret_prefix_cut",), body, draw.dressed(event, signed(body, key, stamp)), given, NOW, body


def _secret_masked(draw: Draw) -> Iterator[Made]:
    for mask in (
        "whsec_••••",
        "whsec_****",
        "whsec_" + "*" * 32,
        "••••",
        "********",
        "whsec_••••••••••••",
        "whsec_…",
        "whsec_...",
        "whsec_AbCd****",
        "whsec_••••wxyz",
        "whsec_●●●●●●●●",
    ):
        event, secret, stamp = draw.event(), draw.secret(), draw.age()
        body = compact(event)
        held: Any = draw.random.choice((mask, [mask], mask.encode()))
        yield mask, ("secret_masked",), body, draw.dressed(event, signed(body, secret, stamp)), held, NOW, body


def _go_escapes(text: str) -> str:
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _dot_net(event: Any) -> str:
    text = json.dumps(event, separators=(",", ":"))
    text = re.sub(r"\\u([0-9a-f]{4})", lambda found: "\\u" + found[1].upper(), text)
    for letter in "<>&'+":
        text = text.replace(letter, f"\\u{ord(letter):04X}")
    return text.replace('\\"', "\\u0022")


WRITERS: dict[str, Callable[[Any], str]] = {
    "json.dumps": json.dumps,
    "json.dumps, no escapes": lambda event: json.dumps(event, ensure_ascii=False),
    "json.dumps, compact with escapes": lambda event: json.dumps(event, separators=(",", ":")),
    "json.dumps, indent 2": lambda event: json.dumps(event, indent=2),
    "json.dumps, indent 4": lambda event: json.dumps(event, indent=4),
    "json.dumps, indent by tab": lambda event: json.dumps(event, indent="\t"),
    "json.dumps, sorted": lambda event: json.dumps(event, sort_keys=True),
    "json.dumps, sorted, compact": lambda event: json.dumps(
        event, sort_keys=True, ensure_ascii=False, separators=(",", ":")
    ),
    "JSON.stringify, indent 2": lambda event: json.dumps(event, indent=2, ensure_ascii=False),
    "JSON.stringify, indent 4": lambda event: json.dumps(event, indent=4, ensure_ascii=False),
    "PHP": lambda event: json.dumps(event, separators=(",", ":")).replace("/", "\\/"),
    "PHP, pretty": lambda event: json.dumps(event, indent=4).replace("/", "\\/"),
    "PHP, no escapes but slashes": lambda event: json.dumps(event, separators=(",", ":"), ensure_ascii=False).replace(
        "/", "\\/"
    ),
    "Go, struct": lambda event: _go_escapes(json.dumps(event, ensure_ascii=False, separators=(",", ":"))),
    "Go, map": lambda event: _go_escapes(json.dumps(event, ensure_ascii=False, separators=(",", ":"), sort_keys=True)),
    "Go, indented": lambda event: _go_escapes(json.dumps(event, ensure_ascii=False, indent="  ")),
    ".NET": _dot_net,
    "space after colons": lambda event: json.dumps(event, ensure_ascii=False, separators=(",", ": ")),
    "space after commas": lambda event: json.dumps(event, ensure_ascii=False, separators=(", ", ":")),
}


def _body_reencoded(draw: Draw) -> Iterator[Made]:
    labels = ("body_reencoded",)
    for writer, write in WRITERS.items():
        # Only of these two kinds is the order of the keys published, which is what sorting them loses.
        kinds = ("ticket.created", "ticket.updated") if "sorted" in writer or "map" in writer else (None, None)
        for kind in kinds:
            event = draw.event("<b>Ñandú</b> / \"qué\" & 'más' +1", kind)
            secret, stamp = draw.secret(), draw.age()
            body = compact(event)
            got = write(event).encode()
            yield writer, labels, got, draw.dressed(event, signed(body, secret, stamp), len(body)), secret, NOW, body
    for writer in ("json.dumps", "json.dumps, no escapes", "JSON.stringify, indent 2", "PHP", "Go, struct"):
        event, secret, stamp = draw.event(TITLES[7]), draw.secret(), draw.age()
        body = WRITERS[writer](event).encode()
        got = compact(event)
        yield f"sent as {writer}", labels, got, draw.dressed(event, signed(body, secret, stamp)), secret, NOW, body
    event, secret = draw.event(TITLES[7]), draw.secret()
    body = json.dumps(event, indent=2).encode()
    got = json.dumps(event).encode()
    yield "sent indented, got json.dumps", labels, got, signed(body, secret, NOW), secret, NOW, body
    event, secret = draw.event(TITLES[1], "survey.submitted"), draw.secret()
    body = compact(event)
    got = WRITERS["json.dumps, sorted"](event).encode()
    headers = draw.full(event, signed(body, secret, NOW), len(body))
    unproven = ("body_reencoded", *PAIR)
    yield "sorted, order not published", unproven, got, headers, secret, NOW, body


def _body_trailing_newline(draw: Draw) -> Iterator[Made]:
    for number in range(12):
        event, secret, stamp = draw.event(), draw.secret(), draw.age()
        body = compact(event)
        end = b"\r\n" if number % 4 == 3 else b"\n"
        sent, got = (body, body + end) if number % 2 else (body + b"\n", body)
        headers = draw.dressed(event, signed(sent, secret, stamp), len(sent))
        yield "more" if number % 2 else "less", ("body_trailing_newline",), got, headers, secret, NOW, sent
    event, secret = draw.event(), draw.secret()
    sent = json.dumps(event, indent=2).encode() + b"\n"
    yield "less, indented", ("body_trailing_newline",), sent[:-1], signed(sent, secret, NOW), secret, NOW, sent


def _body_bom(draw: Draw) -> Iterator[Made]:
    mark = b"\xef\xbb\xbf"
    for number in range(10):
        event, secret, stamp = draw.event(), draw.secret(), draw.age()
        body = compact(event)
        sent, got = (body, mark + body) if number % 3 else (mark + body, body)
        headers = draw.dressed(event, signed(sent, secret, stamp), len(sent))
        yield "more" if number % 3 else "less", ("body_bom",), got, headers, secret, NOW, sent


def _body_crlf(draw: Draw) -> Iterator[Made]:
    for number in range(12):
        event, secret, stamp = draw.event(), draw.secret(), draw.age()
        lines = json.dumps(event, indent=(2, 4, "\t")[number % 3], ensure_ascii=bool(number % 2)).encode()
        if number % 4 == 0:
            lines += b"\n"
        windows = lines.replace(b"\n", b"\r\n")
        sent, got = (lines, windows) if number % 2 else (windows, lines)
        headers = draw.dressed(event, signed(sent, secret, stamp), len(sent))
        yield "to CRLF" if number % 2 else "to LF", ("body_crlf",), got, headers, secret, NOW, sent
    event, secret = draw.event(), draw.secret()
    sent = compact(event) + b"\n"
    either = ("body_crlf", "body_trailing_newline")
    yield "one line", either, sent[:-1] + b"\r\n", signed(sent, secret, NOW), secret, NOW, sent


def _body_charset(draw: Draw) -> Iterator[Made]:
    ways: dict[str, Callable[[bytes], bytes]] = {
        "read as latin-1": lambda sent: sent.decode("latin-1").encode(),
        "read as cp1252": lambda sent: sent.decode("cp1252").encode(),
        "written as latin-1": lambda sent: sent.decode().encode("latin-1"),
        "written as cp1252": lambda sent: sent.decode().encode("cp1252"),
        "written as utf-16": lambda sent: sent.decode().encode("utf-16"),
        "written as utf-16-le": lambda sent: sent.decode().encode("utf-16-le"),
        "written as utf-16-be": lambda sent: sent.decode().encode("utf-16-be"),
    }
    for near in NEAR:
        for way, change in ways.items():
            event, secret, stamp = draw.event(near, "survey.submitted"), draw.secret(), draw.age()
            event["data"]["customer"]["name"] = "José Núñez"
            sent = compact(event)
            headers = draw.dressed(event, signed(sent, secret, stamp), len(sent))
            yield way, ("body_charset",), change(sent), headers, secret, NOW, sent
    event, secret = draw.event("Prix: 12,50 € — déjà “payé”", "ticket.created"), draw.secret()
    event["data"]["customer"]["name"] = "Zoë"
    sent = compact(event)
    yield (
        "written as cp1252",
        ("body_charset",),
        ways["written as cp1252"](sent),
        signed(sent, secret, NOW),
        secret,
        NOW,
        sent,
    )
    event, secret = draw.event("日本語 😀", "ticket.created"), draw.secret()
    sent = compact(event)
    yield (
        "read as latin-1",
        ("body_charset",),
        ways["read as latin-1"](sent),
        signed(sent, secret, NOW),
        secret,
        NOW,
        sent,
    )


def _body_cut(draw: Draw) -> Iterator[Made]:
    for number in range(14):
        event, secret, stamp = draw.event(TITLES[number % len(TITLES)]), draw.secret(), draw.age()
        sent = compact(event)
        end = (len(sent) - 1, len(sent) // 2, 1, len(sent) - 2, 100, 64, len(sent) * 3 // 4)[number % 7]
        header = signed(sent, secret, stamp)
        headers = draw.full(event, header, len(sent)) if number < 7 else header
        yield f"{end} bytes", ("body_cut",), sent[:end], headers, secret, NOW, sent
    event, secret = draw.event(TITLES[3]), draw.secret()
    sent = compact(event)
    middle = sent.index("語".encode()) + 1
    yield "inside of a letter", ("body_cut",), sent[:middle], signed(sent, secret, NOW), secret, NOW, sent
    headers = draw.full(event, signed(sent, secret, NOW), len(sent))
    yield "nothing arrived", ("body_cut",), b"", headers, secret, NOW, sent


def _body_changed(draw: Draw) -> Iterator[Made]:
    traced = ("body_changed",)
    for number in range(14):
        event, secret, stamp = draw.event(kind="ticket.created"), draw.secret(), draw.age()
        sent = compact(event)
        header = signed(sent, secret, stamp)
        changed = json.loads(sent)
        headers: Any
        labels: tuple[str, ...] = traced
        if number % 7 < 2:
            name = "longer than its Content-Length"
            changed["data"]["customer"]["name"] = event["data"]["customer"]["name"] + ", checked and found well"
            headers = draw.full(event, header, len(sent))
        elif number % 7 == 2:
            name = "shorter than its Content-Length, and whole"
            changed["data"]["customer"]["email"] = "***"
            headers = draw.full(event, header, len(sent))
            labels = ("body_changed", "body_cut", "wrong_secret")
        elif number % 7 == 3:
            name = "another id than the headers say"
            changed["id"] = "evt_ticket_created_" + draw.token(8)
            headers = draw.full(event, header, len(sent))
        elif number % 7 == 4:
            name = "another type than the headers say"
            changed["type"] = "ticket.updated"
            headers = draw.full(event, header)
        elif number % 7 == 5:
            name = "no trace"
            changed["data"]["ticket"]["priority"] = (
                "urgent" if event["data"]["ticket"]["priority"] != "urgent" else "low"
            )
            headers = header
            labels = PAIR
        else:
            name = "no trace, in headers that agree"
            changed["data"]["ticket"]["created_at"] = "2025-12-10T14:29:59Z"
            headers = draw.full(event, header, len(sent))
            labels = PAIR
        yield name, labels, compact(changed), headers, secret, NOW, sent


def _too_old(draw: Draw) -> Iterator[Made]:
    for age in (301, 302, 330, 600, 3600, 7200, 86_400, 111_600, 31_536_000, NOW - 1):
        event, secret = draw.event(), draw.secret()
        body = compact(event)
        held = draw.random.choice((secret, [draw.secret(), secret]))
        yield f"{age} s", ("too_old",), body, draw.dressed(event, signed(body, secret, NOW - age)), held, NOW, body


def _in_the_future(draw: Draw) -> Iterator[Made]:
    for ahead in (301, 302, 400, 900, 3600, 7200, 19_800, 86_400, 2_592_000, 31_536_000):
        event, secret = draw.event(), draw.secret()
        body = compact(event)
        held = draw.random.choice((secret, [draw.secret(), secret]))
        yield (
            f"{ahead} s",
            ("in_the_future",),
            body,
            draw.dressed(event, signed(body, secret, NOW + ahead)),
            held,
            NOW,
            body,
        )


def _milliseconds(draw: Draw) -> Iterator[Made]:
    for number in range(10):
        event, secret = draw.event(), draw.secret()
        body = compact(event)
        stamp = draw.age() * 1000 + draw.random.randrange(1000) * (number % 2)
        yield "in time", ("milliseconds",), body, draw.dressed(event, signed(body, secret, stamp)), secret, NOW, body


def _header_missing(draw: Draw) -> Iterator[Made]:
    event, secret = draw.event(), draw.secret()
    body = compact(event)
    full = draw.full(event, "")
    without = {name: value for name, value in full.items() if name != "X-Signature"}
    empty = ("header_missing", "header_malformed")
    for name, headers, labels in (
        ("None", None, empty[:1]),
        ("no headers", {}, empty[:1]),
        ("no pairs", [], empty[:1]),
        ("all but that one", without, empty[:1]),
        ("all but that one, as pairs", list(without.items()), empty[:1]),
        ("all but that one, small", {key.lower(): value for key, value in without.items()}, empty[:1]),
        ("only a content type", {"Content-Type": "application/json"}, empty[:1]),
        ("a name that is alike", without | {"X-Signatures": "t=1,v1=00"}, empty[:1]),
        ("an authorization", without | {"Authorization": "Bearer abc"}, empty[:1]),
        ("empty in the headers", full, empty),
        ("empty", "", empty),
    ):
        yield name, labels, body, headers, secret, NOW, body


def _header_old_name(draw: Draw) -> Iterator[Made]:
    for number in range(10):
        event, secret, stamp = draw.event(), draw.secret(), draw.age()
        body = compact(event)
        value = signed(body, secret, stamp) if number % 2 else "sha256=" + mac(secret, body)
        full = draw.full(event, "")
        del full["X-Signature"]
        name = (
            "x-cstar-signature",
            "X-Cstar-Signature",
            "X-CSTAR-SIGNATURE",
            "X-cStar-Signature",
            "x-cstar-signature",
        )[number // 2]
        headers: Any = full | {name: value} if number % 3 else {name: value}
        given = list(headers.items()) if number in {4, 7} else headers
        yield name, ("header_old_name",), body, given, secret, NOW, body


def _header_malformed(draw: Draw) -> Iterator[Made]:
    event, secret = draw.event(), draw.secret()
    body = compact(event)
    right = mac(secret, f"{NOW}.".encode() + body)
    for value in (
        "garbage",
        f"v1={right}",
        f"t={NOW}",
        f"t={NOW},v0={right}",
        f"t=abc,v1={right}",
        f"t=,v1={right}",
        f"t={NOW};v1={right}",
        f"t={NOW} v1={right}",
        f"t%3D{NOW}%2Cv1%3D{right}",
        f"t:{NOW},v1:{right}",
        f'{{"t": {NOW}, "v1": "{right}"}}',
        f"t={NOW}.5,v1={right}",
        f"t={NOW},",
        right,
        "undefined",
    ):
        headers: Any = draw.random.choice((value, {"X-Signature": value}, draw.full(event, value)))
        yield value[:24], ("header_malformed",), body, headers, secret, NOW, body


def _signature_cut(draw: Draw) -> Iterator[Made]:
    for keep in (63, 62, 60, 48, 46, 40, 32, 24, 16, 12, 8):
        event, secret, stamp = draw.event(), draw.secret(), draw.age()
        body = compact(event)
        head, _, right = signed(body, secret, stamp).partition("v1=")
        held = draw.random.choice((secret, [draw.secret(), secret]))
        yield (
            f"{keep} digits",
            ("signature_cut",),
            body,
            draw.dressed(event, f"{head}v1={right[:keep]}"),
            held,
            NOW,
            body,
        )


def _legacy_form(draw: Draw) -> Iterator[Made]:
    for _ in range(10):
        event, secret = draw.event(), draw.secret()
        body = compact(event)
        held = draw.random.choice((secret, secret.encode(), [draw.secret(), secret]))
        yield "sha256", ("legacy_form",), body, draw.dressed(event, "sha256=" + mac(secret, body)), held, NOW, body


def _other_provider(draw: Draw) -> Iterator[Made]:
    secret, raw = draw.coded_secret()
    body = compact({"id": "evt_1", "object": "event", "type": "charge.succeeded", "data": {"object": {"id": "ch_1"}}})
    stripe = signed(body, secret, NOW)
    sha1 = hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    standard = base64.b64encode(hmac.digest(raw, f"msg_1.{NOW}.".encode() + body, "sha256")).decode()
    common = {"Content-Type": "application/json", "User-Agent": "Sender/1.0", "Content-Length": str(len(body))}
    for name, own in (
        ("Stripe", {"Stripe-Signature": stripe}),
        ("Stripe, small", {"stripe-signature": stripe}),
        ("GitHub", {"X-Hub-Signature-256": "sha256=" + mac(secret, body), "X-GitHub-Event": "push"}),
        ("GitHub, small", {"x-hub-signature-256": "sha256=" + mac(secret, body)}),
        ("GitHub, old", {"X-Hub-Signature": "sha1=" + sha1}),
        (
            "GitHub, both",
            {"X-Hub-Signature": "sha1=" + sha1, "X-Hub-Signature-256": "sha256=" + mac(secret, body)},
        ),
        (
            "Standard Webhooks",
            {"webhook-id": "msg_1", "webhook-timestamp": str(NOW), "webhook-signature": "v1," + standard},
        ),
        ("Svix", {"svix-id": "msg_1", "svix-timestamp": str(NOW), "svix-signature": "v1," + standard}),
        ("Svix, capitals", {"Svix-Id": "msg_1", "Svix-Timestamp": str(NOW), "Svix-Signature": "v1," + standard}),
        ("only the Standard Webhooks signature", {"Webhook-Signature": "v1," + standard}),
    ):
        headers = common | own
        given: Any = draw.random.choice((headers, list(headers.items())))
        yield name, ("other_provider",), body, given, secret, NOW, body


MAKERS: dict[str, Callable[[Draw], Iterator[Made]]] = {
    "ok": _ok,
    "wrong_secret": _wrong_secret,
    "secret_whitespace": _secret_whitespace,
    "secret_quoted": _secret_quoted,
    "secret_decoded": _secret_decoded,
    "secret_prefix_cut": _secret_prefix_cut,
    "secret_masked": _secret_masked,
    "body_reencoded": _body_reencoded,
    "body_trailing_newline": _body_trailing_newline,
    "body_bom": _body_bom,
    "body_crlf": _body_crlf,
    "body_charset": _body_charset,
    "body_cut": _body_cut,
    "body_changed": _body_changed,
    "too_old": _too_old,
    "in_the_future": _in_the_future,
    "milliseconds": _milliseconds,
    "header_missing": _header_missing,
    "header_old_name": _header_old_name,
    "header_malformed": _header_malformed,
    "signature_cut": _signature_cut,
    "legacy_form": _legacy_form,
    "other_provider": _other_provider,
}


def deliveries(seed: int = SEED) -> list[Delivery]:
    """The whole corpus, each cause from a seed of its own so that a case more in one changes no other."""
    return [
        Delivery(f"{true} {number}: {name}", true, labels, body, headers, secrets, now, sent)
        for place, (true, make) in enumerate(MAKERS.items())
        for number, (name, labels, body, headers, secrets, now, sent) in enumerate(make(Draw(seed * 100 + place)))
    ]
