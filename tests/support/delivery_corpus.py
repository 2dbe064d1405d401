"""Labelled deliveries, each valid or corrupted in one known way, signed without the package's own code.

They are signed as cStar documents: `X-Signature: t=<unix seconds>,v1=<hex of HMAC-SHA256(secret, t.body)>`, with the whole
secret as key. A seed determines the corpus, so each run generates the same one.
"""

import base64
import gzip
import hashlib
import hmac
import json
import random
import re
import string
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

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
    "not_json",
    "secret_in_text",
    "body_empty",
    "body_parsed",
    "body_base64",
    "body_compressed",
    "body_form",
    "body_json_string",
    "body_repr",
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
LATIN_TITLES = ("Café à Genève", "Señor Muñoz")  # every character is in latin-1 and cp1252


@dataclass(frozen=True)
class Delivery:
    """A delivery as the receiver sees it, labelled with its cause.

    `cause` is the true cause. `labels` are the causes that `explain` may report; if there are several, `cause` must be the
    reported one or among its alternatives.
    """

    name: str
    cause: str
    labels: tuple[str, ...]
    body: Any
    headers: Any
    secrets: Any
    now: int
    sent: bytes

    def accepts(self, cause: str, alternatives: Iterable[str]) -> bool:
        """Whether this explanation is correct."""
        return cause in self.labels and self.cause in (cause, *alternatives)


def mac(key: str | bytes, message: bytes) -> str:
    """HMAC-SHA256 in lower-case hex."""
    return hmac.new(key.encode() if isinstance(key, str) else key, message, hashlib.sha256).hexdigest()


def signed(body: bytes, key: str | bytes, timestamp: int | str) -> str:
    """`X-Signature` in the form that cStar sends."""
    return f"t={timestamp},v1={mac(key, str(timestamp).encode() + b'.' + body)}"


def compact(event: Any) -> bytes:
    """As `JSON.stringify` serializes it."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


class Factory:
    """Makes different secrets, events and headers from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def token(self, length: int) -> str:
        return "".join(self.random.choices(string.ascii_letters + string.digits, k=length))

    def secret(self) -> str:
        return "whsec_" + self.token(self.random.choice((24, 32, 40)))

    def base64_secret(self) -> tuple[str, bytes]:
        """A secret whose text after the prefix is base64, and the decoded bytes."""
        raw = self.random.randbytes(self.random.choice((24, 30, 32)))
        return "whsec_" + base64.b64encode(raw).decode(), raw

    def event(self, title: str | None = None, event_type: str | None = None) -> dict[str, Any]:
        """An event in the published envelope; the payloads of two of its types are published too."""
        event_type = event_type or self.random.choice(
            ("ticket.created", "ticket.updated", "survey.submitted", "player.level_up")
        )
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
        }[event_type]
        return {
            "id": f"evt_{event_type.replace('.', '_')}_{self.token(8)}",
            "type": event_type,
            "created_at": "2025-12-10T14:30:00Z",
            "team_id": "0b1f6a52-7c1e-4f7b-9a55-2f4f1f6f2c11",
            "data": data,
        }

    def age(self) -> int:
        """A timestamp well within the tolerance."""
        return NOW - self.random.randrange(0, 240)

    def all_headers(self, event: dict[str, Any], signature: str, length: int | None = None) -> dict[str, str]:
        """All headers that cStar documents."""
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

    def any_form(self, event: dict[str, Any], signature: str, length: int | None = None) -> Any:
        """The headers in one of the forms in which frameworks pass them."""
        full = self.all_headers(event, signature, length)
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


Case = tuple[str, tuple[str, ...], Any, Any, Any, int, bytes]
PAIR = ("wrong_secret", "body_changed")


class _Message(Message):
    """As http.server passes headers. Its repr contains no address, so that each run generates the same corpus."""

    def __repr__(self) -> str:
        return f"Message({self.items()})"


def _message(headers: dict[str, str]) -> Message:
    message = _Message()
    for name, value in headers.items():
        message[name] = value
    return message


