"""`Delivery`: the body and headers of a delivery that was read from somewhere else."""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ..errors import ValidationError
from ..hosts import is_loopback_url
from ..secret import Secret
from ..serving.credentials import mask_header
from ..signatures import Explanation, explain, verify
from ..signatures.headers import read_headers
from ..signatures.keys import Secrets, as_secrets
from ..signatures.search import Search
from ..signatures.timestamps import TOLERANCE, Timestamp
from ..signatures.verdict import parse_header
from ..text import escaped, html_table, printable, redacted
from .losses import DAMAGED, Loss, candidates

MAX_BYTES = 10 * 2**20  # of input, and of a body

_LONGEST_ARGUMENT = 100_000  # bytes; Linux has a limit of 131,071
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_LOCAL_HOST = "127.0.0.1:8000"


class HeaderFields(Mapping[str, str]):
    """Headers by lower-case name; look-ups ignore case. `repr` masks credentials."""

    __slots__ = ("_fields",)

    def __init__(self, headers: Any) -> None:
        fields = read_headers(headers).fields
        self._fields = {name: value for name, value in fields.items() if _TOKEN.fullmatch(name)}

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return repr(dict(self.shown()))

    def shown(self) -> list[tuple[str, str]]:
        """Names and values to show, with masks in place of credentials."""
        return [(name, printable(redacted(mask_header(name, value)), 200)) for name, value in self._fields.items()]


