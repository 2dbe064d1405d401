"""Runs the checks within time limits, and collects how the receiver responded and what it acted on."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import wait
from dataclasses import replace

from ..serving import loops
from ..serving.threads import in_thread
from .catalogue import ORDINARY_CHECK, Check
from .effects import Acted, Effects
from .judging import Outcome
from .sending import CLOSED, NO_CONNECTION, NO_RESPONSE, NO_TLS, Exchange, Response
from .signed_requests import Maker

DEADLINE = 120.0  # seconds for all checks
CONNECTIONS = 4  # open at the same time; a receiver may serve one connection after another
_START = 2.0  # seconds to wait for a receiver that is still starting
_LONGEST_DELAY = 5.0  # seconds to wait until the receiver acts on the ordinary delivery
_POLL = 0.03  # seconds between readings of `acted`
_COUNTED = ("duplicates", "forged")  # groups that are sent check by check if `acted` reports a total

Progress = Callable[[int, int], object]
Send = Callable[[Exchange], Awaitable[Sequence[Response]]]  # delivers the requests of a check to a receiver


class Checker:
    """One run of checks. The requests are sent in a thread; `acted` and `progress` are called in the caller's."""

    def __init__(
        self, send: Send, maker: Maker, acted: Acted | None, progress: Progress, checks: Sequence[Check]
    ) -> None:
        self._send_to_receiver, self._maker, self._progress = send, maker, progress
        self._outcomes = {check.sent: Outcome(check, reason="not sent") for check in checks}
        self._effects = None if acted is None else Effects(acted, maker.ids)
        self._delay = 0.0
        self._ends = time.monotonic() + DEADLINE
        self._stopping = threading.Event()
        self.interrupted = False
        self.dead_after: str | None = None

    def run(self, probes: Sequence[Check]) -> dict[str, Outcome]:
        """The outcomes by what was sent, without verdicts. After Ctrl+C, the outcomes until then."""
        try:
            self._run(probes)
        except KeyboardInterrupt:
            self.interrupted = True
        if self.dead_after is not None:
            self._single_out(self.dead_after)
        return self._outcomes

    def _run(self, probes: Sequence[Check]) -> None:
        ordinary = ORDINARY_CHECK.sent
        error = NO_CONNECTION
        starts_until = time.monotonic() + _START
        while error == NO_CONNECTION and time.monotonic() < starts_until:
            self._send([ORDINARY_CHECK])
            error = self._outcomes[ordinary].responses[0].error
            time.sleep(_POLL if error else 0)
        if error in {NO_CONNECTION, NO_RESPONSE, NO_TLS}:
            return
        self._wait_for_ordinary()
        others = [each.check for each in self._outcomes.values() if each.check is not ORDINARY_CHECK]
        is_accepted = self._outcomes[ordinary].taken
        if not is_accepted:
            others = [check for check in others if not check.at_once and check.rule != "once"]
        if self._effects is not None and self._effects.is_total:
            for check in others:
                if check.group in _COUNTED:
                    self._count(check, self._effects)
            others = [check for check in others if check.group not in _COUNTED]
        self._send([check for check in others if not check.at_once])
        for check in others:
            if check.at_once:
                self._send([check])
        if not is_accepted:
            self._outcomes |= {check.sent: Outcome(check, reason="not sent") for check in probes}
            self._send(probes)
        self._wait_for_effects()

    def _single_out(self, dead_after: str) -> None:
        """If the receiver stopped answering, only the check that stopped it counts. The others without a response are not tested."""
        lost = {name: each for name, each in self._outcomes.items() if each.is_unanswered}
        # Of the checks sent at the same time, one that connected and got no response is the likelier reason.
        errors = {name: {response.error for response in each.responses} for name, each in lost.items()}
        self.dead_after = next((name for name in lost if errors[name] & {CLOSED, NO_RESPONSE}), dead_after)
        del lost[self.dead_after]
        for name, each in lost.items():
            self._outcomes[name] = replace(each, reason="the receiver no longer answered")

    # --- sending

    def _send(self, checks: Sequence[Check]) -> None:
        """Sends checks, several at a time, and waits for the responses."""
        if self.dead_after is not None or not checks:
            return
        done = in_thread(loops.run, self._send_all(checks))
        try:
            while not done.done():
                wait([done], 0.1)
                self._progress(sum(bool(each.responses) for each in self._outcomes.values()), len(self._outcomes))
        except KeyboardInterrupt:
            self._stopping.set()
            wait([done], 1)
            raise
        done.result()

    async def _send_all(self, checks: Sequence[Check]) -> None:
        limit = asyncio.Semaphore(CONNECTIONS)
        tasks = {asyncio.ensure_future(self._send_one(check, limit)) for check in checks}
        # `loops.run` cancels what is left.
        while tasks and not self._stopping.is_set() and self.dead_after is None and time.monotonic() < self._ends:
            done, tasks = await asyncio.wait(tasks, timeout=0.1, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def _send_one(self, check: Check, limit: asyncio.Semaphore) -> None:
        async with limit:
            exchange = check.exchange(self._maker)  # not before, because of the timestamps
            responses = tuple(await self._send_to_receiver(exchange))
            self._outcomes[check.sent] = outcome = Outcome(check, responses, exchange.ids)
            if check is not ORDINARY_CHECK and outcome.is_unanswered:
                await self._detect_a_stopped_receiver(check)

    async def _detect_a_stopped_receiver(self, check: Check) -> None:
        """A receiver that stopped answering is one fault, not one for each check after it."""
        for pause in (0.0, 0.5):
            await asyncio.sleep(pause)
            if self.dead_after is not None:
                return
            (response,) = await self._send_to_receiver(ORDINARY_CHECK.exchange(self._maker))
            if response.error not in {NO_CONNECTION, NO_RESPONSE}:
                return
            if response.error == NO_RESPONSE:
                break
        self.dead_after = self.dead_after or check.sent

    # --- effects

    def _wait_for_ordinary(self) -> None:
        """Measures how long after its response the receiver acts."""
        outcome = self._outcomes[ORDINARY_CHECK.sent]
        if self._effects is None or not outcome.accepted:
            return
        (event_id,) = outcome.ids
        started = time.monotonic()
        count = 0
        while not count and time.monotonic() - started < _LONGEST_DELAY:
            count = self._effects.counts()[event_id] or (self._effects.total() if self._effects.is_total else 0)
            self._delay = time.monotonic() - started
            time.sleep(0 if count else _POLL)
        self._effects.require_reading()
        self._delay = self._delay if count else 0.0
        self._outcomes[ORDINARY_CHECK.sent] = replace(outcome, acted=(count,))

    def _count(self, check: Check, effects: Effects) -> None:
        """Sends a check of one event, and compares the totals before and after."""
        before = effects.total()
        self._send([check])
        time.sleep(1.5 * self._delay + 0.1)
        self._outcomes[check.sent] = replace(self._outcomes[check.sent], acted=(effects.total() - before,))

    def _wait_for_effects(self) -> None:
        """Waits until every accepted event is acted on, or nothing has changed for longer than the measured delay."""
        if self._effects is None or self._effects.is_total:
            return
        quiet, patience = 1.5 * self._delay + 0.15, max(1.0, 3 * self._delay)
        awaited = self._accepted_ids()
        counts = self._effects.counts()
        changed = time.monotonic()
        while time.monotonic() < min(self._ends, changed + (patience if awaited - counts.keys() else quiet)):
            time.sleep(_POLL)
            newer = self._effects.counts()
            if newer != counts:
                counts, changed = newer, time.monotonic()
        is_busy = time.monotonic() - changed < patience and bool(awaited - counts.keys())
        for name, outcome in self._outcomes.items():
            acted = tuple(counts[event_id] for event_id in outcome.ids)
            if is_busy and outcome.accepted and not all(acted):
                self._outcomes[name] = replace(outcome, reason="the receiver was still acting on earlier events")
            elif acted:
                self._outcomes[name] = replace(outcome, acted=acted)

    def _accepted_ids(self) -> set[str]:
        return {
            event_id
            for outcome in self._outcomes.values()
            if outcome.accepted and outcome.check.rule in {"accept", "once", "preferably", "or 415"}
            for event_id in outcome.ids
        }
