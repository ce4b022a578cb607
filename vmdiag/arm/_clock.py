"""Azure's clock, as its answers tell it beside this machine's."""

from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

# From here on this machine's clock is not used: the newest minutes would be missed, or looked for in the future.
CLOCK_SKEW_LIMIT = timedelta(minutes=2)
# No clock of anybody's is so far off; what follows from it could not even be counted.
IMPLAUSIBLE_SKEW = timedelta(days=20 * 365)


class AzureClock:
    """`local_now` tells this machine's time, `skew` how far Azure's is ahead of it; `None` where no answer told one."""

    def __init__(self, own: Callable[[], datetime]) -> None:
        self.local_now = own
        self.skew: timedelta | None = None

    @property
    def now(self) -> datetime:
        """Azure's time: this machine's, put right where it is wrong by more than an answer can be late."""
        return self.local_now() + (self.skew if self.skew is not None and self.is_wrong else timedelta())

    @property
    def is_wrong(self) -> bool:
        """Whether this machine's clock is too far off to be used."""
        return abs(self.skew or timedelta()) > CLOCK_SKEW_LIMIT

    def observe_date_header(self, date: str, sent_at: datetime) -> None:
        """The first answer's clock is taken for Azure's, until a later one cannot agree: a clock is set in mid-run."""
        try:
            server_time = parsedate_to_datetime(date)
            least, most = server_time - self.local_now(), server_time - sent_at
        except (TypeError, ValueError, OverflowError):  # a year beyond what fits a C integer overflows
            return
        if abs(least) > IMPLAUSIBLE_SKEW:
            return
        if self.skew is None or not least - CLOCK_SKEW_LIMIT <= self.skew <= most + CLOCK_SKEW_LIMIT:
            self.skew = least