@dataclass(frozen=True, slots=True, repr=False)
class Delivery:
    """A delivery, as `cx.delivery` reads it.

    Attributes:
        body: The bytes of the body, as far as the source preserves them.
        headers: Values by name, in any case. Of several values, the first that is not empty. `repr` masks credentials.
        source: The form that was recognized, such as "a curl command".
        losses: What the source does not preserve of the body; `not_kept` has it in sentences.
        received_at: When the source recorded the request, in UTC; None if it does not say.
        method: The request's method.
        url: The request's URL or path; None if the source does not have it.
    """

    body: bytes
    headers: HeaderFields
    source: str
    losses: tuple[Loss, ...] = ()
    received_at: datetime | None = None
    method: str = "POST"
    url: str | None = None

    def __post_init__(self) -> None:
        if len(self.body) > MAX_BYTES:
            raise too_long(len(self.body))

    @property
    def not_kept(self) -> tuple[str, ...]:
        """What the source does not preserve of the body, in sentences. `explain` and `verify` take it into account."""
        return tuple(loss.value for loss in self.losses) + ((DAMAGED,) if self._is_damaged() else ())

    def explain(self, secrets: Secrets, now: Timestamp | None = None, tolerance: float = TOLERANCE) -> Explanation:
        """Explains why the delivery does or does not verify, as `cx.explain` does.

        Args:
            secrets: The receiver's signing secret, or several.
            now: Unix seconds or a datetime with a time zone; by default `received_at`, else the current time.
            tolerance: Maximum difference in seconds between the signed time and now, in both directions.

        Raises:
            ValidationError, ConfigurationError: As for `cx.explain`.
        """
        secrets = as_secrets(secrets)
        body, restored = self._as_sent(secrets)
        moment = self.received_at if now is None else now
        explanation = explain(body, self.headers, secrets, moment, tolerance)
        notes = []
        if restored:
            notes.append(
                f"The signature matches the body {restored}, which {self.source} does not keep;"
                " if your receiver drops it too, that is the cause."
            )
        notes.append(explanation.evidence)
        signature = parse_header(self.headers.get("x-signature", ""))
        if explanation.cause in {"too_old", "in_the_future"} and signature:
            with contextlib.suppress(ValueError, OverflowError, OSError):  # a time beyond the calendar
                signed = _utc(datetime.fromtimestamp(int(signature.t), UTC))
                notes.append(
                    f"The signature is correct; it was signed on {signed}. Pass the time at which it arrived as `now`."
                )
        if not explanation.ok and self._is_damaged():
            notes.append(DAMAGED)
        if now is None and self.received_at is not None:
            notes.append(f"The time of arrival is the one in the source, {_utc(self.received_at)}.")
        return replace(explanation, evidence=" ".join(notes))

    def verify(self, secrets: Secrets, now: Timestamp | None = None, tolerance: float = TOLERANCE) -> dict[str, Any]:
        """Verifies the delivery and returns its event, if and only if `explain` is ok with the same arguments.

        Raises:
            SignatureError, ValidationError, ConfigurationError: As for `cx.verify`.
        """
        secrets = as_secrets(secrets)
        body, _ = self._as_sent(secrets)
        return verify(body, self.headers, secrets, tolerance, self.received_at if now is None else now)

    def to_curl(self, url: str | None = None) -> str:
        """A command for bash that sends the same body and headers, including credentials in them.

        Args:
            url: The URL to send it to; by default the delivery's own URL if it has one, else one on this machine. With `url`, the
                Host header is left out.
        """
        host = self.headers.get("host", _LOCAL_HOST)
        target = url or self.url or "/"
        if target.startswith("/"):
            target = f"http{'' if is_loopback_url(f'//{host}') else 's'}://{host}{target}"
        headers = {name: value for name, value in self.headers.items() if name != "host" or url is None}
        if headers.get("content-length") != str(len(self.body)):
            headers.pop("content-length", None)  # the receiver would wait for the rest
        words = [f"curl -X {_quoted(self.method)} {_quoted(target)}"]
        words += [f"-H {_quoted(f'{name}: {value}' if value else f'{name};')}" for name, value in headers.items()]
        if b"\0" in self.body or len(self.body) > _LONGEST_ARGUMENT:  # no argument of a command can have these
            printed = _shell_escaped(self.body).replace("%", "%%")
            words = [f"printf -- '{printed}' | {words[0]}", *words[1:], "--data-binary @-"]
        elif self.body:
            words.append(f"--data-raw {_quoted(self.body)}")
        return " \\\n  ".join(words)

    def __repr__(self) -> str:
        lines = [f"<Delivery from {self.source}: {self.method}{f' {self.shown_url()}' if self.url else ''}"]
        lines += [f"  {name}: {value}" for name, value in self.headers.shown()]
        return "\n".join([*lines, f"  {len(self.body):,} bytes: {self._preview()}>"])

    def _repr_html_(self) -> str:
        rows = [("source", self.source), ("request", f"{self.method} {self.shown_url()}")]
        if self.received_at is not None:
            rows.append(("received", _utc(self.received_at)))
        rows += self.headers.shown()
        rows.append((f"body, {len(self.body):,} bytes", self._preview()))
        notes = "".join(f"<p>{escaped(sentence)}</p>" for sentence in self.not_kept)
        return html_table(("", "delivery"), rows) + notes

    def _is_damaged(self) -> bool:
        return Loss.ENCODING in self.losses and "\ufffd".encode() in self.body

    def _as_sent(self, secrets: Sequence[Secret]) -> tuple[bytes, str]:
        """The body that matches the signature, and how it differs from `body`; `body` itself if none matches."""
        signature = parse_header(self.headers.get("x-signature", ""))
        if signature is not None:
            search = Search(signature.t, signature.v1, secrets)
            for description, candidate in candidates(self.body, self.losses):
                if search.matches(candidate):
                    return candidate, description
                if search.exhausted:
                    break
        return self.body, ""

    def shown_url(self) -> str:
        """The URL without its query and user information, which may contain credentials."""
        return printable(redacted(re.sub(r"//[^/@]*@", "//", (self.url or "").partition("?")[0])), 200)

    def _preview(self) -> str:
        return printable(redacted(self.body[:2_000].decode("utf-8", "replace")), 300)


def unreadable(message: str, advice: str) -> ValidationError:
    """The error for a source that cannot be read."""
    return ValidationError(message, param="source", advice=advice)


def too_long(size: int, most: int = MAX_BYTES) -> ValidationError:
    """The error for input that is too long."""
    problem = f"The source has {size:,} bytes; at most {most:,} are read."
    return unreadable(problem, "Pass one delivery, without what surrounds it.")


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _quoted(value: str | bytes) -> str:
    """The value as a word of bash: in quotes if it is printable text, else in `$'…'` with escapes."""
    content = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    text = content.decode("utf-8", "replace")
    if text.isprintable() and text and "\ufffd" not in text:
        return "'" + text.replace("'", "'\\''") + "'"
    return f"$'{_shell_escaped(content)}'"


def _shell_escaped(content: bytes) -> str:
    """The bytes in ASCII, with the escapes that both `$'…'` and `printf` read."""
    return content.decode("latin-1").encode("unicode_escape").decode().replace("'", r"\x27")
