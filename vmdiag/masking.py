"""Stable stand-ins for what tells whose VMs a report is about: subscriptions, groups, VMs, addresses.

They are made on the cases, before any format sees them, so that every format is masked alike. A stand-in is a keyed
digest: with the same key the same name has the same one in every report, and without the key no list of likely names
finds it out.
"""

import hmac
import re
from collections.abc import Iterable, Mapping
from enum import Enum
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from vmdiag.diagnosis.model import Case, Header, OtherVms, Scenario
from vmdiag.identity import VmId
from vmdiag.renderers import Renderer
from vmdiag.values import Struct, replace

MASKED = "[masked]"
# Words of the report's own; a group may be called like one of them.
_KEPT_FIELDS = frozenset({"code", "explanation", "explained_by", "scenario", "guard"})
_KEPT_LINK = "https://learn.microsoft.com/"
# The folders of a path, as any system writes them.
_FOLDERS = re.compile(r".*[/\\]", re.DOTALL)
_RUN = re.compile(r"[^\W_]+")
_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# What is known by its form: who looks at a VM, in the words of the evidence; parts of resource ids, GUIDs, addresses of
# people, of networks and of interfaces.
_FORMS = re.compile(
    r"(?P<observer>(?<=\breached from )[^;]+?"
    r"(?=;|\Z| in (?:its own|another) virtual network|, (?:outside|last at|since)| either:| since )"
    r"|(?<=a VM only as )\S+)"
    r"|(?P<front>(?<= of the load balancer )[^\s:;,]+|(?<= of the application gateway )[^\s:;,]+"
    r"|(?<= of the rule )\S+(?= of the load balancer )"
    r"|(?<=: the rule )\S+(?= (?:denies|lets) it)|(?<=\(route table )[^)]+(?=\)))"
    rf"|(?P<subscription>(?<=/subscriptions/)[^/\s]+)"
    rf"|(?P<group>(?<=/resourcegroups/)[^/\s]+)"
    rf"|(?P<resource>(?<=/providers/)[\w.]+(?:/[^/\s?]+/[^/\s?]+)+)"
    rf"|(?P<guid>{_GUID})"
    r"|(?P<user>[\w.+-]+@[\w.-]+\w)"
    r"|(?P<mac>\b[0-9a-f]{2}(?:[-:][0-9a-f]{2}){5}\b)"
    r"|(?P<ip>(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)|[0-9a-f:]*:[0-9a-f:]*:[0-9a-f.:]*[0-9a-f:](?![\w:])))",
    re.IGNORECASE,
)


