"""cStar's event types: the catalogue, what subscriptions match, and sample payloads.

event_types    the 35 published types
subscriptions  splitting and validating events, wildcards, unknown types
payloads       the data of a sample for each type
shapes         the shape of data: names, types and formats, and no values
samples        a sample delivery body for each type
"""

from .event_types import EVENT_TYPES, FORMER_NAMES, NAMES, EventType, catalogue, groups
from .samples import sample
from .subscriptions import (
    UnknownEventWarning,
    is_wildcard,
    matching_types,
    meant_type,
    parse_events,
    receivers_by_type,
    split_events,
    unknown_type_warning,
    warn_about_unknown_types,
    without_unknown_type_warnings,
)

__all__ = [
    "EVENT_TYPES",
    "FORMER_NAMES",
    "NAMES",
    "EventType",
    "UnknownEventWarning",
    "catalogue",
    "groups",
    "is_wildcard",
    "matching_types",
    "meant_type",
    "parse_events",
    "receivers_by_type",
    "sample",
    "split_events",
    "unknown_type_warning",
    "warn_about_unknown_types",
    "without_unknown_type_warnings",
]