def _ok(make: Factory) -> Iterator[Case]:
    for number in range(20):
        event, secret, stamp = make.event(TITLES[number % len(TITLES)]), make.secret(), make.age()
        body = compact(event)
        yield "plain", ("ok",), body, make.any_form(event, signed(body, secret, stamp), len(body)), secret, NOW, body
    event, secret, other = make.event(), make.secret(), make.secret()
    body = compact(event)
    good = signed(body, secret, NOW)
    right = good.partition("v1=")[2]
    wrong = mac(other, f"{NOW}.".encode() + body)
    full = make.all_headers(event, good)
    for name, headers, secrets in (
        ("several secrets", good, [other, secret]),
        ("several secrets as bytes", good, (secret.encode(), other.encode())),
        ("two v1, the first of another secret", f"t={NOW},v1={wrong},v1={right}", secret),
        ("two v1, the second truncated", f"t={NOW},v1={right},v1={right[:20]}", secret),
        ("v0 and v1", f"t={NOW},v0={wrong},v1={right}", secret),
        ("v1 before t", f"v1={right},t={NOW}", secret),
        ("oldest allowed", signed(body, secret, NOW - 300), secret),
        ("furthest in the future allowed", signed(body, secret, NOW + 300), secret),
        ("old header name too", full | {"x-cstar-signature": "sha256=" + wrong}, secret),
        ("another provider's header too", full | {"Stripe-Signature": f"t={NOW},v1={wrong}"}, secret),
        ("Content-Length of the compressed body", full | {"Content-Length": "17"}, secret),
        ("another event id in the headers", full | {"X-Event-ID": "evt_other"}, secret),
        ("whitespace in the other secret", good, [other + "\n", secret]),
        ("a v1 that is not hex too", f"t={NOW},v1=potato,v1={right}", secret),
        ("whitespace around the signature", f" {good}\r\n", secret),
        ("bytes", good.encode(), secret),
        ("a pasted line", f"X-Signature: {good}\n", secret),
        ("a pasted block", "".join(f"{name}: {value}\n" for name, value in full.items()), secret),
        ("http.server", _message(full), secret),
        ("WSGI", {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in full.items()}, secret),
        ("ASGI", [(name.lower().encode(), value.encode()) for name, value in full.items()], secret),
        ("lists", {name: [value] for name, value in full.items()}, secret),
        ("a gateway's event", {"headers": full, "isBase64Encoded": False}, secret),
    ):
        yield name, ("ok",), body, headers, secrets, NOW, body
    for name, odd in (
        ("a secret without prefix", "correct horse battery staple"),
        ("a secret that contains quotes", '"whsec_quoted"'),
        ("a secret that contains spaces", " whsec_spaced "),
        ("a secret of bytes", b"\x00\xff\xfe secret"),
        ("a non-ASCII secret", "whsec_gehëim"),
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


def _wrong_secret(make: Factory) -> Iterator[Case]:
    for number in range(16):
        event, secret, stamp = make.event(), make.secret(), make.age()
        body = compact(event)
        header = signed(body, secret, stamp)
        held = (
            make.secret(),
            [make.secret(), make.secret()],
            "sk_test_" + make.token(32),
            secret[:-1] + ("a" if secret[-1] != "a" else "b"),
            make.secret().encode(),
            "whk_4f1c9a",
            secret.swapcase(),
            "whsec_" + base64.b64encode(make.random.randbytes(32)).decode(),
        )[number % 8]
        headers = header if number % 2 else make.all_headers(event, header, len(body))
        yield "other secret", PAIR, body, headers, held, NOW, body


def _secret_whitespace(make: Factory) -> Iterator[Case]:
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
        event, secret, stamp = make.event(), make.secret(), make.age()
        body = compact(event)
        held: Any = f"{before}{secret}{after}"
        held = make.random.choice((held, held.encode(), [make.secret(), held]))
        yield (
            repr((before, after)),
            ("secret_whitespace",),
            body,
            make.any_form(event, signed(body, secret, stamp)),
            held,
            NOW,
            body,
        )


def _secret_quoted(make: Factory) -> Iterator[Case]:
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
        event, secret, stamp = make.event(), make.secret(), make.age()
        body = compact(event)
        held: Any = f"{before}{secret}{after}"
        held = make.random.choice((held, held.encode(), [held, make.secret()]))
        yield before + after, labels, body, make.any_form(event, signed(body, secret, stamp)), held, NOW, body


def _secret_decoded(make: Factory) -> Iterator[Case]:
    for number in range(12):
        event, (secret, raw), stamp = make.event(), make.base64_secret(), make.age()
        body = compact(event)
        if number % 3 == 0:
            yield (
                "receiver decoded the secret",
                ("secret_decoded",),
                body,
                make.any_form(event, signed(body, secret, stamp)),
                raw,
                NOW,
                body,
            )
        else:
            held: Any = (secret, secret.encode(), [make.secret(), secret])[number % 3 - 1 if number < 7 else 2]
            yield (
                "signed with the decoded secret",
                ("secret_decoded",),
                body,
                make.any_form(event, signed(body, raw, stamp)),
                held,
                NOW,
                body,
            )
    event, (secret, raw) = make.event(), make.base64_secret()
    body = compact(event)
    bare = secret.removeprefix("whsec_")
    either = ("secret_decoded", "secret_prefix_cut")
    yield "signed decoded, held without prefix", either, body, signed(body, raw, NOW), bare, NOW, body
    unpadded = "whsec_" + base64.urlsafe_b64encode(raw).decode().rstrip("=")
    yield "url-safe, without padding", ("secret_decoded",), body, signed(body, raw, NOW), unpadded, NOW, body


def _secret_prefix_cut(make: Factory) -> Iterator[Case]:
    for number in range(12):
        event, secret, stamp = make.event(), make.secret(), make.age()
        body = compact(event)
        bare = secret.removeprefix("whsec_")
        key, held = (secret, bare) if number % 2 else (bare, secret)
        given: Any = make.random.choice((held, held.encode(), [make.secret(), held]))
        name = "receiver has no prefix" if number % 2 else "signed without prefix"
        yield name, ("secret_prefix_cut",), body, make.any_form(event, signed(body, key, stamp)), given, NOW, body


def _secret_masked(make: Factory) -> Iterator[Case]:
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
        "whsec_xxxxxxxx",
        "<secret>",
        "[redacted]",
        "undefined",
        "${CSTAR_SECRET}",
    ):
        event, secret, stamp = make.event(), make.secret(), make.age()
        body = compact(event)
        held: Any = make.random.choice((mask, [mask], mask.encode()))
        yield mask, ("secret_masked",), body, make.any_form(event, signed(body, secret, stamp)), held, NOW, body
    event, secret = make.event(), make.secret()
    body = compact(event)
    for name, key in (("beside the secret", secret), ("signed with the mask", "whsec_••••")):
        yield name, ("secret_masked",), body, signed(body, key, NOW), ["whsec_••••", secret], NOW, body


