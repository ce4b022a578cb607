"""How far a reading is, in a line on standard error: what was read, how fast, and how long the rest will take."""

from collections.abc import Callable, Mapping

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

# What a rate is told of, and the time that is left; the first that is not complete.
MEASURES = ("bytes", "requests", "VMs")
BAR_WIDTH = 16


class ProgressBar:
    """Shows counts by what is counted: how many, of how many where that is known."""

    def __init__(self, clock: Callable[[], float]) -> None:
        # Rich would redirect standard output, where the report goes, to the bar's own stream.
        self._progress = Progress(
            TextColumn("reading"),
            BarColumn(BAR_WIDTH),
            TextColumn("{task.fields[counts]}", markup=False),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            get_time=clock,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._measure = ""
        self._progress.start()

    def show_counts(self, counts: Mapping[str, tuple[int, int | None]]) -> None:
        """The counts as they are now."""
        known = [name for name in MEASURES if name in counts]
        measure = next((name for name in known if counts[name][0] != counts[name][1]), known[-1] if known else "")
        done, total = counts.get(measure, (0, None))
        if measure != self._measure:
            # Another one has another rate.
            self._measure = measure
            for former in self._progress.task_ids:
                self._progress.remove_task(former)
            self._progress.add_task(measure, counts="")
        (task,) = self._progress.tasks
        self._progress.update(task.id, completed=done, total=total)
        told = []
        for name, (count, whole) in counts.items():
            write, unit = (decimal, "") if name == "bytes" else ("{:,}".format, f" {name}")
            told.append(f"{write(count)}{'' if whole is None else f' of {write(whole)}'}{unit}")
        if task.speed:
            told.append(f"{decimal(int(task.speed))}/s" if measure == "bytes" else f"{task.speed:,.1f}/s")
        self._progress.update(task.id, counts=", ".join(told), refresh=True)

    def print_line(self, text: str) -> None:
        """Print above the bar."""
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def stop(self) -> None:
        """Take the bar away."""
        self._progress.stop()
