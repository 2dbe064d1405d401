"""Pagination of a list, according to the answers to the questions of `behaviours.py`."""

from dataclasses import dataclass

from starlette.requests import Request

_DEFAULT_SIZE, _MAX_SIZE = 20, 100  # of cStar's other lists (articles `api-tickets`, SDK's page on pagination)

_ANOTHER_SIZE = 25


@dataclass(frozen=True)
class Page:
    """A page of a list, counted from 1."""

    number: int
    size: int
    total: int

    @classmethod
    def of(cls, request: Request, total: int) -> "Page":
        """The page that a request asks for; by default all entries, or the first 20."""
        behaviours = request.state.behaviours
        wanted = _positive(request.query_params.get("pageSize"))
        if wanted is not None and behaviours["page_size"] == "honoured":
            size = min(wanted, _MAX_SIZE)
        elif behaviours["list_pages"] == "complete":
            return cls(1, max(total, 1), total)
        else:
            size = _DEFAULT_SIZE if behaviours["list_pages"] == "20" else _ANOTHER_SIZE
        return cls(_positive(request.query_params.get("page")) or 1, size, total)

    @property
    def part(self) -> slice:
        """The position of its entries in the list."""
        return slice((self.number - 1) * self.size, self.number * self.size)

    def reported(self) -> dict[str, int]:
        """`pagination`, with the fields of cStar's other lists."""
        return {"page": self.number, "pageSize": self.size, "total": self.total}


def _positive(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and 0 < int(text) < 10**6 else None
