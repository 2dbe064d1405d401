"""Validates what a user passes: refuses what cStar documents as invalid, and what cannot be sent safely."""

from collections.abc import Iterable
from urllib.parse import quote, urlsplit

from ..errors import ConfigurationError, ValidationError
from ..events import parse_events, warn_about_unknown_types
from ..hosts import is_loopback
from ..secret import ApiKey, Secret
from ..text import printable, redacted


def segment(value: str, param: str) -> str:
    """The ID, percent-encoded as one segment of a path.

    Raises:
        ValidationError: It is not text, is empty or only dots, or contains a control or direction character.
    """
    if not isinstance(value, str):
        raise ValidationError(f"{param} must be text such as 'whk_…', not {printable(repr(value), 80)}.", param=param)
    if not value.strip() or not value.strip(".") or not value.isprintable():
        raise ValidationError(
            f"{param} cannot be {printable(repr(value), 80)}.",
            param=param,
            advice="webhooks.list() shows the IDs.",
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
        given = "" if name == "" else f", not {printable(repr(name), 80)}"
        raise ValidationError(
            f"A webhook needs a name{given}.", param="name", advice="Choose a name that says what it is for."
        )
    if any("\ud800" <= character <= "\udfff" for character in name):
        raise ValidationError(f"The name '{printable(name, 80)}' contains an unpaired surrogate.", param="name")
    return name.strip()


def checked_url(url: str, *, for_sandbox: bool = False) -> str:
    """A delivery URL: https to a host, or http to loopback, which a sandbox reaches and cStar does not.

    Args:
        url: The URL.
        for_sandbox: Whether http is left to a sandbox, which takes it to its `allowed_hosts` too.

    Raises:
        ValidationError: It is not one; the message says why.
    """
    if not isinstance(url, str):
        raise ValidationError(f"url must be text, not {printable(repr(url), 80)}.", param="url")
    url = url.strip()
    if not url:
        raise ValidationError(
            "A webhook needs a URL.", param="url", advice="Pass the https address that receives the events."
        )
    shown = printable(url, 120)
    if any(character.isspace() or not character.isprintable() for character in url):
        raise ValidationError(f"The URL '{shown}' contains a space or control character.", param="url")
    scheme, host = _scheme_and_host(url)
    if scheme not in ("http", "https") or not host:
        raise ValidationError(
            f"'{shown}' is not an https URL with a host.", param="url", advice="Write it in full: https://host/path."
        )
    if scheme == "http" and not for_sandbox and not is_loopback(host):
        raise ValidationError(
            f"'{shown}' is plain http.", param="url", advice="Use https: cStar delivers to https only."
        )
    return url


def checked_base_url(base_url: str) -> str:
    """The API's address without a trailing slash: https, or http to loopback.

    Raises:
        ConfigurationError: The key would be sent unencrypted, or the address is not valid.
    """
    if not isinstance(base_url, str):
        raise ConfigurationError(f"base_url must be text, not {printable(repr(base_url), 80)}.")
    scheme, host = _scheme_and_host(base_url) if base_url.isprintable() and " " not in base_url else ("", "")
    shown = printable(redacted(base_url), 120)
    if scheme not in ("http", "https") or not _is_host_name(host):
        raise ConfigurationError(
            f"'{shown}' is not a base URL.", advice="A base URL looks like https://www.cstar.help."
        )
    parts = urlsplit(base_url)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(
            "A base URL has a scheme, a host and a path, but no user, query or fragment.", advice="Remove them."
        )
    if scheme == "http" and not is_loopback(host):
        raise ConfigurationError(
            f"'{shown}' is plain http: the key would be sent unencrypted.",
            advice="Use https. http is for loopback only.",
        )
    return base_url.rstrip("/")


def checked_events(events: str | Iterable[str]) -> tuple[str, ...]:
    """The event types as a tuple. Warns about types that are not in the catalogue."""
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


def _is_host_name(host: str) -> bool:
    """Whether the name can be looked up: no empty or overlong label, and nothing that IDNA cannot encode."""
    try:
        return bool(host.encode("idna"))
    except UnicodeError:
        return False


def checked_write(value: bool) -> bool:  # noqa: FBT001 - the option's value
    """Raises ConfigurationError unless it is True or False: a word like 'no' would count as True."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"write must be True or False, not {printable(repr(value), 80)}.")
    return value
