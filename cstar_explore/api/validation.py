"""What a user gives, before it goes out: refused here is what cStar documents that it cannot be, and what cannot be sent safely."""

from collections.abc import Iterable
from urllib.parse import quote, urlsplit

from ..errors import ConfigurationError, ValidationError
from ..events import parse_events, warn_about_unknown_types
from ..secret import ApiKey, Secret
from ..serving.loopback import is_loopback
from ..text import printable, redacted


def segment(value: str, param: str) -> str:
    """The id, percent-encoded as one segment of a path.

    Raises:
        ValidationError: It is not text, empty, only dots, or holds a control or direction character.
    """
    if not isinstance(value, str):
        raise ValidationError(f"{param} is text such as 'whk_…', not {printable(repr(value), 80)}.", param=param)
    if not value.strip() or not value.strip(".") or not value.isprintable():
        raise ValidationError(
            f"{param} {printable(repr(value), 80)} cannot be an id.",
            param=param,
            advice="Ids are listed by webhooks.list().",
        )
    return quote(value, safe="")


def checked_team(team_id: str) -> str:
    """The team ID.

    Raises:
        ConfigurationError: It cannot be part of a URL's path.
    """
    try:
        segment(team_id, "team_id")
    except ValidationError as error:
        raise ConfigurationError(error.message, advice="Find the team ID in cStar's team settings.") from None
    return team_id


def checked_key(key: Secret) -> ApiKey:
    """The API key, without surrounding white space.

    Raises:
        ConfigurationError: It is empty, or contains a space or a character that no key has.
    """
    key = ApiKey(key.reveal().strip())
    if not key.reveal():
        raise ConfigurationError(
            "There is no API key.", advice="Pass one, or set CSTAR_KEY. cx.Sandbox() works without a key."
        )
    if not all("!" <= character <= "~" for character in key.reveal()):
        raise ConfigurationError(
            "The API key contains a space or a character that no key has.",
            advice="A key is sk_ or pk_, live_ or test_, and 32 letters, digits, - and _. Copy it again.",
        )
    return key


def checked_name(name: str) -> str:
    """A webhook's name, which must not be blank."""
    if not isinstance(name, str) or not name.strip():
        given = "" if name == "" else f"; {printable(repr(name), 80)} is none"
        raise ValidationError(
            f"A webhook needs a name{given}.", param="name", advice="Give it one that tells what it is for."
        )
    if any("\ud800" <= character <= "\udfff" for character in name):
        raise ValidationError(f"The name '{printable(name, 80)}' has half a character in it.", param="name")
    return name.strip()


def checked_url(url: str) -> str:
    """A delivery URL: https to a host. Plain http passes to loopback only, which cStar itself cannot reach.

    Raises:
        ValidationError: It is none; the sentence says why.
    """
    if not isinstance(url, str):
        raise ValidationError(f"A URL is text, not {printable(repr(url), 80)}.", param="url")
    url = url.strip()
    if not url:
        raise ValidationError(
            "A webhook needs a URL.", param="url", advice="Give the https address that receives the events."
        )
    shown = printable(url, 120)
    if any(character.isspace() or not character.isprintable() for character in url):
        raise ValidationError(f"The URL '{shown}' has a space or control character in it.", param="url")
    scheme, host = _scheme_and_host(url)
    if scheme not in ("http", "https") or not host:
        raise ValidationError(
            f"'{shown}' is not an https URL with a host.", param="url", advice="Write it out: https://host/path."
        )
    if scheme == "http" and not is_loopback(host):
        raise ValidationError(
            f"'{shown}' is plain http.", param="url", advice="cStar delivers to https only; use https."
        )
    return url


def checked_base_url(base_url: str) -> str:
    """Where the API is, without a slash at the end: https, or http to loopback.

    Raises:
        ConfigurationError: The key would travel in clear, or the address has parts that do not belong.
    """
    scheme, host = _scheme_and_host(base_url) if base_url.isprintable() and " " not in base_url else ("", "")
    shown = printable(redacted(base_url), 120)
    if scheme not in ("http", "https") or not host:
        raise ConfigurationError(f"'{shown}' is not a base URL.", advice="It looks like https://www.cstar.help.")
    parts = urlsplit(base_url)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(
            "A base URL is scheme, host and path; it has no user, query or fragment.", advice="Leave them out."
        )
    if scheme == "http" and not is_loopback(host):
        raise ConfigurationError(
            f"'{shown}' is plain http: the key would travel in clear.", advice="Use https; http is for loopback only."
        )
    return base_url.rstrip("/")


def checked_events(events: str | Iterable[str]) -> tuple[str, ...]:
    """The event types as a tuple; warns of those that are not in the catalogue."""
    names = parse_events(events)
    warn_about_unknown_types(names)
    return names


def _scheme_and_host(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is not a number
    except ValueError:
        return "", ""
    return parts.scheme.lower(), (parts.hostname or "").lower()
