"""A verdict in words, as the lines of a banner."""

from ..signatures.diagnosis import Explanation


def verdict_lines(explanation: Explanation) -> list[str]:
    """The verdict (`Verified`, `Refused: too old`), its evidence and, if refused, the remedy."""
    if explanation.ok:
        return ["Verified", explanation.evidence]
    causes = (explanation.cause, *explanation.alternatives)
    words = " or ".join(cause.replace("_", " ") for cause in causes)
    return [f"Refused: {words}", explanation.evidence, explanation.remedy]