def _go_escaped(text: str) -> str:
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _dot_net(event: Any) -> str:
    text = json.dumps(event, separators=(",", ":"))
    text = re.sub(r"\\u([0-9a-f]{4})", lambda match: "\\u" + match[1].upper(), text)
    for character in "<>&'+":
        text = text.replace(character, f"\\u{ord(character):04X}")
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
    "PHP, only slashes escaped": lambda event: json.dumps(event, separators=(",", ":"), ensure_ascii=False).replace(
        "/", "\\/"
    ),
    "Go, struct": lambda event: _go_escaped(json.dumps(event, ensure_ascii=False, separators=(",", ":"))),
    "Go, map": lambda event: _go_escaped(json.dumps(event, ensure_ascii=False, separators=(",", ":"), sort_keys=True)),
    "Go, indented": lambda event: _go_escaped(json.dumps(event, ensure_ascii=False, indent="  ")),
    ".NET": _dot_net,
    "space after colons": lambda event: json.dumps(event, ensure_ascii=False, separators=(",", ": ")),
    "space after commas": lambda event: json.dumps(event, ensure_ascii=False, separators=(", ", ":")),
}


def _body_reencoded(make: Factory) -> Iterator[Case]:
    labels = ("body_reencoded",)
    for writer, write in WRITERS.items():
        # Sorting loses the key order, which is published for these two types only.
        kinds = ("ticket.created", "ticket.updated") if "sorted" in writer or "map" in writer else (None, None)
        for event_type in kinds:
            event = make.event("<b>Ñandú</b> / \"qué\" & 'más' +1", event_type)
            secret, stamp = make.secret(), make.age()
            body = compact(event)
            received = write(event).encode()
            yield (
                writer,
                labels,
                received,
                make.any_form(event, signed(body, secret, stamp), len(body)),
                secret,
                NOW,
                body,
            )
    for writer in ("json.dumps", "json.dumps, no escapes", "JSON.stringify, indent 2", "PHP", "Go, struct"):
        event, secret, stamp = make.event(TITLES[7]), make.secret(), make.age()
        body = WRITERS[writer](event).encode()
        received = compact(event)
        yield (
            f"sent as {writer}",
            labels,
            received,
            make.any_form(event, signed(body, secret, stamp)),
            secret,
            NOW,
            body,
        )
    event, secret = make.event(TITLES[7]), make.secret()
    body = json.dumps(event, indent=2).encode()
    received = json.dumps(event).encode()
    yield "sent indented, received compact", labels, received, signed(body, secret, NOW), secret, NOW, body
    event, secret = make.event(TITLES[1], "survey.submitted"), make.secret()
    body = compact(event)
    received = WRITERS["json.dumps, sorted"](event).encode()
    headers = make.all_headers(event, signed(body, secret, NOW), len(body))
    unproven = ("body_reencoded", *PAIR)
    yield "sorted, key order not published", unproven, received, headers, secret, NOW, body


