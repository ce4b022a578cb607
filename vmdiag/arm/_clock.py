"""Azure's clock, as its answers tell it beside this machine's; must not know what was asked."""

from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

# From here on this machine's clock is not used: the newest minutes would be missed, or looked for in the future.
WRONG_CLOCK = timedelta(minutes=2)
# No clock of anybody's is so far off; what follows from it could not even be counted.
IMPOSSIBLE_CLOCK = timedelta(days=20 * 365)


class AzureClock:
    """`own` tells this machine's time, `skew` how far Azure's is ahead of it, once something was answered."""

    def __init__(self, own: Callable[[], datetime]) -> None:
        self.own = own
        self.skew = timedelta()
        self.is_read = False

    @property
    def now(self) -> datetime:
        """Azure's time: this machine's, put right where it is wrong by more than an answer can be late."""
        return self.own() + (self.skew if self.is_wrong else timedelta())

    @property
    def is_wrong(self) -> bool:
        """Whether this machine's clock is too far off to be used."""
        return abs(self.skew) > WRONG_CLOCK

    def read(self, date: str, asked_at: datetime) -> None:
        """The first answer's clock is taken for Azure's, until a later one cannot agree: a clock is set in mid-run."""
        try:
            told = parsedate_to_datetime(date)
            least, most = told - self.own(), told - asked_at
        except (TypeError, ValueError):
            return
        if abs(least) > IMPOSSIBLE_CLOCK:
            return
        if not self.is_read or not least - WRONG_CLOCK <= self.skew <= most + WRONG_CLOCK:
            self.skew = least
        self.is_read = True
