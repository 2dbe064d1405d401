"""Foreign text made safe to show.

Names, URLs, messages and payloads come from other people. Before they reach a terminal, a page or an error, they pass through
one of these: `printable` (no control character and none that changes the reading direction), `escaped` (no markup either),
`redacted` (nothing that looks like a key or a signing secret).
"""

import difflib
import html
import re
import unicodedata
from collections.abc import Iterable, Sequence

# Replaces what must not be shown.
MASK = "••••"

# Keys begin with `sk_live_`, `sk_test_`, `pk_live_` or `pk_test_` (cStar: api-authentication), signing secrets with `whsec_` (API
# reference). The underscore may be percent-encoded or escaped as in JSON.
_UNDERSCORE = r"(?:_|%5f|\\u005f)"
_CREDENTIAL = re.compile(
    rf"(?<![A-Za-z0-9])([sp]k{_UNDERSCORE}(?:live|test){_UNDERSCORE}|whsec{_UNDERSCORE})[A-Za-z0-9+/=_.%\\-]+"
    r"|\b(Bearer(?:\s|%20|\+)+)[^\s\"']+",
    re.IGNORECASE,
)

# Category Cf holds the characters that reverse text or hide in it.
_UNPRINTABLE = ("Cc", "Cf", "Cs", "Zl", "Zp")


def printable(value: object, limit: int = 500) -> str:
    """The value as text on one line, cut after `limit` characters. Control and direction characters are written as escapes."""
    text = str(value)
    cut = f"{text[:limit]}… ({len(text):,} characters)" if len(text) > limit else text
    if cut.isascii() and cut.isprintable():
        return cut
    return "".join(_escape(character) for character in cut)


def escaped(value: object, limit: int = 500) -> str:
    """`printable`, with HTML characters escaped. Safe inside any element or quoted attribute."""
    return html.escape(printable(value, limit))


def redacted(text: str) -> str:
    """The text with a mask in place of everything that looks like an API key, a bearer token or a signing secret."""
    return _CREDENTIAL.sub(lambda match: f"{match[1] or match[2]}{MASK}", text)


def html_table(head: Sequence[str], rows: Sequence[Sequence[object]], total: int = 0, limit: int = 500) -> str:
    """An HTML table of foreign text, escaped, each cell cut after `limit` characters. Missing cells are empty.

    If `total` is larger, it says how many rows are left out.
    """
    # The classes keep MathJax from typesetting "$5 and $6". JupyterLab aligns cells to the right by default.
    cell = '<{0} style="text-align: left">{1}</{0}>'
    heads = "".join(cell.format("th", escaped(name)) for name in head)
    lines = (("" if value is None else escaped(value, limit) for value in row) for row in rows)
    body = "".join(f"<tr>{''.join(cell.format('td', value) for value in line)}</tr>" for line in lines)
    hidden = total - len(rows)
    more = f"<p>… and {hidden:,} more; <code>.to_frame()</code> has them all</p>" if hidden > 0 else ""
    return f'<table class="mathjax_ignore tex2jax_ignore"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>{more}'


def html_page(title: str, style: str, body: str, *, header: str = "", images: bool = False) -> str:
    """A page that works offline and runs no script. The title, the header and the body, its main part, are escaped already.

    The policy blocks scripts and requests, in case markup in a name or URL was not escaped. `images` allows embedded ones.
    """
    policy = f"default-src 'none'; style-src 'unsafe-inline'{'; img-src data:' if images else ''}"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title>'
        f"<style>\n{style}</style></head>\n<body>\n{header and f'<header>{header}</header>'}<main>\n{body}\n</main></body></html>\n"
    )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` Did you mean 'name'?`, with the known name that is spelled most like this; empty if there is none."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean '{near[0]}'?" if near else ""


def plural(count: int, noun: str) -> str:
    """`1 webhook`, `2 webhooks`, `2 deliveries`."""
    many = f"{noun[:-1]}ies" if noun.endswith("ry") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else many}"


def few(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def _escape(character: str) -> str:
    if unicodedata.category(character) not in _UNPRINTABLE:
        return character
    return character.encode("unicode_escape").decode("ascii")
