"""Foreign text, made safe to show.

Names, URLs, messages and payloads come from other people. Before they reach a terminal, a page or an error,
they pass through one of these: `printable` (no character that steers a terminal or turns the reading
direction), `escaped` (no markup either), `redacted` (nothing that looks like a key or a signing secret).
"""

import html
import re
import unicodedata
from collections.abc import Sequence

# What stands in place of what is not shown.
MASK = "••••"

# Keys are `sk_live_`, `sk_test_`, `pk_live_`, `pk_test_` (cStar: api-authentication); signing secrets are `whsec_` (API reference).
_CREDENTIAL = re.compile(r"\b((?:[sp]k_(?:live|test)_|whsec_))[A-Za-z0-9+/=_.-]+|\b(Bearer\s+)[^\s\"']+")

# Format characters (category Cf) hold the marks that reverse text and the ones that hide in it.
_STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp")


def printable(value: object, limit: int = 500) -> str:
    """The value as text on one line: control and direction characters spelled out, at most `limit` characters."""
    text = str(value)
    cut = f"{text[:limit]}… ({len(text):,} characters)" if len(text) > limit else text
    if cut.isascii() and cut.isprintable():
        return cut
    return "".join(_spelled(character) for character in cut)


def escaped(value: object, limit: int = 500) -> str:
    """`printable`, with HTML's own characters escaped: what it returns can stand inside any element or quoted attribute."""
    return html.escape(printable(value, limit))


def redacted(text: str) -> str:
    """The text with everything that looks like an API key, a bearer token or a signing secret replaced by a mask."""
    return _CREDENTIAL.sub(lambda match: f"{match[1] or match[2]}{MASK}", text)


def html_table(head: Sequence[str], rows: Sequence[Sequence[object]], total: int = 0) -> str:
    """A table of foreign text, escaped; what is missing is empty. Of more rows in all than these, it says so."""
    # The classes keep MathJax from reading "$5 and $6" as a formula.
    # pandas' own tables are set to the right, and JupyterLab does the same to any other; words are read from the left.
    cell = '<{0} style="text-align: left">{1}</{0}>'
    heads = "".join(cell.format("th", escaped(name)) for name in head)
    lines = (("" if value is None else escaped(value) for value in row) for row in rows)
    body = "".join(f"<tr>{''.join(cell.format('td', value) for value in line)}</tr>" for line in lines)
    hidden = total - len(rows)
    more = f"<p>… and {hidden:,} more; <code>.to_frame()</code> has them all</p>" if hidden > 0 else ""
    return f'<table class="mathjax_ignore tex2jax_ignore"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>{more}'


def _spelled(character: str) -> str:
    if unicodedata.category(character) not in _STEERING:
        return character
    return character.encode("unicode_escape").decode("ascii")
