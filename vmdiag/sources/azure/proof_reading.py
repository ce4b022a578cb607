"""Proof on request (`--prove`): once the feeds of suspects were read, Azure is asked to look at them itself.

What each `Prover` plans is sent here. Each right is looked up first, once a scope; one that is not held makes a gap and
no request. Then the actions run, as many at once as `--jobs` allows, each followed to its end within the run's time,
and the items that `read_items` makes of an answer are stored. They are dated to the window's end (`at`), because later
records would be left out, with how much later they came as their `blur`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import cast

import vmdiag.sources.azure.provers
from vmdiag import plugins
from vmdiag.arm.pending_operations import run_action
from vmdiag.arm.request import Request
from vmdiag.arm.session import Session
from vmdiag.completeness import MalformedRow, Row
from vmdiag.errors import SourceError
from vmdiag.identity import VmId
from vmdiag.model import Kind, Signal, Window
from vmdiag.sources.azure.feed_request import PRESENT_TOLERANCE
from vmdiag.sources.azure.feeds.permissions import allows_action, build_permissions_request
from vmdiag.sources.azure.proof_request import ProofGap, ProofRequest, Prover
from vmdiag.sources.azure.whole_lists import read_rows
from vmdiag.sources.azure.worker_pool import run_jobs
from vmdiag.sources.network_path import read_path
from vmdiag.sources.protocol import PROOF_TIME, Scope, Watcher
from vmdiag.sources.selection import find_first_suspicions
from vmdiag.sources.store import ItemStore
from vmdiag.sources.stored_items import StoredVm

UNPROVED_REASON = "not asked when the run's time was over, or when it was interrupted"
PAST_REASON = "only the present can be looked at, and the window ends before it"

# How the name of a test begins (`network_path.name_test`).
TESTED_PORT = re.compile(r"tcp/(\d{1,5})\b", re.ASCII)


class ProofReading:
    """The proofs of one run; `until` is the end of its window."""

    def __init__(self, session: Session, store: ItemStore, watcher: Watcher, scope: Scope, until: datetime) -> None:
        self._session = session
        self._store = store
        self._watcher = watcher
        self._until = until
        self._is_past = session.now - until > PRESENT_TOLERANCE
        self._permissions: dict[str, list[Row] | SourceError] = {}
        self._answers: dict[str, tuple[object, datetime]] = {}
        self._scope = scope
        known = plugins.list_names(vmdiag.sources.azure.provers) if session.settings.proves and scope.proof_time else ()
        self._provers = {name: cast("Prover", plugins.load(vmdiag.sources.azure.provers, name)) for name in known}
        self._is_announced = False

    def prove_suspects(self, vms: Sequence[VmId], span: Window, triggers: Iterable[Kind]) -> None:
        """Ask about those VMs that have a telling record; a single VM that was named is a suspect without one."""
        if self._provers and not len(vms) == len(self._scope.vms) == 1:
            suspects = self._list_suspects(span, triggers)
            vms = [vm for vm in vms if vm in suspects]
        self.prove_vms(vms, span, triggers)

    def _list_suspects(self, span: Window, triggers: Iterable[Kind]) -> set[VmId]:
        """All VMs with a telling record, whether they are looked at now, later, or not at all."""
        known = find_first_suspicions(self._store, span, triggers)
        return {vm.id for vm in self._store.list_vms() if vm.number in known}

    def prove_vms(self, vms: Sequence[VmId], span: Window, triggers: Iterable[Kind]) -> None:
        """Ask about some suspects, where that is wanted, and store the answers, or why there is none.

        No VM looks that is suspected itself: that was moved or lost in the span, whether in scope or not.
        """
        if not vms or self._is_past or not self._provers:
            for prover in self._provers.values():
                self._add_gaps(prover.SIGNAL, vms, PAST_REASON)
            return
        if self._provers and not self._is_announced and self._scope.proof_time == PROOF_TIME:
            self._is_announced = True
            about = "; ".join(prover.ABOUT for prover in self._provers.values())
            self._watcher.warn(f"--prove sends actions, which change nothing and need rights beyond Reader: {about}")
        self._store.flush_pending()
        stored = [StoredVm(number, vm) for vm in vms if (number := self._store.find_vm_number(vm)) is not None]
        machines = [self._store.read_machine(vm, read_path(self._store, vm).resources) for vm in stored]
        names = {vm.id: self._store.list_series_names(vm.number, Signal.MONITOR) for vm in stored}
        tested = ((vm, TESTED_PORT.match(name)) for vm, known in names.items() for name in known)
        ports = {vm: int(found[1]) for vm, found in tested if found is not None}
        suspects = self._list_suspects(span, triggers).union(vms)
        jobs = {
            name: partial(one.build_proof_requests, machines, self._session, ports, suspects)
            for name, one in self._provers.items()
        }
        reasons = dict.fromkeys(jobs, UNPROVED_REASON)
        asked: dict[ProofRequest, Signal] = {}
        for name, plan in run_jobs(self._session.settings.jobs, jobs, lambda: self._session.should_stop):
            signal = self._provers[name].SIGNAL
            reasons[name] = plan.message if isinstance(plan, SourceError) else ""
            for part in [] if isinstance(plan, SourceError) else plan:
                if isinstance(part, ProofGap):
                    self._add_gaps(signal, [part.vm], part.reason)
                else:
                    asked[part] = signal
        for name, reason in reasons.items():
            self._add_gaps(self._provers[name].SIGNAL, vms if reason else [], reason)
        self._send_requests(asked)

    def _send_requests(self, asked: Mapping[ProofRequest, Signal]) -> None:
        """Send those for which every right is held, and store their answers."""
        scopes = {scope for one in asked for scope, _ in one.rights} - self._permissions.keys()
        requests = {scope: build_permissions_request(scope, scope.rpartition("/")[2]) for scope in sorted(scopes)}
        lookups = {scope: partial(read_rows, self._session, request) for scope, request in requests.items()}
        self._permissions |= run_jobs(self._session.settings.jobs, lookups, lambda: self._session.should_stop)

        def send_request(request: Request) -> tuple[object, datetime]:
            """The answer, and when it came; a balancer's or gateway's concerns the suspects that come later, too."""
            known = self._answers.get(request.path)
            if known is None:
                known = run_action(self._session, request, self._scope.proof_time), self._session.now
            if request.body is None:
                self._answers[request.path] = known
            return known

        lacks = {one: self._find_missing_right(one) for one in asked}
        jobs = {one: partial(send_request, one.request) for one, lack in lacks.items() if not lack}
        reasons = {one: lack or UNPROVED_REASON for one, lack in lacks.items()}
        for one, answer in run_jobs(self._session.settings.jobs, jobs, lambda: self._session.should_stop):
            reasons[one] = ""
            try:
                if isinstance(answer, SourceError):
                    reasons[one] = answer.message
                else:
                    late = max(timedelta(), answer[1] - self._until)
                    for item in one.read_items(answer[0], self._until, late, one.request.description):
                        self._store.add_item(item)
            except MalformedRow as fault:
                reasons[one] = f"{one.request.description}: {fault.reason}"
            self._watcher.progress("proofs", sum(not each for each in reasons.values()), len(jobs))
        for one, reason in reasons.items():
            self._add_gaps(asked[one], one.vms if reason else (), reason)

    def _find_missing_right(self, asked: ProofRequest) -> str:
        """Which right is certainly not held, as the reason of a gap; Azure itself says where it cannot be read."""
        for scope, action in asked.rights:
            held = self._permissions.get(scope)
            if isinstance(held, list) and not allows_action(held, action):
                return f"{asked.request.description}: not asked, this sign-in lacks {action}"
        return ""

    def _add_gaps(self, signal: Signal, vms: Iterable[VmId], reason: str) -> None:
        """Store why a check of these VMs did not run, partial: what the other checks tell still counts."""
        for vm in vms:
            self._store.add_refusal(signal, vm.key, reason, partial=True)
