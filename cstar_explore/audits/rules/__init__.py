"""The audit's rules. Each is a small function; to add one, write it in the file it belongs to, and nothing else.

    addresses       where a webhook delivers to
    subscriptions   what it is sent
    upkeep          what has been forgotten

A rule's name is its function's, and its docstring is its title.
"""

from . import event_rules, upkeep_rules, url_rules
from .registry import RULES, SEVERITIES, Found, Rule, Severity

__all__ = ["RULES", "SEVERITIES", "Found", "Rule", "Severity", "event_rules", "upkeep_rules", "url_rules"]