class Mask:
    """Replaces what it knows, and what it learns by the way; `key` is a secret of whoever makes the reports."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._stand_ins: dict[str, str] = {}
        # By the first run of letters and digits of a name: where in the name it stands, and the name; longest first.
        self._names: dict[str, list[tuple[int, str]]] = {}

    def learn_vms(self, vms: Iterable[VmId]) -> None:
        """Know these VMs' names wherever they are written, in any letter case."""
        for vm in vms:
            for kind, name in (
                ("vm", vm.name), ("set", vm.scale_set), ("group", vm.resource_group), ("subscription", vm.subscription),
            ):  # fmt: skip
                run = _RUN.search((name or "").lower())
                if name and run and name.lower() not in self._stand_ins:
                    self._stand_ins[name.lower()] = self.make_stand_in(kind, name)
                    known = self._names.setdefault(run[0], [])
                    known.append((run.start(), name.lower()))
                    known.sort(key=lambda each: -len(each[1]))

    def make_stand_in(self, kind: str, name: str) -> str:
        """The stand-in of a name, the same in any letter case."""
        digest = hmac.digest(self._key, f"{kind}\0{name.lower()}".encode("utf-8", "replace"), "sha256")
        return (
            str(UUID(bytes=digest[:16], version=4))
            if kind in {"subscription", "guid"}
            else f"{kind}-{digest.hex()[:8]}"
        )

    def mask_id(self, vm: VmId) -> VmId:
        """The id with a stand-in for each of its parts."""
        return VmId(
            subscription=self.make_stand_in("subscription", vm.subscription),
            resource_group=self.make_stand_in("group", vm.resource_group),
            name=self.make_stand_in("vm", vm.name),
            scale_set=vm.scale_set and self.make_stand_in("set", vm.scale_set),
        )

    def mask_text(self, text: str) -> str:
        """The text with a stand-in for all that is known by its form or by its name."""
        told = _FORMS.sub(self._mask_form, text)
        parts, done = [], 0
        for run in _RUN.finditer(told):
            for offset, name in self._names.get(run[0].lower(), ()):
                start = run.start() - offset
                end = start + len(name)
                if start >= done and told[start:end].lower() == name and not told[end : end + 1].isalnum():
                    parts += [told[done:start], self._stand_ins[name]]
                    done = end
                    break
        return "".join((*parts, told[done:]))

    def mask_header(self, header: Header) -> Header:
        """The header without the path, the workspace or the cluster that was read."""
        scheme, colon, _ = header.source.partition(":")
        cloud = MASKED if "://" in header.cloud else header.cloud
        gaps = self.mask_value(header.gaps)
        return replace(header, source=f"{scheme}:{MASKED}" if colon else scheme, cloud=cloud, gaps=gaps)

    def mask_case(self, case: Case) -> Case:
        """The case with everything in it masked."""
        self.learn_vms([case.vm.id])
        masked: Case = self.mask_value(case)
        return masked

    def mask_value(self, value: Any, field: str = "") -> Any:  # noqa: ANN401 - whatever a case holds
        """A value of the same type, masked; `field` is what it is called."""
        if isinstance(value, VmId):
            return self.mask_id(value)
        if isinstance(value, str) and not (
            isinstance(value, Enum) or field in _KEPT_FIELDS or value.startswith(_KEPT_LINK)
        ):
            # Of a path the last part tells where to look; the others tell whose machine it lies on.
            is_path = field == "ref" and not value.startswith("/subscriptions/")
            return self.mask_text(_FOLDERS.sub("", value) if is_path else value)
        if isinstance(value, Mapping):
            return {key: self.mask_value(each) for key, each in value.items()}
        if isinstance(value, tuple | list | frozenset):
            return type(value)(self.mask_value(each) for each in value)
        if isinstance(value, Scenario) or not isinstance(value, Struct):
            return value
        fields = value.__struct_fields__
        return replace(value, **{name: self.mask_value(getattr(value, name), name) for name in fields})

    def _mask_form(self, found: re.Match[str]) -> str:
        text = found[0]
        match found.lastgroup:
            case "subscription" | "guid":
                return self.make_stand_in("subscription", text)
            case "resource":
                namespace, *parts = text.split("/")
                names = [
                    self._stand_ins.get(part.lower()) or self.make_stand_in("resource", part) if number % 2 else part
                    for number, part in enumerate(parts)
                ]
                return "/".join((namespace, *names))
            case "ip":
                try:
                    return self.make_stand_in("ip", str(ip_address(text)))
                except ValueError:
                    return text
            case kind:
                return self.make_stand_in(str(kind), text)


class MaskedReport:
    """A `Renderer` that masks what it passes on; unless it `streams`, when every VM is known that others may name."""

    def __init__(self, mask: Mask, report: Renderer, *, streams: bool) -> None:
        self._mask = mask
        self._report = report
        self._streams = streams
        self._cases: list[Case] = []

    def add_case(self, case: Case) -> None:
        """One more VM, under its stand-in."""
        self._mask.learn_vms([case.vm.id])
        if self._streams:
            self._report.add_case(self._mask.mask_case(case))
        else:
            self._cases.append(case)

    def finish(self, others: OtherVms) -> None:
        """All VMs are known."""
        for case in self._cases:
            self._report.add_case(self._mask.mask_case(case))
        self._report.finish(others)
