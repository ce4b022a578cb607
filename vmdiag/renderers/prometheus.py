"""Metrics for node_exporter's textfile collector: how many VMs are affected, which ones, how old the data is.

Names and units follow "Metric and label naming", the form "Text-based format" (Prometheus documentation). Instants are
told as they are, not as ages: a rule subtracts them from `time()`, so that an old file is seen to be old.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TextIO

from vmdiag.case_report import count_verdicts, is_still_affected, summarize_case
from vmdiag.diagnosis.model import Case, State, Verdict
from vmdiag.mitigation import Status
from vmdiag.model import INTERRUPTED_REASONS
from vmdiag.renderers import Report
from vmdiag.wording.plain_text import escape_controls

Labels = Mapping[str, str | None]
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def write_report(whole: Report, out: TextIO) -> None:
    """Write the metrics at the run's end: a scrape between two of them would see half a fleet."""
    is_whole = not any(gap.reason.startswith(INTERRUPTED_REASONS) for case in whole.cases for gap in case.gaps)
    write_metrics(whole, out, is_whole=is_whole)


def write_metrics(whole: Report, out: TextIO, *, is_whole: bool) -> None:
    """What there is to tell of a run that came to its end, or was broken off."""
    header, cases = whole.header, whole.cases
    summary = count_verdicts(cases, whole.others)
    verdicts = [({"verdict": verdict.value}, getattr(summary, verdict.value)) for verdict in Verdict]
    write_family(out, "vmdiag_vms", "VMs in the report, by verdict.", verdicts)
    affected = sum(map(is_still_affected, cases))
    write_family(out, "vmdiag_affected_vms", "VMs that are affected now.", [({}, affected)])
    counts = Counter(case.diagnosis.explanation or "" for case in cases if case.diagnosis.state is State.OPEN)
    lost = [({"explanation": explanation}, count) for explanation, count in sorted(counts.items())]
    write_family(out, "vmdiag_open_losses", "VMs whose latest loss goes on, by what explains it.", lost)
    write_family(out, "vmdiag_other_vms", "VMs that were seen and are not in the report.", [({}, summary.others)])
    unread = Counter(gap.signal.value for case in cases for gap in dict.fromkeys(case.gaps))
    gaps = [({"signal": signal}, count) for signal, count in sorted(unread.items())]
    write_family(out, "vmdiag_gaps", "Stretches that could not be read, by signal.", gaps)
    redeploys = [({"status": status.value}, summary.redeploys[status]) for status in Status]
    write_family(out, "vmdiag_redeploys", "VMs whose redeploy this run asked for, by how it stands.", redeploys)
    # When it happened is told below, as numbers.
    facts = [{key: text for key, text in summarize_case(case).items() if not key.endswith("_at")} for case in cases]
    found = [(_label_vm(case) | told, 1) for case, told in zip(cases, facts, strict=True)]
    write_family(out, "vmdiag_vm_verdict", "A VM and what was found, always 1.", found)
    for name, says in (
        ("migrated", "When the VM was live-migrated."),
        ("failed", "When its latest loss began."),
        ("recovered", "When its latest loss ended."),
    ):
        instants = ((case, getattr(case.diagnosis, f"{name}_at")) for case in cases)
        samples = ((_label_vm(case), int(at.timestamp())) for case, at in instants if at is not None)
        write_family(out, f"vmdiag_vm_{name}_timestamp_seconds", says, samples)
    for name, says, value in (
        ("data_timestamp_seconds", "The end of the window that was read.", int(header.window.end.timestamp())),
        ("run_timestamp_seconds", "When the run began.", int(header.generated_at.timestamp())),
        ("run_success", "1 where the run came to its end, 0 where VMs were left unread.", int(is_whole)),
    ):
        write_family(out, f"vmdiag_{name}", says, [({}, value)])


def write_family(out: TextIO, name: str, says: str, samples: Iterable[tuple[Labels, int]]) -> None:
    """One gauge with its samples: labels without a text are left out."""
    out.write(f"# HELP {name} {says}\n# TYPE {name} gauge\n")
    lines: dict[str, int] = {}
    for labels, value in samples:
        told = ",".join(f'{key}="{escape_controls(text).translate(_ESCAPES)}"' for key, text in labels.items() if text)
        # Names that look alike once they are fit to be shown are one series: a repeated one voids the whole file.
        lines[f"{{{told}}}" if told else ""] = value
    out.writelines(f"{name}{labels} {value}\n" for labels, value in lines.items())


def _label_vm(case: Case) -> dict[str, str | None]:
    vm = case.vm.id
    return {
        "subscription_id": vm.subscription, "resource_group": vm.resource_group, "scale_set": vm.scale_set,
        "name": vm.name,
    }  # fmt: skip
