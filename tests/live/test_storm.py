"""A storm of refusals: others use up what Resource Manager allows, and nobody is lost or asked for too early."""

import json

from tests.arm import World
from tests.live.conftest import AzureStarter, wait_until

# What Resource Manager gives a principal at once in a subscription, and how long it asks to wait: 25 return a second.
BUCKET, RETRY_AFTER = 250, 1.0
CLOCKS, JOBS = 0.05, 32


def test_who_finds_the_bucket_empty_waits_as_told_and_reads_every_vm(azure: AzureStarter) -> None:
    there = azure(World.with_fleet(vms=24, groups=1, migrated=4))
    (subscription,) = there.arm.world.subscriptions
    words = ("--all", "--screen", "off", "--since", "1d", "--jobs", str(JOBS), "-o", "json")
    running = there.start_command("check", *words)
    wait_until(running, lambda: there.count_requests("ResourceGraph"))
    there.arm.spend_reads(subscription, BUCKET)
    out, err = running.communicate()
    cases = json.loads(out)["cases"]

    assert (running.returncode, len(cases)) == (1, 24), err
    assert sum(case["verdict"] == "confirmed" for case in cases) == 4
    assert not any("throttled" in gap["reason"] for case in cases for gap in case["gaps"])
    paid = [seen for seen in there.arm.requests if seen.path.startswith("/subscriptions/")]
    refused = [seen for seen in paid if seen.status == 429]
    assert refused
    for one in refused:
        until = one.answered_at + RETRY_AFTER - CLOCKS
        again = [seen.came_at for seen in paid if seen.target == one.target and seen.came_at > one.came_at]
        assert min(again) >= until
        # What was on its way when the refusal was answered is not recalled.
        assert sum(one.answered_at < seen.came_at < until for seen in paid) <= JOBS
