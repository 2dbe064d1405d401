"""Audits: checks the webhooks of one or many teams, without changing anything.

accounts      the accounts table: team ids, and the environment variables that hold the keys
fetching      fetches webhooks concurrently, with GET requests only
tables        fetch results to frames and back
urls          parsed delivery URLs
redaction     masks secrets in URLs and text
harmless      the words that a masked URL may show
url_credentials  finds credentials in URLs
homoglyphs    finds hosts that look alike
inventory     all webhooks of all teams, as the rules see them
rules         the rules
settings      thresholds and ignores, from a TOML file
findings      runs the rules; findings and fixes as frames
result        the data of an audit
auditor       `audit` and the `Audit` class
baseline      an audit as a JSON file
comparison    differences between two audits, or between the webhooks of two teams
display       an audit in a notebook
html_report   an audit as an HTML page
charts        the charts of the report
"""

from .accounts import Account, Accounts
from .auditor import Audit, audit, audit_rules
from .comparison import compare
from .rules import RULES, SEVERITIES

__all__ = ["RULES", "SEVERITIES", "Account", "Accounts", "Audit", "audit", "audit_rules", "compare"]
