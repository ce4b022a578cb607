"""Rows of `Heartbeat`: signs of life, and what looks like them."""

from tests.sources.rows import EXAMPLES, VM, changed, known, read, sampled, vm
from vmdiag.model import Signal
from vmdiag.sources.items import is_placeholder, make_computer_placeholder

NAME = "heartbeat"


def test_a_beat_is_a_point_of_one_and_knows_the_system() -> None:
    items = read(NAME, EXAMPLES[NAME])
    (beat,) = sampled(items)

    assert (beat.vm, beat.name, beat.signal, beat.values) == (vm(), "Heartbeat", Signal.HEARTBEAT, (1.0,))
    assert [item.vm.os for item in known(items)] == ["linux"]


def test_the_table_may_say_its_name() -> None:
    assert sampled(read(NAME, changed(NAME, Type="Heartbeat", Category="Other", OSType=None)))


def test_a_beat_without_an_id_is_of_the_vm_whose_computer_is_called_so() -> None:
    (beat,) = sampled(read(NAME, changed(NAME, _ResourceId=None, OSType=None)))
    assert beat.vm == make_computer_placeholder("web-01")


def test_a_beat_with_the_parts_of_an_id_needs_no_name() -> None:
    subscription, group = VM.split("/")[2], VM.split("/")[4]
    parts = {"SubscriptionId": subscription, "ResourceGroup": group, "Resource": "WEB-01"}
    (beat,) = sampled(read(NAME, changed(NAME, _ResourceId="", OSType=None, Computer="inside", **parts)))

    assert beat.vm == vm()


def test_the_parts_of_another_resources_id_name_no_vm() -> None:
    parts = {"SubscriptionId": "s", "ResourceGroup": "g", "Resource": "m", "ResourceType": "machines"}
    (beat,) = sampled(read(NAME, changed(NAME, _ResourceId="", OSType=None, **parts)))

    assert is_placeholder(beat.vm)
