"""cStar's event types: the catalogue, what subscriptions match, and sample payloads.

event_types    the 35 published types
subscriptions  splitting and validating events, wildcards, unknown types
payloads       the data of a sample for each type
shapes         the shape of data: names, types and formats, and no values
samples        a sample delivery body for each type
"""

from .event_types import EVENT_TYPES as EVENT_TYPES
from .event_types import FORMER_NAMES as FORMER_NAMES
from .event_types import NAMES as NAMES
from .event_types import EventType as EventType
from .event_types import catalogue as catalogue
from .event_types import groups as groups
from .samples import sample as sample
from .subscriptions import UnknownEventWarning as UnknownEventWarning
from .subscriptions import is_wildcard as is_wildcard
from .subscriptions import matching_types as matching_types
from .subscriptions import meant_type as meant_type
from .subscriptions import parse_events as parse_events
from .subscriptions import received_types as received_types
from .subscriptions import receivers_by_type as receivers_by_type
from .subscriptions import split_events as split_events
from .subscriptions import unknown_type_warning as unknown_type_warning
from .subscriptions import warn_about_unknown_types as warn_about_unknown_types
from .subscriptions import without_unknown_type_warnings as without_unknown_type_warnings
