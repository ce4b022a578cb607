"""How long one page is tried for: which pauses lie between the tries, and when there are no more; must not wait itself.

Where the server names a pause it expects to be asked again, and short ones may follow one another: Resource Graph's
quota is of 5 seconds, and many clients may share it. Where it names none, three tries show that it does not answer.
"""

# Seconds before the second and the third try, where the server names none.
PAUSES = (0.5, 2.0)
# Seconds in all, where it names them; beyond, the other feeds are told without this one (our judgement).
LONGEST = 120.0
# "Retry-After: 0" is what a gateway says that does not know; the next such pause is twice as long, up to the second.
LEAST, MOST = 0.5, 8.0


class Patience:
    """What is left of it for one page."""

    def __init__(self) -> None:
        self._pauses = list(PAUSES)
        self._waited = 0.0
        self._least = LEAST

    @property
    def lasts(self) -> bool:
        """Whether there is another try."""
        return bool(self._pauses) and self._waited < LONGEST

    def pause(self, asked: float | None = None) -> float:
        """How many seconds to wait before the next try, of which the server has perhaps named a number."""
        if asked is None:
            return self._pauses.pop(0)
        found = asked
        if asked < LEAST:
            found, self._least = self._least, min(MOST, 2 * self._least)
        self._waited += found
        return found
