"""A watcher that keeps what it is told, for tests that read archives without the command line."""

from dataclasses import dataclass, field
from threading import Event


@dataclass
class Listener:
    """Keeps the warnings."""

    warnings: list[str] = field(default_factory=list)
    stop: Event = field(default_factory=Event)

    def warn(self, text: str) -> None:
        """Keep it."""
        self.warnings.append(text)

    def note(self, text: str) -> None:
        """Nobody is curious."""

    def progress(self, done: int, total: int | None) -> None:
        """Nobody waits."""
