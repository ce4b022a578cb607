"""Which VMs a report for people tells, and that the others are counted and never lost."""

from pathlib import Path

import pytest

from tests.cli import story
from tests.conftest import Runner

FORMS = ("terminal", "markdown", "html")
COUNTED = "2 clear VMs are not told one by one (1 with a live migration that did no harm, or a loss that is over)"


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """One VM of each fate: affected, in doubt, down by its owner, over and well, well all the time."""
    entries = [
        *story.make_affected_log("hit-01"),
        story.make_migration("doubt-02"),
        story.make_health_entry("08:16", "off-03", "VirtualMachineDeallocationInitiated"),
        story.make_health_entry("08:20", "back-04", "VirtualMachineDeallocationInitiated"),
        story.make_health_entry("09:00", "back-04", "VirtualMachineStartInitiatedByControlPlane"),
        story.make_health_entry("09:02", "back-04", state="Available"),
    ]
    return story.write_log(tmp_path, entries)


def read_report(vmdiag: Runner, fleet: Path, form: str, *words: str, **environment: str) -> str:
    """The report on one line, without the marks of Markdown and HTML around names."""
    ran = vmdiag("check", *words, "--source", fleet, "-o", form, **environment)
    assert ran.code == 1, ran.err
    return " ".join(ran.out.replace("\\", "").split())


@pytest.mark.parametrize("form", FORMS)
def test_the_affected_the_unsure_and_the_dead_are_told_and_the_others_counted(
    vmdiag: Runner, fleet: Path, form: str
) -> None:
    told = read_report(vmdiag, fleet, form, "--all")

    assert "5 VMs diagnosed" in told
    assert all(f"prod/{name}" in told for name in ("hit-01", "doubt-02", "off-03"))
    assert not any(name in told for name in ("back-04", "prod/other"))
    assert COUNTED in told
    assert "--show all" in told


@pytest.mark.parametrize("form", FORMS)
def test_all_are_told_where_all_are_wanted(vmdiag: Runner, fleet: Path, form: str) -> None:
    names = ("hit-01", "doubt-02", "off-03", "back-04", "other")
    for told in (
        read_report(vmdiag, fleet, form, "--all", "--show", "all"),
        read_report(vmdiag, fleet, form, "--all", VMDIAG_SHOW="all"),
    ):
        assert all(f"prod/{name}" in told for name in names)
        assert "not told one by one" not in told


@pytest.mark.parametrize("form", FORMS)
def test_who_is_named_is_told_and_who_fits_a_pattern_is_not_named(vmdiag: Runner, fleet: Path, form: str) -> None:
    named = read_report(vmdiag, fleet, form, "hit-01", "PROD/back-04", "--mask")
    fitting = read_report(vmdiag, fleet, form, "hit-01", "back-*")

    assert "not told one by one" not in named
    assert "prod/back-04" not in fitting
    assert "1 clear VM is not told one by one" in fitting


def test_the_other_forms_hold_every_vm_whatever_is_shown(vmdiag: Runner, fleet: Path) -> None:
    for form in ("json", "ndjson", "csv", "junit", "prometheus"):
        told = read_report(vmdiag, fleet, form, "--all", "--show", "affected")
        assert all(name in told for name in ("hit-01", "doubt-02", "off-03", "back-04", "other"))


def test_a_fleet_that_is_well_is_counted_and_a_vm_that_is_alone_is_told(vmdiag: Runner, tmp_path: Path) -> None:
    well = [story.make_health_entry("09:00", f"well-{number}", state="Available") for number in range(3)]
    for form in FORMS:
        many = vmdiag("check", "--all", "--source", story.write_log(tmp_path, well), "-o", form)
        alone = vmdiag("check", "--all", "--source", story.write_log(tmp_path, well[:1], "one.json"), "-o", form)

        assert "3 VMs diagnosed" in many.out
        assert "3 clear VMs are not told one by one: " in " ".join(many.out.split())
        assert "well-0" not in many.out
        assert "well-0" in alone.out
