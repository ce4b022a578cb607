"""How to redeploy a VM: the command, the instructions by operating system, the price; must not decide whether to."""

import re
import shlex

from vmdiag.identity import VmId
from vmdiag.model import VirtualMachine

_PAGES = "https://learn.microsoft.com/troubleshoot/azure/virtual-machines"
LINUX_INSTRUCTIONS = f"{_PAGES}/linux/redeploy-to-new-node-linux"
WINDOWS_INSTRUCTIONS = f"{_PAGES}/windows/redeploy-to-new-node-windows"
MAINTENANCE_PAGE = "https://learn.microsoft.com/azure/virtual-machines/maintenance-and-updates"
REDEPLOY_IMPACT = (
    "It is a reboot: memory and the temporary disk are lost, and a dynamic public IP address may change. With an "
    "ephemeral OS disk everything on it is lost. If Azure finds no room for the VM elsewhere, it stays down."
)
IMPLAUSIBLE_ID_WARNING = "Its id holds characters that Azure does not allow: check it before you act on it."
# What Azure accepts in names of subscriptions, groups, scale sets and VMs; a leading hyphen would be read as an option.
_ALLOWED_NAME = re.compile(r"(?!-)[\w.()-]{1,90}\Z")
# As recorded from the Azure CLI; sovereign clouds lag behind with newer versions.
_API_VERSION = "2019-07-01"


def list_instructions(os: str | None) -> tuple[tuple[str, str], ...]:
    """Label and address of the instructions for this operating system; both when it is not known."""
    both = (("Linux", LINUX_INSTRUCTIONS), ("Windows", WINDOWS_INSTRUCTIONS))
    return tuple(pair for pair in both if pair[0].lower() == (os or "").strip().lower()) or both


def format_command(vm: VirtualMachine) -> str | None:
    """One line for a shell that redeploys exactly this VM; `None` when its id cannot be a real one."""
    if not is_plausible_id(vm.id):
        return None
    if vm.id.scale_set is None:
        return f"az vm redeploy --ids {shlex.quote(str(vm.id))}"
    # `az vm redeploy` does not reach the instances of a uniform scale set.
    url = shlex.quote(f"{vm.id}/redeploy?api-version={_API_VERSION}")
    return f"az rest --method post --url {url}"


def split_command(vm: VirtualMachine) -> tuple[str, ...] | None:
    """The same as groups of words between which a line may break; `None` when only the long line does it."""
    if not is_plausible_id(vm.id) or vm.id.scale_set is not None:
        return None
    return (
        "az vm redeploy",
        f"--subscription {shlex.quote(vm.id.subscription)}",
        f"--resource-group {shlex.quote(vm.id.resource_group)}",
        f"--name {shlex.quote(vm.id.name)}",
    )


def is_plausible_id(vm: VmId) -> bool:
    """Whether Azure would accept every part of the id."""
    parts = (vm.subscription, vm.resource_group, vm.name, vm.scale_set or vm.name)
    return all(_ALLOWED_NAME.match(part) and part.isprintable() for part in parts)
