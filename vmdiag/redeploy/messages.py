"""What Azure's refusals and failures of a redeploy mean to an operator, and what to do: two sentences each.

Sources: "Troubleshoot allocation failures", "Troubleshooting API throttling errors" (Compute throttles under the code
of a wrong state, so the HTTP status decides before the code). Which codes a redeploy really gives no page says; those
that are not known here are told as they came.
"""

from datetime import datetime, timedelta

from vmdiag.mitigation import REDEPLOY_ACTION

MOVED = "Azure moved the VM and started it"
LATER = "Look at what is going on with the VM, then run again."
GUEST_DOWN = "The VM was moved, and its guest does not come up: look at its boot diagnostics."
NO_PLACE = (
    "Azure found no room for the VM, which is probably down now. Start it again later (az vm start), in a smaller or "
    "another size, or without the availability set, proximity group or zone that narrows the choice."
)
CODES = {
    "allocationfailed": NO_PLACE,
    "zonalallocationfailed": NO_PLACE,
    "overconstrainedallocationrequest": NO_PLACE,
    "overconstrainedzonalallocationrequest": NO_PLACE,
    "constrainedallocationfailed": NO_PLACE,
    "skunotavailable": NO_PLACE,
    "osprovisioningtimedout": GUEST_DOWN,
    "vmstarttimedout": GUEST_DOWN,
    "scopelocked": "A lock forbids it. Nothing was done; remove the lock, or leave the VM to who set it.",
    "conflict": "Another operation runs on the VM. Nothing was done; wait for it, then run again.",
    "operationnotallowed": "The VM is in a state that does not allow it. Nothing was done; look at its power state.",
    "retryableerrorduetoanotheroperation": "Another operation holds its network. Nothing was done; run again soon.",
    "requestdisallowedbypolicy": "A policy forbids it. Nothing was done; ask who owns the policy.",
    "denyassignmentauthorizationfailed": "A deny assignment forbids it. Nothing was done; ask who manages the VM.",
}


def explain_refusal(status: int, code: str, message: str, retry_after: float | None, now: datetime) -> tuple[str, str]:
    """Azure did not take the request."""
    told = f"Azure refused the redeploy ({status}{' ' * bool(code)}{code})"
    said = f"{told}: {message}" if message else told
    match status:
        case 429 if code.lower() != "retryableerrorduetoanotheroperation":
            until = "" if retry_after is None else f" until {now + timedelta(seconds=retry_after):%H:%M:%S}Z"
            return f"{said}; it is throttled{until}", f"Nothing was done; run again{until or ' later'}."
        case 403:
            # Whose right is missing Azure's message tells, with names.
            hint = f"Nothing was done; it needs {REDEPLOY_ACTION}: 'vmdiag doctor' prints the role."
            return told, CODES.get(code.lower(), hint)
        case 401:
            return told, "Nothing was done; sign in again, 'vmdiag doctor' says what works."
        case 404:
            return said, "Nothing was done; the VM is gone, or not where it was."
        case _:
            return said, CODES.get(code.lower(), f"Nothing was done. {LATER}")


def explain_failure(code: str, message: str) -> tuple[str, str]:
    """Azure took the request, and could not carry it out."""
    told = f"the redeploy failed{f' ({code})' if code else ''}"
    return f"{told}: {message}" if message else told, CODES.get(code.lower(), LATER)