def _body_trailing_newline(make: Factory) -> Iterator[Case]:
    for number in range(12):
        event, secret, stamp = make.event(), make.secret(), make.age()
        body = compact(event)
        end = b"\r\n" if number % 4 == 3 else b"\n"
        sent, received = (body, body + end) if number % 2 else (body + b"\n", body)
        headers = make.any_form(event, signed(sent, secret, stamp), len(sent))
        yield "added" if number % 2 else "removed", ("body_trailing_newline",), received, headers, secret, NOW, sent
    event, secret = make.event(), make.secret()
    sent = json.dumps(event, indent=2).encode() + b"\n"
    yield "removed, indented", ("body_trailing_newline",), sent[:-1], signed(sent, secret, NOW), secret, NOW, sent


def _body_bom(make: Factory) -> Iterator[Case]:
    mark = b"\xef\xbb\xbf"
    for number in range(10):
        event, secret, stamp = make.event(), make.secret(), make.age()
        body = compact(event)
        sent, received = (body, mark + body) if number % 3 else (mark + body, body)
        headers = make.any_form(event, signed(sent, secret, stamp), len(sent))
        yield "added" if number % 3 else "removed", ("body_bom",), received, headers, secret, NOW, sent


def _body_crlf(make: Factory) -> Iterator[Case]:
    for number in range(12):
        event, secret, stamp = make.event(), make.secret(), make.age()
        lines = json.dumps(event, indent=(2, 4, "\t")[number % 3], ensure_ascii=bool(number % 2)).encode()
        if number % 4 == 0:
            lines += b"\n"
        windows = lines.replace(b"\n", b"\r\n")
        sent, received = (lines, windows) if number % 2 else (windows, lines)
        headers = make.any_form(event, signed(sent, secret, stamp), len(sent))
        yield "to CRLF" if number % 2 else "to LF", ("body_crlf",), received, headers, secret, NOW, sent
    event, secret = make.event(), make.secret()
    sent = compact(event) + b"\n"
    either = ("body_crlf", "body_trailing_newline")
    yield "one line", either, sent[:-1] + b"\r\n", signed(sent, secret, NOW), secret, NOW, sent


