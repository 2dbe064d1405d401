"""What a probe would do, before anything is sent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ..behaviours import QUESTIONS
from ..text import escaped, plural, printable
from .options import Options
from .steps import Step, steps


@dataclass(frozen=True)
class ProbePlan:
    """What `probe` would do with `confirm=True`. Nothing has been sent.

    Attributes:
        requests, creates, fires: The maximum numbers of requests, webhooks (all are removed again) and test events.
        questions: The ids of the questions that would be asked.
        not_asked: Why the other questions would not be asked, by id.
        sentences: The plan in words.
    """

    requests: int
    creates: int
    fires: int
    questions: tuple[str, ...]
    not_asked: dict[str, str]
    sentences: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join((*self.sentences, "Nothing was sent. Run it with confirm=True."))

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{escaped(sentence)}</li>" for sentence in self.sentences)
        return f"<ul>{items}</ul><p>Nothing was sent. Run it with <code>confirm=True</code>.</p>"


def plan(options: Options, words: Mapping[str, str] = MappingProxyType({})) -> ProbePlan:
    """The plan for these options. `words` replaces reasons why questions are not asked, where no argument was passed."""
    chosen = steps(options)
    asked = tuple(question for step in chosen for question in step.questions)
    to_check = 0 if options.missing("write") else 8  # that nothing is left
    requests = sum(step.requests for step in chosen) + to_check
    creates, fires = sum(step.creates for step in chosen), sum(step.fires for step in chosen)
    reasons = {options.missing(question.needs) for question in QUESTIONS.values() if question.needs != "nothing"} - {""}
    sentences = (
        *_sentences(options, requests, creates, fires, len(asked)),
        *(f"Some questions are not asked: {words.get(reason, reason)}." for reason in sorted(reasons)),
    )
    return ProbePlan(requests, creates, fires, asked, not_asked(options, chosen), sentences)


def not_asked(options: Options, chosen: Sequence[Step]) -> dict[str, str]:
    """Why the questions that belong to none of these steps are not asked, by id."""
    asked = {question for step in chosen for question in step.questions}
    return {
        name: question.how if question.needs == "nothing" else options.missing(question.needs)
        for name, question in QUESTIONS.items()
        if name not in asked
    }


def _sentences(options: Options, requests: int, creates: int, fires: int, questions: int) -> Iterator[str]:
    client = options.client
    team = printable(client.team_id, 80)
    limit = client.rate_limit
    left = "" if limit is None or limit.remaining is None else f"; the rate limit has {limit.remaining:,} left"
    yield (
        f"Asks {questions} questions of {client.base_url}, team {team}, {client.environment.upper()},"
        f" with up to {plural(requests, 'request')}{left}."
    )
    if creates:
        targets = "reserved domains" if options.missing("listener") else "reserved domains or of the listener"
        yield (
            f"Creates and removes up to {plural(creates, 'webhook')} named 'cstar_explore probe …'. They have URLs of {targets}."
            " Each is paused at once unless a question needs it active. Other webhooks are not touched."
        )
    if fires:
        yield (
            f"Fires up to {plural(fires, 'test event')}. According to the API reference, each reaches all active webhooks of team {team},"
            " and CLI listeners."
        )
