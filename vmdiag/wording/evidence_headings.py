"""The evidence under headings that say what it is for or against; must not know a format."""

from collections.abc import Iterator

from vmdiag.diagnosis.model import Case, Evidence, Stance, order_evidence
from vmdiag.wording.narrative import select_evidence


def group_evidence(case: Case) -> Iterator[tuple[str, list[Evidence]]]:
    """The evidence with what it is for or against: the scenario asked for, what explains the loss, the loss itself."""
    diagnosis = case.diagnosis
    asked = select_evidence(case, *Stance)
    if asked:
        yield "For (+) or against (-) a loss by live migration, ? not seen", asked
    explaining = [one for one in diagnosis.findings if one.scenario == diagnosis.explanation]
    if explaining and explaining[0].scenario != diagnosis.finding.scenario and explaining[0].evidence:
        yield f"For (+) or against (-) {explaining[0].scenario}", list(order_evidence(explaining[0].evidence))
    if diagnosis.loss is not None and diagnosis.loss.explained_by != diagnosis.finding.scenario:
        shown = (
            Evidence(stance=Stance.FOR, signal=one.signal, says=one.says, at=one.interval.start, ref=one.ref)
            for one in diagnosis.loss.channels
        )
        yield "What shows the loss", list(order_evidence(shown))
