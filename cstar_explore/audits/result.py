"""The data of an audit: what was read and what was found."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..errors import ConfigurationError
from ..text import printable
from .fetching import Reading
from .findings import Finding, Judgement, findings_frame, ignored_frame, judge
from .rules import SEVERITIES
from .settings import Settings

if TYPE_CHECKING:
    import pandas as pd


class AuditResult:
    """What an audit read and found.

    Attributes:
        webhooks: A frame of every webhook that was read: `account`, `team_id`, `environment` (str), then the columns of
            `WebhookList.to_frame`.
        accounts: A frame of every account: `account`, `team_id`, `environment`, `state` (`read`, `failed`, `not tried`; str),
            `webhooks` (Int64), `error` (str).
        complete: Whether every account was read.
        taken: When, UTC.
        notes: What else is to be said, in sentences.
    """

    def __init__(self, readings: Sequence[Reading], settings: Settings, now: datetime | None) -> None:
        from .tables import accounts_frame, webhooks_frame

        if now is not None and (not isinstance(now, datetime) or now.tzinfo is None):
            raise ConfigurationError(
                f"now={printable(repr(now), 80)} is no time with a time zone.", advice="Give a time in UTC."
            )
        wall = datetime.now(UTC)
        times = {reading.account: now or reading.now or wall for reading in readings if reading.items is not None}
        self.taken: datetime = max(times.values(), default=now or wall)
        self.webhooks = webhooks_frame(readings)
        self.accounts = accounts_frame(readings)
        self.complete = all(reading.items is not None for reading in readings)
        self._judgement: Judgement = judge(self.webhooks, times, settings)
        told = [f"{printable(reading.account, 80)}: {reading.note}" for reading in readings if reading.note]
        self.notes = (*told, *self._judgement.notes)

    @property
    def findings(self) -> Sequence[Finding]:
        """The findings as they were made."""
        return self._judgement.findings

    @property
    def ignored(self) -> "pd.DataFrame":
        """The findings that were set aside: the columns of `to_frame`, then `reason` and `until` (str)."""
        return ignored_frame(self._judgement.ignored)

    def to_frame(self) -> "pd.DataFrame":
        """A row per finding, the severest first.

        Columns, all str: `severity` (high, medium, low, info), `rule`, `account`, `environment`, `webhook_id`, `name` (both
        missing for what is about a whole team), `evidence`, `remedy`. What is secret in a URL is masked.
        """
        return findings_frame(self.findings)

    def counts(self) -> dict[str, int]:
        """How many findings there are of each severity."""
        return {level: sum(finding.rule.severity == level for finding in self.findings) for level in SEVERITIES}

    def summary(self) -> str:
        """All of it in one sentence."""
        read = int((self.accounts["state"] == "read").sum())
        many = (
            f"{read:,} of {len(self.accounts):,} accounts read, " if len(self.accounts) > 1 or not self.complete else ""
        )
        found = ", ".join(f"{count:,} {level}" for level, count in self.counts().items() if count) or "no findings"
        return f"{many}{len(self.webhooks):,} webhook{'' if len(self.webhooks) == 1 else 's'}: {found}."
