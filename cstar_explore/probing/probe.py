"""`probe`: finds out how cStar behaves where its pages do not say."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, overload

from ..api.client import Client
from ..behaviours import QUESTIONS
from ..listener import Listener
from ..progress import ProgressLog
from ..recordings import Recording
from ..secret import ApiKey, Secret
from .answers import Observation
from .journal import Journal
from .options import Options
from .plan import ProbePlan, not_asked, plan
from .replies import NotAnsweredError
from .result import ProbeResult
from .session import Session, StoppedError
from .steps import Step, steps
from .writing import ordinary

_LOG_INTERVAL = 10.0  # seconds between lines of progress

Progress = Callable[[int, int], object]


@overload
def probe(client: Client, listener: Listener | None = None, *, confirm: Literal[True], **asked: Any) -> ProbeResult: ...
@overload
def probe(client: Client, listener: Listener | None = None, **asked: Any) -> ProbePlan: ...
def probe(  # type: ignore[misc] # the overloads do not repeat what is asked
    client: Client,
    listener: Listener | None = None,
    *,
    publishable_key: str | Secret | None = None,
    fire: bool = False,
    payloads: bool = False,
    wait: float = 0,
    confirm: bool = False,
) -> ProbePlan | ProbeResult:
    """Finds out by experiment how cStar behaves where its pages do not say, and leaves nothing behind.

    Without `confirm=True`, it sends nothing and returns what it would do. With a live key, it sends only GET requests. With a test
    key, it creates webhooks with random names, and removes them at the end and after an error. Their names are in a private file:
    if the process is killed, the next probe of the team removes them.

    Args:
        client: A client with a secret test key. A live key or a read-only client answers only the questions that GET can answer.
        listener: A listener that cStar reaches through `cstar listen --forward-to` or at the first of its `allowed_hosts`, for
            the questions about deliveries. They also need `fire`.
        publishable_key: A publishable key of the same team, to find out what it may read.
        fire: Whether to fire test events. Each reaches all active webhooks of the team.
        payloads: Whether to fire each of the 35 event types once and learn the shape of its data. No values are kept. Needs `fire`
            and a listener.
        wait: Seconds to wait for retries, from 0 to 604,800 (a week). cStar's first retry comes after 30 s. Needs `fire` and a
            listener.
        confirm: Whether to run the probe.

    Returns:
        A `cx.ProbePlan` without `confirm=True`, and a `cx.ProbeResult` with it.

    Raises:
        ConfigurationError: An argument cannot be used, another probe of this team is running, or the private file cannot be
            written.
    """
    publishable_key = None if publishable_key is None else ApiKey(publishable_key)
    options = Options(client, listener, publishable_key, fire, payloads, wait)
    return run(options, on_progress=ProgressLog(_LOG_INTERVAL, "Probe: {} of {} steps.")) if confirm else plan(options)


def run(
    options: Options, *, on_progress: Progress = lambda *_: None, stopped: Callable[[], bool] = lambda: False
) -> ProbeResult:
    """Runs the steps in order, and removes what they created.

    Args:
        on_progress: Called after each step with the number of steps done and the total.
        stopped: Returns whether to stop before the next step.

    Raises:
        ConfigurationError: Another probe of this team is running, or the journal cannot be written.
    """
    chosen = steps(options)
    journal = None if options.missing("write") else Journal(options.client)
    session = Session(options, journal, stopped)
    observations: list[Observation] = []
    reasons = not_asked(options, chosen)
    was_stopped = False
    left: tuple[str, ...] = ()
    try:
        left = session.clean_up()  # what an earlier run left
        for number, step in enumerate(chosen, 1):
            _ask(step, session, observations, reasons)
            on_progress(number, len(chosen))
    except StoppedError:
        was_stopped = True
    finally:
        if journal is not None:
            left = session.clean_up()
            journal.close()
    answers = {observation.question: observation.answer for observation in observations}
    default = "the probe was stopped before" if was_stopped else "the response does not say"
    unanswered = {name: reasons.get(name, default) for name in QUESTIONS if name not in answers}
    recording = Recording(answers, session.payloads, f"{datetime.now(UTC):%Y-%m-%d}")
    return ProbeResult(recording, tuple(observations), unanswered, left, session.sent, was_stopped)


def _ask(step: Step, session: Session, observations: list[Observation], reasons: dict[str, str]) -> None:
    """Runs a step. If it cannot answer its questions, `reasons` gets the reason."""
    if step.creates and session.ordinary is None and step.ask is not ordinary:
        reasons |= dict.fromkeys(step.questions, "no ordinary webhook could be created")
        return
    try:
        session.check(step.requests)
        for observation in step.ask(session):
            observations.append(observation)  # noqa: PERF402 - those before an error are kept
    except NotAnsweredError as error:
        reasons |= dict.fromkeys(step.questions, str(error))
