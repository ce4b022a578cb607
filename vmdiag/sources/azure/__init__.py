"""The live source: Azure's own feeds, asked through Resource Manager.

What one question answers for many VMs is asked once: Resource Graph for all, the activity log a resource group (of many
groups, their subscription), service events a subscription. What takes a question a VM (its view, health history,
metrics) is asked for a few VMs at once, together with the rest; of many VMs only for those in which something
suspicious was seen.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from vmdiag.arm.request import AzureSettings
from vmdiag.arm.session import Session
from vmdiag.errors import Interrupted, OutOfTime, UsageError
from vmdiag.model import Needs
from vmdiag.sources.azure.worker_pool import JobEnd, WorkerPool
from vmdiag.sources.protocol import Reading, Scope, Watcher
from vmdiag.values import replace

SIGN_IN, CLOCK = "sign-in", "clock"


def connect(
    address: str, watcher: Watcher, build_access: Callable[[], AzureSettings], clock: Callable[[], datetime]
) -> "AzureSource":
    """The source that reads Azure itself; it has no address of its own: the cloud is in the settings."""
    del address
    return AzureSource(watcher, Session(build_access(), clock, watcher.stop))


class AzureSource:
    """A `Source` over Resource Manager; it begins to sign in as soon as it is made."""

    def __init__(self, watcher: Watcher, session: Session) -> None:
        self._watcher = watcher
        self.session = session  # for whoever wants to look or act besides reading
        self._is_signed_in = False
        # In threads, so that a person can end the waiting, and that what comes next is imported meanwhile: what signs
        # in while the cloud tells of itself, all else while somebody signs in. Two imports at once delay each other.
        self._startup_jobs: WorkerPool[str, object] = WorkerPool(2)
        self._startup_jobs.submit_job(CLOCK, lambda: (session.measure_clock_skew(),))
        session.import_credentials()
        self._startup_jobs.submit_job(SIGN_IN, lambda: (session.sign_in(),))

    def read(self, scope: Scope, needs: Needs) -> Reading:
        """One transcript a VM; raises `SourceError` when nothing could be read, `UsageError` for an unclear scope."""
        from vmdiag.sources.azure._live_read import LiveReading

        scope = self._resolve_subscriptions(scope)
        window = scope.window(self.session.now)
        if window.start >= window.end:
            message = "--since lies in the future"
            raise UsageError(message, "Give an earlier time, or a duration back from now such as 24h.")
        if scope.lists_none:
            return Reading(window=window, transcripts=iter(()), cloud=self.session.cloud.name)
        return LiveReading(self.session, self._watcher, scope, window, needs).start_reading()

    def require_redeploy_permission(self, scope: Scope) -> None:
        """Raise `NotAllowed` when it is certain that this sign-in may redeploy none of the VMs in scope."""
        from vmdiag.sources.azure.feeds.permissions import require_redeploy_permission

        require_redeploy_permission(self.session, self._resolve_subscriptions(scope))

    def _resolve_subscriptions(self, scope: Scope) -> Scope:
        """The scope with the ids of its subscriptions, once somebody has signed in."""
        from vmdiag.sources.azure._scope_resolution import resolve_subscription_ids

        self.sign_in()
        return replace(scope, subscriptions=resolve_subscription_ids(self.session, scope.subscriptions))

    def sign_in(self) -> None:
        """Wait for the sign-in, and for Azure's clock."""
        session = self.session
        if self._is_signed_in:
            return
        for result in self._startup_jobs.iterate_results(lambda: session.should_stop):
            # Without the clock's answer this machine's own is used; the sign-in says what is wrong with the network.
            if isinstance(result, JobEnd) and result.error is not None and result.key == SIGN_IN:
                raise result.error
        if self._watcher.stop.is_set():
            message = "interrupted while signing in"
            raise Interrupted(message, "Nothing was read.")
        if session.should_stop:
            message = "the run's time was over before anybody had signed in"
            raise OutOfTime(message, "Give a longer --timeout, or one --credential that is quick.")
        self._is_signed_in = True
        self._watcher.note(f"signed in to {session.cloud.arm} by {session.credential_name}")
        if session.clock.is_wrong:
            minutes = round((session.clock.skew or timedelta()) / timedelta(minutes=1))
            way = "behind" if minutes > 0 else "ahead of"
            self._watcher.warn(f"this machine's clock is {abs(minutes)} min {way} Azure's, which is used instead")
