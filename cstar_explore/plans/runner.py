"""Applies a plan, and keeps what is done: the steps, the signing secrets, and the created webhooks in the plan's files."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from ..api.client import Client
from ..errors import ConfigurationError, ConflictError, CStarError, NotFoundError, ReadOnlyError, ValidationError
from ..events import without_unknown_type_warnings
from ..models import Webhook
from ..secret import Secret
from ..text import printable
from .change import Change, State, Step
from .execution import Context, Listing, apply_change, find_duplicates
from .file import PlanFile

_STOPPED = "The plan was stopped."


class Runner:
    """What is done of a plan, however applying it ended.

    Attributes:
        plan: The changes, and the webhooks that they created.
        files: Where the plan is saved. What it creates is recorded there.
        steps: The last step of each change that was tried, by the change's index.
        secrets: The signing secrets of created webhooks, by webhook ID.
    """

    def __init__(self, plan: PlanFile, *files: Path) -> None:
        self.plan = plan
        self.files = [*files]
        self.steps: dict[int, Step] = {}
        self.secrets: dict[str, Secret] = {}
        self._unchecked: set[int] = set()  # creates that were not yet looked for twice
        self._record_error: ConfigurationError | None = None

    def change(self, index: int) -> Change:
        """The change, with the ID of the webhook that it created, once that is known."""
        change = self.plan.changes[index]
        created_id = self.plan.created_ids.get(index)
        return change if created_id is None else replace(change, id=created_id)

    @property
    def remaining(self) -> list[Change]:
        """The changes that are neither done nor unnecessary."""
        steps = self.steps.copy()  # another thread may be applying the plan
        finished = {index for index, step in steps.items() if step.outcome in ("done", "unchanged")}
        return [change for index, change in enumerate(self.plan.changes) if index not in finished]

    def apply(self, client: Client, stopped: Callable[[], bool] | None) -> Iterator[Step]:
        """Applies the changes and yields a step for each, also for those that are not tried.

        A webhook that was deleted or changed since does not stop the others. An error that would affect the next change too
        (the key, the network, the rate limit, a file that cannot be written) does. At the end, `steps` may say more.
        """
        reason = ""
        listing = Listing(client)
        self._record_error = None
        for index, change in enumerate(self.plan.changes):
            if not reason and stopped is not None and stopped():
                reason = _STOPPED
            if reason:
                yield Step(change, "not tried", reason)
                continue
            step = self.steps[index] = self._with_secret(index, self._apply(client, index, listing))
            if not isinstance(step.error, NotFoundError | ValidationError | ConflictError | ReadOnlyError | None):
                reason = "An earlier step failed."
            if self._record_error is not None:
                reason = f"What was created could not be recorded with the plan: {self._record_error}"
            yield step
        if self._unchecked and reason in ("", _STOPPED):
            self._check_duplicates(listing)

    def _apply(self, client: Client, index: int, listing: Listing) -> Step:
        """Applies a change. Nothing is created that could not be recorded."""
        change = self.plan.changes[index]
        if change.what == "create" and index not in self.plan.created_ids:
            try:
                self._record()
            except ConfigurationError as error:
                return Step(change, "failed", str(error), error=error)
        with without_unknown_type_warnings():
            return replace(apply_change(client, self.change(index), self._context(index, listing)), change=change)

    def _context(self, index: int, listing: Listing) -> Context:
        created_by_others = (webhook_id for other, webhook_id in self.plan.created_ids.items() if other != index)
        key = self.plan.changes[index].content_key
        return Context(
            self.plan.existing_ids.union(created_by_others),
            sum(change.content_key == key for change in self.plan.changes[index:]),
            listing,
            created_id=self.plan.created_ids.get(index),
            created=lambda webhook: self._created(index, webhook),
        )

    def _created(self, index: int, webhook: Webhook) -> None:
        """Keeps the secret and the ID of a created webhook as soon as cStar returns it."""
        if webhook.secret is not None:
            self.secrets[webhook.id] = webhook.secret
        self.steps[index] = Step(self.plan.changes[index], "unknown", "It was created, but not read back.", webhook)
        self._unchecked.add(index)
        self._keep(index, webhook)

    def _with_secret(self, index: int, step: Step) -> Step:
        """The step of a create with the secret that is known. Records which webhook it is."""
        if step.change.what != "create" or step.webhook is None:
            return step
        if isinstance(step.error, NotFoundError):
            # The response named a webhook that does not exist: there is nothing to record.
            self.plan.created_ids.pop(index, None)
            self._unchecked.discard(index)
            return step
        if self.plan.created_ids.get(index) != step.webhook.id:
            self._keep(index, step.webhook)
        secret = step.webhook.secret or self.secrets.get(step.webhook.id)
        return replace(step, webhook=replace(step.webhook, secret=secret))

    def _keep(self, index: int, webhook: Webhook) -> None:
        self.plan.created_ids[index] = webhook.id
        try:
            self._record()
        except ConfigurationError as error:
            self._record_error = error

    def _record(self) -> None:
        """Writes the IDs of created webhooks to the plan's files, and reads those that another process wrote there.

        Raises:
            ConfigurationError: A file is not of this plan any more, or cannot be written.
        """
        for path in self.files:
            self.plan.record(path)

    def _check_duplicates(self, listing: Listing) -> None:
        """Looks for webhooks that another process created in the meantime, with the content of those that this plan created."""
        try:
            webhooks = listing.read_again()
        except CStarError as error:
            index = max(self._unchecked)
            step = self.steps[index]
            detail = f"{step.detail} Whether another process created it too is unknown, as the list could not be read: {error}"
            self.steps[index] = replace(step, detail=detail)
            return
        other_ids = self.plan.existing_ids.union(self.plan.created_ids.values())
        for index in sorted(self._unchecked):
            duplicates = find_duplicates(webhooks, self.plan.changes[index].after or State(), other_ids)
            if not duplicates:
                self._unchecked.discard(index)
                continue
            ids = ", ".join(printable(webhook.id, 80) for webhook in duplicates)
            own = printable(self.plan.created_ids[index], 80)
            doubled = ConflictError(
                f"It was created as {own}, and another process created the same: {ids}.",
                advice="Delete the ones you do not need, and apply again.",
            )
            self.steps[index] = replace(self.steps[index], outcome="failed", detail=str(doubled), error=doubled)