def _body_charset(make: Factory) -> Iterator[Case]:
    conversions: dict[str, Callable[[bytes], bytes]] = {
        "decoded as latin-1": lambda sent: sent.decode("latin-1").encode(),
        "decoded as cp1252": lambda sent: sent.decode("cp1252").encode(),
        "encoded as latin-1": lambda sent: sent.decode().encode("latin-1"),
        "encoded as cp1252": lambda sent: sent.decode().encode("cp1252"),
        "encoded as utf-16": lambda sent: sent.decode().encode("utf-16"),
        "encoded as utf-16-le": lambda sent: sent.decode().encode("utf-16-le"),
        "encoded as utf-16-be": lambda sent: sent.decode().encode("utf-16-be"),
    }
    for title in LATIN_TITLES:
        for name, convert in conversions.items():
            event, secret, stamp = make.event(title, "survey.submitted"), make.secret(), make.age()
            event["data"]["customer"]["name"] = "José Núñez"
            sent = compact(event)
            headers = make.any_form(event, signed(sent, secret, stamp), len(sent))
            yield name, ("body_charset",), convert(sent), headers, secret, NOW, sent
    event, secret = make.event("Prix: 12,50 € — déjà “payé”", "ticket.created"), make.secret()
    event["data"]["customer"]["name"] = "Zoë"
    sent = compact(event)
    yield (
        "encoded as cp1252",
        ("body_charset",),
        conversions["encoded as cp1252"](sent),
        signed(sent, secret, NOW),
        secret,
        NOW,
        sent,
    )
    event, secret = make.event("日本語 😀", "ticket.created"), make.secret()
    sent = compact(event)
    yield (
        "decoded as latin-1",
        ("body_charset",),
        conversions["decoded as latin-1"](sent),
        signed(sent, secret, NOW),
        secret,
        NOW,
        sent,
    )


