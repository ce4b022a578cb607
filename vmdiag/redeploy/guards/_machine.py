"""The guards that look at the VM itself: its state, its disks, its owners, what was done to it lately."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from vmdiag.mitigation import REDEPLOY_ACTION, SAME_REDEPLOY, GuardResult
from vmdiag.model import Kind
from vmdiag.redeploy.model import GuardContext, Plan, Preflight, describe_unknown, format_age

REPEAT, REPEAT_SPAN, MOST_IN_SPAN = timedelta(hours=6), timedelta(days=7), 2
GRACE = timedelta(minutes=30)
# The log and the VM's state tell of one moment; two feeds may differ by so much (contract, section 3).
SAME_MOMENT = timedelta(minutes=3)
RUNS = ("running", "stopped")
PROTECTED = "vmdiag-protect"
# How AKS marks its nodes: tags of every node, those of old clusters, and the group that it makes for them.
AKS_TAG, AKS_OLD_TAG, AKS_GROUP = "aks-managed-", "orchestrator", "mc_"


def check_state(context: GuardContext) -> GuardResult:
    """Running or stopped, not deallocated; provisioned; no lock known."""
    plan, facts = context.plan, context.plan.preflight
    limit = "running or stopped, provisioning succeeded, no lock, the same VM as before"
    if facts is None or "vm" in facts.unread:
        return describe_unknown("state", limit, facts, "vm")
    other = next(_list_changes_of_identity(plan, facts), "")
    unread = f"; those of the {' and the '.join(facts.unread_locks)} could not be read" if facts.unread_locks else ""
    locks = f"{', '.join(facts.locks or ()) or ('no lock known' if unread else 'no lock')}{unread}"
    locks = "locks could not be read" if facts.locks is None else locks
    found = f"{facts.power or 'power state unknown'}, provisioning {facts.provisioning or 'unknown'}, {locks}"
    passes = facts.power in RUNS and facts.provisioning == "succeeded" and not facts.locks and not other
    return GuardResult(guard="state", passes=passes, limit=limit, found=other or found)


def check_data(context: GuardContext) -> GuardResult:
    """No OS disk that lies on the host and dies with the move, unless the operator accepts that."""
    facts, policy = context.plan.preflight, context.policy
    limit = "data loss is allowed (--allow-data-loss)" if policy.allow_data_loss else "no ephemeral OS disk"
    if facts is None or "vm" in facts.unread:
        return describe_unknown("data", limit, facts, "vm")
    found = "an ephemeral OS disk, which is wiped" if facts.ephemeral else "the OS disk is kept"
    return GuardResult(guard="data", passes=policy.allow_data_loss or not facts.ephemeral, limit=limit, found=found)


def check_owner(context: GuardContext) -> GuardResult:
    """Nobody else manages the VM, and nobody has protected it."""
    plan, facts = context.plan, context.plan.preflight
    limit = f"no scale-set instance, no AKS node, nothing managed by others, no tag {PROTECTED}"
    if plan.vm.scale_set is not None:
        found = f"an instance of the scale set {plan.vm.scale_set}"
        return GuardResult(guard="owner", passes=False, limit=limit, found=found)
    if facts is None or "vm" in facts.unread:
        return describe_unknown("owner", limit, facts, "vm")
    old = facts.tags.get(AKS_OLD_TAG, "").lower().startswith("kubernetes")
    is_node = old or plan.vm.resource_group.lower().startswith(AKS_GROUP) or any(AKS_TAG in tag for tag in facts.tags)
    untold = "; this cloud does not tell managedBy" if "managedBy" in facts.untold else ""
    found, passes = f"nobody else manages it{untold}", False
    if PROTECTED in facts.tags:
        found = f"the tag {PROTECTED}"
    elif is_node:
        found = "a node of a Kubernetes cluster, which AKS manages"
    elif facts.managed_by:
        found = f"managed by {facts.managed_by}"
    else:
        passes = True
    return GuardResult(guard="owner", passes=passes, limit=limit, found=found)


def check_permission(context: GuardContext) -> GuardResult:
    """The sign-in may redeploy this VM; where that cannot be read the request itself will tell."""
    facts, limit = context.plan.preflight, REDEPLOY_ACTION
    if facts is None:
        return describe_unknown("permission", limit, None, "")
    words = {True: "allowed", False: "not allowed to this sign-in", None: "could not be read; the request will tell"}
    may = facts.may_redeploy
    return GuardResult(guard="permission", passes=may is not False, limit=limit, found=words[may])


def check_repeat(context: GuardContext) -> GuardResult:
    """Not again so soon, whoever did it before, and never twice for one loss."""
    plan, now = context.plan, context.now
    limit = f"none since the loss began, one in {format_age(REPEAT)}, {MOST_IN_SPAN} in {format_age(REPEAT_SPAN)}"
    facts, lost = plan.preflight, plan.latest.diagnosis.failed_at
    told = [event.at for event in plan.latest.events if event.kind is Kind.REDEPLOY]
    told = sorted([*told, *(facts.redeploys if facts else ())])
    known = told[:1] + [after for before, after in pairwise(told) if after - before > SAME_REDEPLOY]
    recent = [at for at in known if now - at <= REPEAT_SPAN]
    again = lost is not None and any(at >= lost for at in known)
    if again or len(recent) >= MOST_IN_SPAN or any(now - at <= REPEAT for at in recent):
        since = ", after this loss began: escalate instead" if again else ""
        found = f"redeployed {', '.join(f'{at:%Y-%m-%d %H:%M}Z' for at in recent or known[-1:])}{since}"
        return GuardResult(guard="repeat", passes=False, limit=limit, found=found)
    if facts is None or "log" in facts.unread:
        return describe_unknown("repeat", limit, facts, "log")
    if is_rebuilt(facts, lost):
        found = f"its provisioning state is of {facts.changed_at:%H:%M:%S}Z, after this loss began, and the log names "
        found += "nothing that changed it: perhaps a redeploy by somebody else"
        return GuardResult(guard="repeat", passes=False, limit=limit, found=found)
    found = f"redeployed {recent[-1]:%Y-%m-%d %H:%M}Z" if recent else f"none in {format_age(REPEAT_SPAN)}"
    return GuardResult(guard="repeat", passes=True, limit=limit, found=found)


def check_grace(context: GuardContext) -> GuardResult:
    """Nobody works on the VM right now."""
    facts, now, limit = context.plan.preflight, context.now, f"{format_age(GRACE)} after a customer's write"
    if facts is None or "log" in facts.unread:
        return describe_unknown("grace", limit, facts, "log")
    last = max(facts.writes, default=None)
    found = f"no write in {format_age(REPEAT_SPAN)}" if last is None else f"{last[1]} {format_age(now - last[0])} ago"
    return GuardResult(guard="grace", passes=last is None or now - last[0] >= GRACE, limit=limit, found=found)


def is_rebuilt(facts: Preflight, lost: datetime | None) -> bool:
    """Whether the VM was changed since the loss began, by something that the log does not name, or not yet.

    The log comes up to 20 minutes late; the provisioning state does not.
    """
    changed = facts.changed_at
    if changed is None or lost is None or changed <= lost:
        return False
    return not any(abs(at - changed) <= SAME_MOMENT for at, _ in facts.writes)


def _list_changes_of_identity(plan: Plan, facts: Preflight) -> Iterator[str]:
    now, before = facts.hardware, plan.earlier.hardware if plan.earlier is not None else facts.hardware
    lost = plan.latest.diagnosis.failed_at
    if (now.vm_id, now.created_at) != (before.vm_id, before.created_at):
        yield "another VM of that name than a moment ago: it was deleted and made again"
    if now.created_at is not None and lost is not None and now.created_at > lost:
        yield f"it was made at {now.created_at:%Y-%m-%d %H:%M}Z, after the loss began: another VM of that name"
    for word, was, is_ in (("size", before.size, now.size), ("priority", before.priority, now.priority)):
        if was != is_:
            yield f"its {word} was changed from {was or 'none'} to {is_ or 'none'} a moment ago: look at it anew"
    if plan.earlier is not None and plan.earlier.ephemeral != facts.ephemeral:
        yield "its OS disk was changed a moment ago: look at it anew"
