"""A JUnit report for build servers: a test case a VM, failed while it is affected, in error where it cannot be told.

Elements, attributes and their order are those of the schema for Apache Ant's JUnit tasks (`JUnit.xsd`), the one that
build servers agree on. It gives a case that passed no room for words, so the suite's output has a line for every VM.
"""

from typing import TextIO
from xml.etree import ElementTree as ET

from vmdiag.case_report import count_verdicts, describe_gaps, is_still_affected, summarize_case
from vmdiag.diagnosis.model import Case, Verdict
from vmdiag.renderers import Report
from vmdiag.wording.evidence import format_evidence, list_cloud_notes
from vmdiag.wording.narrative import describe_next_step, list_summary_rows, write_headline
from vmdiag.wording.plain_text import escape_controls, format_iso

# Which element tells the result; a test case without one has passed.
_FAILURE, _ERROR = "failure", "error"


def write_report(whole: Report, out: TextIO) -> None:
    """Write the suite; the counts come before the cases."""
    header, cases = whole.header, whole.cases
    results = [get_result(case) for case in cases]
    suite = ET.Element(
        "testsuite",
        name="vmdiag",
        # The schema wants it without a zone, and a name of the machine, which is nobody's business here.
        timestamp=format_iso(header.generated_at).removesuffix("Z"),
        hostname="localhost",
        tests=str(len(cases)),
        failures=str(results.count(_FAILURE)),
        errors=str(results.count(_ERROR)),
        time="0",
    )
    summary = count_verdicts(cases, whole.others)
    facts = {
        "source": header.source,
        "cloud": header.cloud,
        "window.from": format_iso(header.window.start),
        "window.to": format_iso(header.window.end),
        **{verdict.value: str(getattr(summary, verdict.value)) for verdict in Verdict},
        "others": str(summary.others),
    }
    properties = ET.SubElement(suite, "properties")
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=name, value=escape_controls(value))
    for case, result in zip(cases, results, strict=True):
        vm = case.vm.id
        path = (vm.subscription, vm.resource_group, *filter(None, [vm.scale_set]))
        # A dot in a class name opens a package, so each part keeps its own.
        classname = ".".join(escape_controls(part).replace(".", "_") for part in path)
        element = ET.SubElement(suite, "testcase", name=escape_controls(vm.name), classname=classname, time="0")
        if result is not None:
            headline = escape_controls(write_headline(case))
            told = ET.SubElement(element, result, message=headline, type=case.diagnosis.verdict.value)
            word, rest = describe_next_step(case)
            rows = [f"{label}: {says}" for label, says in list_summary_rows(case)]
            gaps = [f"not read: {gap.signal}, {gap.reason}" for gap in case.gaps]
            story = [str(vm), *rows, f"Next: {word}{rest}", *format_evidence(case), *gaps]
            told.text = "\n".join(map(escape_controls, story))
    known = [(case.vm.id, summarize_case(case).items()) for case in cases]
    lines = [" ".join([str(vm), *(f"{name}={value or '-'}" for name, value in facts)]) for vm, facts in known]
    ET.SubElement(suite, "system-out").text = "".join(f"{escape_controls(line)}\n" for line in lines)
    unread = [f"{gap.signal}: {gap.reason}" for gap in describe_gaps(header.gaps)]
    notes = list_cloud_notes(cases, header.cloud)
    ET.SubElement(suite, "system-err").text = "".join(f"{escape_controls(says)}\n" for says in (*notes, *unread))
    ET.indent(suite)
    out.write(f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(suite, encoding="unicode")}\n')


def get_result(case: Case) -> str | None:
    """The element that tells a case's result: an affected VM fails, one that could not be told is an error."""
    if is_still_affected(case):
        return _FAILURE
    return _ERROR if case.diagnosis.verdict is Verdict.INCONCLUSIVE else None
