"""The data of an audit: what was read and the findings about it."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..errors import ConfigurationError
from ..text import plural, printable
from .fetching import FetchResult
from .findings import findings_frame, ignored_frame, run_rules
from .rules import SEVERITIES
from .settings import Settings

if TYPE_CHECKING:
    import pandas as pd


class AuditResult:
    """The webhooks that an audit read, and its findings.

    Attributes:
        webhooks: A frame of every webhook that was read: `account`, `team_id`, `environment` (str), then the columns of
            `WebhookList.to_frame`.
        accounts: A frame of every account: `account`, `team_id`, `environment`, `state` (`read`, `failed`, `not tried`; str),
            `webhooks` (Int64), `error` (str).
        findings: The findings, most severe first. `to_frame` has them as a frame.
        complete: Whether every account was read.
        unchecked: Accounts that were read, but in which some paused webhooks were not checked for their last change; see `notes`.
        taken: The time of the audit, UTC.
        mask_key: Changes the digits of the masks. Audits of the same teams share it, and baselines contain it.
        notes: Sentences about ignores that expired or matched nothing, and about webhooks that were not fully checked.
    """

    def __init__(self, fetched: Sequence[FetchResult], settings: Settings, now: datetime | None) -> None:
        from .tables import accounts_frame, webhooks_frame

        if now is not None and (not isinstance(now, datetime) or now.tzinfo is None):
            raise ConfigurationError(
                f"now must be a datetime with a time zone, not {printable(repr(now), 80)}.",
                advice="Give a time in UTC.",
            )
        read = [replace(result, now=now or result.now) for result in fetched if result.items is not None]
        self.taken: datetime = max((result.now for result in read), default=now or datetime.now(UTC))
        self.webhooks = webhooks_frame(fetched)
        self.accounts = accounts_frame(fetched)
        self.mask_key = _mask_key(fetched)
        self.complete = all(result.items is not None for result in fetched)
        self.findings, self._ignored, notes = run_rules(read, settings, self.mask_key)
        self.unchecked = tuple(result.account for result in fetched if result.note)
        unread = (f"{printable(result.account, 80)}: {result.note}" for result in fetched if result.note)
        self.notes = (*unread, *notes)

    @property
    def ignored(self) -> "pd.DataFrame":
        """The findings that the settings ignore: the columns of `to_frame`, then `reason` and `until` (str)."""
        return ignored_frame(self._ignored)

    def to_frame(self) -> "pd.DataFrame":
        """A row per finding, most severe first.

        Columns, all str: `severity` (high, medium, low, info), `rule`, `account`, `environment`, `webhook_id`, `name` (both
        missing if the finding is about the whole team), `evidence`, `remedy`. Secrets in URLs are masked.
        """
        return findings_frame(self.findings)

    def counts(self) -> dict[str, int]:
        """The number of findings of each severity."""
        return {level: sum(finding.rule.severity == level for finding in self.findings) for level in SEVERITIES}

    def summary(self) -> str:
        """The accounts, webhooks and findings, counted, in one line."""
        read = int((self.accounts["state"] == "read").sum())
        has_several = len(self.accounts) > 1 or not self.complete
        accounts = f"{read:,} of {len(self.accounts):,} accounts read, " if has_several else ""
        webhooks = plural(len(self.webhooks), "webhook")
        findings = ", ".join(f"{count:,} {level}" for level, count in self.counts().items() if count) or "no findings"
        return f"{accounts}{webhooks}: {findings}."


def _mask_key(fetched: Sequence[FetchResult]) -> str:
    """The same for all audits of the same teams, so that equal audits give equal text. Without team ids, of the same webhooks."""
    names = [f"{result.account}\0{result.team_id}" for result in fetched]
    ids = [str(item.get("id")) for result in fetched if not result.team_id for item in result.items or ()]
    return hashlib.sha256("\n".join(sorted([*names, *ids])).encode("utf-8", "backslashreplace")).hexdigest()[:16]
