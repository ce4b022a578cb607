"""What is said on standard error while a source reads."""

import io
import re
from contextlib import redirect_stderr

import pytest

from tests.conftest import Clock
from vmdiag.cli.streams import BAR_DELAY_SECONDS, StatusConsole


class Terminal(io.StringIO):
    """A standard error that a person looks at."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_a_warning_is_one_harmless_line(capsys: pytest.CaptureFixture[str]) -> None:
    StatusConsole().warn("\x1b[31mline 1\nerror: forged")

    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert "\x1b" not in said.err
    assert said.err.startswith("warning: ")
    assert said.out == ""


def test_quiet_silences_warnings_and_notes_are_for_verbose_alone(capsys: pytest.CaptureFixture[str]) -> None:
    StatusConsole(quiet=True).warn("the file is cut off")
    StatusConsole().note("read 3 files")
    StatusConsole(verbose=True).note("read 4 files")

    assert capsys.readouterr().err == "read 4 files\n"


def test_a_bar_appears_once_reading_takes_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    clock = Clock()
    with redirect_stderr(Terminal()) as terminal, StatusConsole(clock=clock) as watch:
        watch.progress("bytes", 1, 10)
        assert terminal.getvalue() == ""
        clock.time += BAR_DELAY_SECONDS
        watch.progress("bytes", 5, 10)
        assert "reading" in terminal.getvalue()
        watch.warn("the file is cut off")

    assert "warning: the file is cut off" in terminal.getvalue()


def test_the_bar_tells_files_bytes_vms_requests_the_rate_and_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("TERM", "xterm"), ("COLUMNS", "200")):
        monkeypatch.setenv(name, value)
    clock = Clock()
    with redirect_stderr(Terminal()) as terminal, StatusConsole(clock=clock) as watch:
        for step in range(1, 4):
            watch.progress("files", step, 2_000)
            clock.time += BAR_DELAY_SECONDS
            watch.progress("bytes", step * 1_000_000, 10_000_000)
        shown = terminal.getvalue()
        watch.progress("bytes", 10_000_000, 10_000_000)
        for what, done, total in (("requests", 12, None), ("VMs", 3, 1_000)):
            clock.time += BAR_DELAY_SECONDS
            watch.progress(what, done, total)

    assert re.search(r"3 of 2,000 files, 3\.0 MB of 10\.0 MB, 2\.0 MB/s \S*0:00:04", shown)
    assert "3 of 2,000 files, 10.0 MB of 10.0 MB, 12 requests, 3 of 1,000 VMs" in terminal.getvalue()


@pytest.mark.parametrize(("stream", "quiet"), [(Terminal(), True), (io.StringIO(), False)])
def test_no_bar_after_quiet_nor_in_a_file(stream: io.StringIO, *, quiet: bool) -> None:
    clock = Clock()
    with redirect_stderr(stream), StatusConsole(quiet=quiet, clock=clock) as watch:
        watch.progress("requests", 1, 10)
        clock.time += BAR_DELAY_SECONDS
        watch.progress("requests", 5, 10)

    assert stream.getvalue() == ""
