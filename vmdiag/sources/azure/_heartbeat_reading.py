"""The heartbeats of one run's VMs, in the workspaces that were given or are looked up."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from vmdiag.identity import VmId
from vmdiag.model import Window
from vmdiag.sources.azure.feed_request import FeedRequest
from vmdiag.sources.azure.feeds import heartbeat
from vmdiag.sources.protocol import VmFilter
from vmdiag.values import Struct, field

# More than so many are not named in a query: then it is asked about all in scope.
NAMED_LIMIT = 500


class HeartbeatReading(Struct, eq=False):
    """Over `span` at most, in `given` workspaces; `brief_limit` is of how many VMs every single beat is read.

    `search` is the question for the workspaces, once it was asked.
    """

    _build_tests: Callable[[Iterable[VmId], Mapping[str, Iterable[VmId]], Window], Iterator[FeedRequest]]
    _given: tuple[str, ...]
    _span: Window
    _brief_limit: int
    search: FeedRequest | None = None
    # Dictionaries for their order and their quick look-up.
    _vms_by_workspace: defaultdict[str, dict[VmId, None]] = field(default_factory=lambda: defaultdict(dict))
    _requested: set[tuple[str, VmId]] = field(default_factory=set)

    def build_search(
        self, who: VmFilter, subscriptions: Iterable[str], vms: Iterable[VmId], *, followed: bool = True
    ) -> Iterator[FeedRequest]:
        """Where the agents of VMs write to, where nobody said so; what is found of them may be `followed` at once.

        It is asked about these VMs, or where nobody knows yet who they are about those that are meant.
        """
        if self._given or self.search is not None:
            return
        some = tuple(vms)
        about = VmFilter(ids=tuple(sorted(vm.key for vm in some))) if 0 < len(some) <= NAMED_LIMIT else who
        self.search = heartbeat.build_workspace_search(
            about, subscriptions, self.add_workspace, lambda: self.build_requests(some if followed else ())
        )
        yield self.search

    def build_requests(self, vms: Iterable[VmId], spans: Mapping[VmId, Window] | None = None) -> Iterator[FeedRequest]:
        """The heartbeats, in the workspaces that were given or found, and, of all suspects at once, who tests them."""
        start = min((span.start for span in (spans or {}).values()), default=self._span.start)
        window = Window(start, self._span.end)
        some = set(vms)
        for workspace in self._given:
            self._vms_by_workspace[workspace].update(dict.fromkeys(sorted(some, key=lambda vm: vm.key)))
        for workspace, writers in self._vms_by_workspace.items():
            fresh = [vm for vm in writers if vm in some and (workspace, vm) not in self._requested]
            self._requested.update((workspace, vm) for vm in fresh)
            is_many = len(some) > self._brief_limit
            yield from heartbeat.build_feed_requests(workspace, fresh, window, in_brief=is_many)
        places = dict.fromkeys(self._given, spans or some) or self._vms_by_workspace
        yield from self._build_tests(spans or some, places, window)

    def add_workspace(self, vm: VmId, workspace: str) -> None:
        """A VM's agent writes to a workspace."""
        if not self._given:
            self._vms_by_workspace[workspace].setdefault(vm)

    def has_workspace(self, vm: VmId) -> bool:
        """Whether it is known where the VM's agent writes to."""
        return any(vm in known for known in self._vms_by_workspace.values())
