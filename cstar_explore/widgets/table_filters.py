"""The search field above the table of webhooks, and the filters for status and event."""

import traitlets

from .inputs import STATIC, BaseWidget


class TableFilters(BaseWidget):
    """Shows what the table is filtered by. The page's changes are messages to the table."""

    _esm = STATIC / "table_filters.js"
    query = traitlets.Unicode().tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    event = traitlets.Unicode().tag(sync=True)
    events: traitlets.List[str] = traitlets.List().tag(sync=True)  # the event types to choose from
