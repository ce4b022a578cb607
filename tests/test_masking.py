"""A masked report tells whose VMs it is about in no format, and tells them apart as before."""

import json
from pathlib import Path

import pytest

from tests.cli import story
from tests.conftest import Runner
from tests.renderers import cases
from tests.renderers.gallery import draw_on_terminal, render_report
from tests.timeline_builders import make_case as build_case
from vmdiag import plugins, renderers
from vmdiag.diagnosis.model import Case, OtherVms
from vmdiag.diagnosis.shared_outage import compare_fleet
from vmdiag.identity import VmId
from vmdiag.masking import Mask, MaskedReport
from vmdiag.model import VirtualMachine
from vmdiag.renderers import Report, WholeReport
from vmdiag.values import replace

KEY = b"k" * 32
SUBSCRIPTION = "5f0c1a2b-3c4d-4e5f-8a9b-0c1d2e3f4a5b"
VM = VmId(subscription=SUBSCRIPTION, resource_group="Payroll_RG", name="sql-prod.01", scale_set="nodes-blue")
OTHER = VmId(subscription=SUBSCRIPTION, resource_group="Payroll_RG", name="sql-prod.01-b")
# Each is whose VMs these are, in the form in which it is looked for.
SECRETS = (
    SUBSCRIPTION, "payroll", "sql-prod", "nodes-blue", "10.20.30.40", "203.0.113.7", "2001:db8::17",
    "00-0d-3a-11-22-33", "jane.roe@contoso.example", "nsg-inner", "c0ffee00-1111-2222-3333-444455556666", "/home/jane",
)  # fmt: skip
SENTENCES = (
    f"{VM} and {str(OTHER).upper()} lost traffic",
    "SQL-Prod.01, sql-prod.01-b: payroll_rg/sql-prod.01 (set nodes-blue) fell; sql-prod.01's heartbeat ended.",
    "jane.roe@contoso.example changed the rules",
    f"/subscriptions/{SUBSCRIPTION}/resourcegroups/payroll_rg/providers/Microsoft.Network/networkSecurityGroups/nsg-inner",
    "no answer from 10.20.30.40:443, [2001:db8::17] or sql-prod.01.westeurope.cloudapp.azure.com (203.0.113.7)",
    "the interface 00-0D-3A-11-22-33 of tenant c0ffee00-1111-2222-3333-444455556666 at 08:16:00",
    "payroll_rg-sql-prod.01-metrics.json:12",
)


def make_case(text: str, vm: VmId = VM) -> Case:
    return replace(cases.make_hostile_case(text), vm=VirtualMachine(id=vm, network=frozenset({str(OTHER)})))


def mask_all(found: list[Case], key: bytes = KEY) -> list[Case]:
    """The cases as they reach a format that tells them together."""
    reached: list[Report] = []
    report = MaskedReport(Mask(key), WholeReport(cases.make_report([]).header, reached.append), streams=False)
    for case in found:
        report.add_case(case)
    report.finish(OtherVms())
    return list(reached[0].cases)


def find_leaks(text: str) -> list[str]:
    """The secrets that a report gives away, however its lines are broken."""
    seen = "".join(text.lower().split())
    return [secret for secret in SECRETS if secret in seen]


@pytest.mark.parametrize("form", [*plugins.list_names(renderers), "terminal at 40"])
def test_no_format_gives_away_a_name_an_id_or_an_address(form: str) -> None:
    found = [make_case(sentence) for sentence in SENTENCES] + [make_case(SENTENCES[0], OTHER)]
    found.append(replace(make_case("x"), gaps=(), events=tuple(replace(cases.MIGRATION_EVENT, ref="/home/jane/a.json:1")
                                                               for _ in range(2))))  # fmt: skip

    def render(told: list[Case]) -> str:
        report = cases.make_report(told)
        return draw_on_terminal(report, 40) if "at" in form.split() else render_report(form, report)

    assert find_leaks("".join(map(str, found)))
    assert not find_leaks(render(mask_all(found)))
    # Alone a case is told in full.
    assert not find_leaks("".join(render([case]) for case in mask_all(found)))


@pytest.mark.parametrize("sentence", SENTENCES)
def test_each_way_to_write_a_secret_would_be_found_and_is_masked(sentence: str) -> None:
    mask = Mask(KEY)
    mask.learn_vms([VM, OTHER])

    assert find_leaks(sentence)
    assert not find_leaks(mask.mask_text(sentence))


def test_what_is_said_beside_the_names_stays_as_it_was() -> None:
    mask = Mask(KEY)
    mask.learn_vms([VM, OTHER])
    vm, other = (mask.make_stand_in("vm", each.name) for each in (VM, OTHER))

    assert mask.mask_text("at 08:16:00 sql-prod.01 fell to 4.07 MB, not sql-prod.012") == (
        f"at 08:16:00 {vm} fell to 4.07 MB, not sql-prod.012"
    )
    assert mask.mask_text("SQL-PROD.01-B, then sql-prod.01.") == f"{other}, then {vm}."
    masked = mask.mask_case(cases.make_confirmed_case())
    plain = cases.make_confirmed_case()
    assert (masked.diagnosis.explanation, masked.curve, masked.scenario, masked.diagnosis.recommendation.links) == (
        plain.diagnosis.explanation, plain.curve, plain.scenario, plain.diagnosis.recommendation.links
    )  # fmt: skip
    path = replace(cases.MIGRATION_EVENT, ref=r"C:\Users\jane\exports\health.json:12")
    assert mask.mask_value(path).ref == "health.json:12"
    assert json.loads(render_report("ndjson", cases.make_report([masked])))["vm"]["size"] == "Standard_D4s_v5"


