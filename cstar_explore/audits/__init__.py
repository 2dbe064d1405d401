"""Audits: what is wrong with the webhooks of one team or of many, what changed, and how to mend it.

accounts    whose webhooks: names of teams, and of the variables that hold their keys
reading     reads them side by side, with nothing but GET
tables      … as frames
addresses   what a URL gives away
estate      what rules look at
rules       what they find
settings    from where on, and what to leave aside
findings    rules over webhooks
audit       all of it together
baselines   an audit as a file, to be compared with another one
comparing   what was added, removed and changed between two
report      an audit as a page of HTML
charts      the report's pictures
"""

from .accounts import Account, Accounts
from .auditor import Audit, audit, audit_rules
from .comparison import compare
from .rules import RULES, SEVERITIES

__all__ = ["RULES", "SEVERITIES", "Account", "Accounts", "Audit", "audit", "audit_rules", "compare"]