def _body_cut(make: Factory) -> Iterator[Case]:
    for number in range(14):
        event, secret, stamp = make.event(TITLES[number % len(TITLES)]), make.secret(), make.age()
        sent = compact(event)
        end = (len(sent) - 1, len(sent) // 2, 1, len(sent) - 2, 100, 64, len(sent) * 3 // 4)[number % 7]
        header = signed(sent, secret, stamp)
        headers = make.all_headers(event, header, len(sent)) if number < 7 else header
        yield f"{end} bytes", ("body_cut",), sent[:end], headers, secret, NOW, sent
    event, secret = make.event(TITLES[3]), make.secret()
    sent = compact(event)
    middle = sent.index("語".encode()) + 1
    yield "inside a character", ("body_cut",), sent[:middle], signed(sent, secret, NOW), secret, NOW, sent


def _body_changed(make: Factory) -> Iterator[Case]:
    traced = ("body_changed",)
    for number in range(14):
        event, secret, stamp = make.event(event_type="ticket.created"), make.secret(), make.age()
        sent = compact(event)
        header = signed(sent, secret, stamp)
        changed = json.loads(sent)
        headers: Any
        labels: tuple[str, ...] = traced
        if number % 7 < 2:
            name = "longer than its Content-Length"
            changed["data"]["customer"]["name"] = event["data"]["customer"]["name"] + ", checked and found well"
            headers = make.all_headers(event, header, len(sent))
        elif number % 7 == 2:
            name = "shorter than its Content-Length, complete JSON"
            changed["data"]["customer"]["email"] = "***"
            headers = make.all_headers(event, header, len(sent))
            labels = ("body_changed", "body_cut", "wrong_secret")
        elif number % 7 == 3:
            name = "id differs from the headers"
            changed["id"] = "evt_ticket_created_" + make.token(8)
            headers = make.all_headers(event, header, len(sent))
        elif number % 7 == 4:
            name = "type differs from the headers"
            changed["type"] = "ticket.updated"
            headers = make.all_headers(event, header)
        elif number % 7 == 5:
            name = "no trace"
            changed["data"]["ticket"]["priority"] = (
                "urgent" if event["data"]["ticket"]["priority"] != "urgent" else "low"
            )
            headers = header
            labels = PAIR
        else:
            name = "no trace, headers agree"
            changed["data"]["ticket"]["created_at"] = "2025-12-10T14:29:59Z"
            headers = make.all_headers(event, header, len(sent))
            labels = PAIR
        yield name, labels, compact(changed), headers, secret, NOW, sent


def _too_old(make: Factory) -> Iterator[Case]:
    for age in (301, 302, 330, 600, 3600, 7200, 86_400, 111_600, 31_536_000, NOW - 1):
        event, secret = make.event(), make.secret()
        body = compact(event)
        held = make.random.choice((secret, [make.secret(), secret]))
        yield f"{age} s", ("too_old",), body, make.any_form(event, signed(body, secret, NOW - age)), held, NOW, body


def _in_the_future(make: Factory) -> Iterator[Case]:
    for ahead in (301, 302, 400, 900, 3600, 7200, 19_800, 86_400, 2_592_000, 31_536_000):
        event, secret = make.event(), make.secret()
        body = compact(event)
        held = make.random.choice((secret, [make.secret(), secret]))
        yield (
            f"{ahead} s",
            ("in_the_future",),
            body,
            make.any_form(event, signed(body, secret, NOW + ahead)),
            held,
            NOW,
            body,
        )


def _milliseconds(make: Factory) -> Iterator[Case]:
    for number in range(10):
        event, secret = make.event(), make.secret()
        body = compact(event)
        stamp = make.age() * 1000 + make.random.randrange(1000) * (number % 2)
        yield "recent", ("milliseconds",), body, make.any_form(event, signed(body, secret, stamp)), secret, NOW, body


def _header_missing(make: Factory) -> Iterator[Case]:
    event, secret = make.event(), make.secret()
    body = compact(event)
    full = make.all_headers(event, "")
    without = {name: value for name, value in full.items() if name != "X-Signature"}
    empty = ("header_missing", "header_malformed")
    for name, headers, labels in (
        ("None", None, empty[:1]),
        ("no headers", {}, empty[:1]),
        ("empty list", [], empty[:1]),
        ("all others", without, empty[:1]),
        ("all others, as pairs", list(without.items()), empty[:1]),
        ("all others, lower case", {key.lower(): value for key, value in without.items()}, empty[:1]),
        ("only Content-Type", {"Content-Type": "application/json"}, empty[:1]),
        ("a similar name", without | {"X-Signatures": "t=1,v1=00"}, empty[:1]),
        ("Authorization", without | {"Authorization": "Bearer abc"}, empty[:1]),
        ("empty, with the others", full, empty),
        ("empty", "", empty),
    ):
        yield name, labels, body, headers, secret, NOW, body


def _header_old_name(make: Factory) -> Iterator[Case]:
    for number in range(10):
        event, secret, stamp = make.event(), make.secret(), make.age()
        body = compact(event)
        value = signed(body, secret, stamp) if number % 2 else "sha256=" + mac(secret, body)
        full = make.all_headers(event, "")
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


def _header_malformed(make: Factory) -> Iterator[Case]:
    event, secret = make.event(), make.secret()
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
        headers: Any = make.random.choice((value, {"X-Signature": value}, make.all_headers(event, value)))
        yield value[:24], ("header_malformed",), body, headers, secret, NOW, body


def _signature_cut(make: Factory) -> Iterator[Case]:
    for keep in (63, 62, 60, 48, 46, 40, 32, 24, 16, 12, 8):
        event, secret, stamp = make.event(), make.secret(), make.age()
        body = compact(event)
        head, _, right = signed(body, secret, stamp).partition("v1=")
        held = make.random.choice((secret, [make.secret(), secret]))
        yield (
            f"{keep} digits",
            ("signature_cut",),
            body,
            make.any_form(event, f"{head}v1={right[:keep]}"),
            held,
            NOW,
            body,
        )


def _legacy_form(make: Factory) -> Iterator[Case]:
    for _ in range(10):
        event, secret = make.event(), make.secret()
        body = compact(event)
        held = make.random.choice((secret, secret.encode(), [make.secret(), secret]))
        yield "sha256", ("legacy_form",), body, make.any_form(event, "sha256=" + mac(secret, body)), held, NOW, body


def _other_provider(make: Factory) -> Iterator[Case]:
    secret, raw = make.base64_secret()
    body = compact({"id": "evt_1", "object": "event", "type": "charge.succeeded", "data": {"object": {"id": "ch_1"}}})
    stripe = signed(body, secret, NOW)
    sha1 = hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    standard = base64.b64encode(hmac.digest(raw, f"msg_1.{NOW}.".encode() + body, "sha256")).decode()
    common = {"Content-Type": "application/json", "User-Agent": "Sender/1.0", "Content-Length": str(len(body))}
    for name, own in (
        ("Stripe", {"Stripe-Signature": stripe}),
        ("Stripe, lower case", {"stripe-signature": stripe}),
        ("GitHub", {"X-Hub-Signature-256": "sha256=" + mac(secret, body), "X-GitHub-Event": "push"}),
        ("GitHub, lower case", {"x-hub-signature-256": "sha256=" + mac(secret, body)}),
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
        ("Svix, title case", {"Svix-Id": "msg_1", "Svix-Timestamp": str(NOW), "Svix-Signature": "v1," + standard}),
        ("only the Standard Webhooks signature", {"Webhook-Signature": "v1," + standard}),
    ):
        headers = common | own
        given: Any = make.random.choice((headers, list(headers.items())))
        yield name, ("other_provider",), body, given, secret, NOW, body


def _not_json(make: Factory) -> Iterator[Case]:
    for body in (
        b"",
        b" ",
        b"hello",
        b"[]",
        b"null",
        b'"ticket.created"',
        b"1",
        b"<html></html>",
        compact(make.event())[:90],
        b'{"a": "\xff"}',
        json.dumps([make.event()]).encode(),
    ):
        secret, stamp = make.secret(), make.age()
        held = make.random.choice((secret, [make.secret(), secret]))
        yield repr(body[:20]), ("not_json",), body, signed(body, secret, stamp), held, NOW, body


def _secret_in_text(make: Factory) -> Iterator[Case]:
    for template in (
        "CSTAR_SECRET={}",
        'export CSTAR_SECRET="{}"',
        "CSTAR_SECRET = '{}'  # production",
        "{}  # production",
        '{{"CSTAR_SECRET": "{}"}}',
        '{{"id": "whk_1", "secret": "{}", "old": "whsec_other"}}',
        '["{}"]',
        "Bearer {}",
        "Authorization: Bearer {}",
        "Signing secret: {}.",
        "Secret('{}')",
        "v1,{}",
        "https://hooks.example.com/cstar?secret={}",
        "A=1\nCSTAR_SECRET={}\nB=2\n",
        "secret: {}\n",
    ):
        event, secret, stamp = make.event(), make.secret(), make.age()
        body = compact(event)
        held: Any = template.format(secret)
        held = make.random.choice((held, held.encode(), [make.secret(), held]))
        headers = make.any_form(event, signed(body, secret, stamp), len(body))
        yield template, ("secret_in_text",), body, headers, held, NOW, body
    event, secret = make.event(), "correct-horse-battery-staple"
    body = compact(event)
    yield "without prefix", ("secret_in_text",), body, signed(body, secret, NOW), f"SECRET='{secret}'", NOW, body


def _encoded(make: Factory, cause: str, encodings: dict[str, Callable[[bytes], bytes]]) -> Iterator[Case]:
    """Each encoding, with and without Content-Length; the first is of a body that ends with a newline too."""
    for number, (name, encode) in enumerate(encodings.items()):
        for with_length in (False, True):
            event, secret, stamp = make.event(), make.secret(), make.age()
            sent = compact(event) + (b"\n" if number == 0 and with_length else b"")
            signature = signed(sent, secret, stamp)
            headers = make.all_headers(event, signature, len(sent)) if with_length else signature
            yield name, (cause,), encode(sent), headers, make.random.choice((secret, [secret])), NOW, sent


def _body_empty(make: Factory) -> Iterator[Case]:
    whitespace = ("", "\n", " ", "\r\n", "\t")
    yield from _encoded(make, "body_empty", {repr(text): lambda _, text=text: text.encode() for text in whitespace})


def _body_parsed(make: Factory) -> Iterator[Case]:
    texts = (
        "[object Object]",
        "undefined",
        "None",
        "null",
        "{}",
        "<Buffer 7b 22 69 64 ... 400 more bytes>",
        "System.Byte[]",
        "Array",
        "{id=evt_1, type=ticket.created, data={}}",
        "map[data:map[] id:evt_1]",
        "OrderedDict([('id', 'evt_1')])",
    )
    yield from _encoded(make, "body_parsed", {text: lambda _, text=text: text.encode() for text in texts})
    yield from _encoded(make, "body_parsed", {"dict": lambda sent: repr(json.loads(sent)).encode()})


def _body_base64(make: Factory) -> Iterator[Case]:
    yield from _encoded(
        make,
        "body_base64",
        {
            "one line": base64.b64encode,
            "lines of 76 characters": base64.encodebytes,
            "with a newline": lambda sent: base64.b64encode(sent) + b"\n",
            "URL-safe": base64.urlsafe_b64encode,
            "without padding": lambda sent: base64.b64encode(sent).rstrip(b"="),
            "of gzip": lambda sent: base64.b64encode(gzip.compress(sent, mtime=0)),
        },
    )


def _body_compressed(make: Factory) -> Iterator[Case]:
    deflate = zlib.compressobj(wbits=-15)
    yield from _encoded(
        make,
        "body_compressed",
        {
            "gzip": lambda sent: gzip.compress(sent, mtime=0),
            "gzip, fast": lambda sent: gzip.compress(sent, 1, mtime=0),
            "zlib": zlib.compress,
            "deflate": lambda sent: (compressor := deflate.copy()).compress(sent) + compressor.flush(),
        },
    )
    unproven = ("body_compressed", *PAIR)
    for encoding, received in (("br", b"\x1b\x2a\x00\xf8"), ("zstd", b"\x28\xb5\x2f\xfd\x04\x00")):
        event, secret = make.event(), make.secret()
        sent = compact(event)
        headers = make.all_headers(event, signed(sent, secret, NOW)) | {"Content-Encoding": encoding}
        yield encoding, unproven, received, headers, secret, NOW, sent


def _multipart(sent: bytes) -> bytes:
    head = b'--xyz\r\nContent-Disposition: form-data; name="payload"\r\n\r\n'
    return head + sent + b"\r\n--xyz--\r\n"


def _body_form(make: Factory) -> Iterator[Case]:
    yield from _encoded(
        make,
        "body_form",
        {
            "payload": lambda sent: urlencode({"payload": sent}).encode(),
            "second field": lambda sent: urlencode({"token": "x", "body": sent}).encode(),
            "name of a field": lambda sent: urlencode({sent: ""}).encode(),
            "percent-encoded": lambda sent: quote(sent).encode(),
            "percent-encoded, with plus": lambda sent: quote_plus(sent).encode(),
            "multipart": _multipart,
        },
    )


def _body_json_string(make: Factory) -> Iterator[Case]:
    yield from _encoded(
        make,
        "body_json_string",
        {
            "string": lambda sent: json.dumps(sent.decode()).encode(),
            "string, not ASCII": lambda sent: json.dumps(sent.decode(), ensure_ascii=False).encode(),
            "without quotes": lambda sent: json.dumps(sent.decode())[1:-1].encode(),
            "twice": lambda sent: json.dumps(json.dumps(sent.decode())).encode(),
            "in a gateway's event": lambda sent: json.dumps({"body": sent.decode(), "headers": {}}).encode(),
            "in a queue's event": lambda sent: json.dumps({"Records": [{"body": sent.decode()}]}).encode(),
            "base64 in a gateway's event": lambda sent: json.dumps(
                {
                    "body": base64.b64encode(sent).decode(),
                    "isBase64Encoded": True,
                }
            ).encode(),
        },
    )


def _body_repr(make: Factory) -> Iterator[Case]:
    yield from _encoded(
        make,
        "body_repr",
        {
            "repr of bytes": lambda sent: repr(sent).encode(),
            "repr of text": lambda sent: repr(sent.decode()).encode(),
            "repr with a newline": lambda sent: repr(sent).encode() + b"\n",
            "hex": lambda sent: sent.hex().encode(),
            "PostgreSQL": lambda sent: b"\\x" + sent.hex().encode(),
            "Node's Buffer": lambda sent: json.dumps({"type": "Buffer", "data": list(sent)}).encode(),
            "numbers": lambda sent: json.dumps(list(sent)).encode(),
        },
    )


GENERATORS: dict[str, Callable[[Factory], Iterator[Case]]] = {
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
    "not_json": _not_json,
    "secret_in_text": _secret_in_text,
    "body_empty": _body_empty,
    "body_parsed": _body_parsed,
    "body_base64": _body_base64,
    "body_compressed": _body_compressed,
    "body_form": _body_form,
    "body_json_string": _body_json_string,
    "body_repr": _body_repr,
}


def deliveries(seed: int = SEED) -> list[Delivery]:
    """The whole corpus. Each cause has its own seed, so adding a case to one does not change the others."""
    return [
        Delivery(f"{cause} {number}: {name}", cause, labels, body, headers, secrets, now, sent)
        for index, (cause, generate) in enumerate(GENERATORS.items())
        for number, (name, labels, body, headers, secrets, now, sent) in enumerate(
            generate(Factory(seed * 100 + index))
        )
    ]