def test_a_stand_in_is_the_same_in_every_report_of_one_key_and_another_with_another() -> None:
    first, again, other = (mask_all([make_case("x")], key)[0].vm.id for key in (KEY, KEY, b"o" * 32))

    assert first == again
    assert not {first.name, first.resource_group, first.subscription} & {
        other.name,
        other.resource_group,
        other.subscription,
    }
    assert Mask(KEY).mask_id(
        VmId(subscription=SUBSCRIPTION.upper(), resource_group="PAYROLL_rg", name="x")
    ).subscription == (first.subscription)


def test_two_masked_reports_of_the_command_can_be_compared(vmdiag: Runner, tmp_path: Path) -> None:
    log = story.write_log(tmp_path, story.make_affected_log())
    plain = vmdiag("check", "--source", log, "-o", "ndjson")
    masked = [vmdiag("check", "--source", log, "-o", form, "--mask") for form in ("json", "ndjson")]
    for name, ran in zip(("old", "new"), masked, strict=True):
        (tmp_path / name).write_text(ran.out)
    names = [json.loads(line)["vm"]["name"] for line in plain.out.splitlines()]

    assert {ran.code for ran in masked} == {plain.code}
    assert names
    assert not [name for name in names for ran in masked if name in ran.out]
    assert str(tmp_path) not in masked[0].out
    assert vmdiag("diff", str(tmp_path / "old"), str(tmp_path / "new"), "-o", "ndjson").out == ""


def test_a_masked_run_does_not_take_up_a_report(vmdiag: Runner, tmp_path: Path) -> None:
    log = story.write_log(tmp_path, story.make_affected_log())
    (tmp_path / "earlier").write_text("")

    ran = vmdiag("check", "--source", log, "--mask", "--resume", str(tmp_path / "earlier"))

    assert (ran.code, ran.out) == (2, "")
    assert "does not go with --mask" in ran.err


def test_who_looks_at_a_vm_is_masked_in_every_sentence_about_it() -> None:
    pair = "12:00 live-migration\n12:03 outside-lost\n12:03 peered-lost\n12:03 unknown-lost\ninside normal"
    both = "12:00 live-migration\n12:03 outside-lost\n12:03 inside-lost"
    stayed = "12:03 outside-lost\ninside normal\nuntil 14:03"
    told = [
        *compare_fleet([build_case(pair, name="a-1"), build_case(stayed, name="a-2")]),
        build_case(both, name="a-3"),
        build_case("12:00 live-migration\n12:03 traffic-lost\noutside normal\npeered normal", name="a-4"),
    ]
    plain, masked = (render_report("json", cases.make_report(found)) for found in (told, mask_all(told)))

    for observer in ("office", "hub/jump", "prod/web-02", "somewhere"):
        assert observer in plain
        assert observer not in masked
    assert "virtual network" in masked


def test_what_stands_in_front_of_a_vm_is_masked() -> None:
    told = (
        "health of the rule contoso-web of the load balancer contoso-lb: refused",
        "probes of the load balancer contoso-lb: throttled",
        "backend health of the Application Gateway contoso-gw",
        "the load balancer's probe of port 443 is no longer answered",
    )
    masked = [Mask(b"key").mask_text(one) for one in told]

    assert "contoso" not in " ".join(masked)
    assert masked[0].startswith("health of the rule front-")
    assert masked[0].endswith(": refused")
    assert masked[3] == told[3]


def test_who_is_asked_to_look_and_what_is_in_his_way_is_masked() -> None:
    mask = Mask(b"key")
    looks = [
        "port 22 is reached from contoso/web-02 in its own virtual network, at 08:21Z",
        "port 22 is not reached from contoso/jump in another virtual network, at 08:21Z",
        "port 22 cannot be reached from contoso/jump, outside its virtual network: the rule contoso-deny denies it",
        "port 22 could be reached from contoso/jump in another virtual network: the rule contoso-in lets it in",
        "port 22 cannot be reached from the internet: its answers have no next hop (route table contoso-rt)",
        "where port 22 is reached from contoso/jump in another virtual network, the answers go through an appliance",
        "whether it is reached from contoso-jump, outside: not asked, no such VM is shown to this sign-in",
    ]
    masked = [mask.mask_text(look) for look in looks]

    assert not [one for one in masked if "contoso" in one]
    assert masked[0].endswith("in its own virtual network, at 08:21Z")
    assert masked[-1].endswith(", outside: not asked, no such VM is shown to this sign-in")
