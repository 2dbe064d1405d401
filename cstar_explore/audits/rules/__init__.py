"""The audit's rules. To add one, write a function in the module it belongs to.

url_rules       where a webhook delivers
event_rules     what it subscribes to
upkeep_rules    its age and name

A rule has the name of its function. The function's docstring has its title, why it matters, and the remedy.
"""

from . import event_rules, upkeep_rules, url_rules
from .registry import RULES, SEVERITIES, Fix, Match, Rule, Severity

__all__ = ["RULES", "SEVERITIES", "Fix", "Match", "Rule", "Severity", "event_rules", "upkeep_rules", "url_rules"]
