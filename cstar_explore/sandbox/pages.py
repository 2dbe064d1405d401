"""Pagination of a list, according to the answers to the questions of `behaviours.py`."""

from starlette.requests import Request

from .store import StoredWebhook

_DEFAULT_SIZE, _MAX_SIZE = 20, 100  # of cStar's other lists (articles `api-tickets`, SDK's page on pagination)

_ANOTHER_SIZE = 25


def paginated(request: Request, items: list[StoredWebhook]) -> tuple[list[StoredWebhook], dict[str, int]]:
    """The page that a request asks for, by default all entries or the first 20; and the fields of `pagination`."""
    behaviours = request.state.behaviours
    wanted, number = _positive(request, "pageSize"), _positive(request, "page") or 1
    if wanted is not None and behaviours["page_size"] == "honoured":
        size = min(wanted, _MAX_SIZE)
    elif behaviours["list_pages"] == "complete":
        number, size = 1, max(len(items), 1)
    else:
        size = _DEFAULT_SIZE if behaviours["list_pages"] == "20" else _ANOTHER_SIZE
    page = items[(number - 1) * size : number * size]
    return page, {"page": number, "pageSize": size, "total": len(items)}


def _positive(request: Request, parameter: str) -> int | None:
    text = request.query_params.get(parameter, "")
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 10**6 else None
