"""One run of `vmdiag record`: what a source heard, a VM a line; must not judge."""

from vmdiag.cli.azure_options import Azure, Place
from vmdiag.cli.error_output import complain
from vmdiag.cli.output_file import destination
from vmdiag.cli.progress import Watch
from vmdiag.cli.scope_options import Asked
from vmdiag.cli.source_options import opened
from vmdiag.errors import Interrupted
from vmdiag.model import is_unknown
from vmdiag.pipeline import needed
from vmdiag.sources.formats.transcripts import to_line


def run(asked: Asked, place: Place, azure: Azure, out: str, watch: Watch) -> int:
    """Record one scope of one source."""
    open_ = opened(asked, place, azure, watch)
    # It holds what was read of machines, networks and incidents, not a verdict to be handed round.
    with destination(out, is_private=True) as stream:
        reading = open_.source.read(open_.scope, needed())
        count = 0
        for transcript in reading.transcripts:
            watch.finish()
            if is_unknown(transcript.gaps):
                watch.warn(f"{transcript.vm.id.name} is not recorded: {transcript.gaps[0].reason}")
                continue
            stream.write(to_line(transcript, reading.window, reading.cloud or open_.cloud).decode())
            count += 1
    watch.note(f"VMs recorded: {count}")
    for gap in reading.gaps:
        watch.warn(f"not heard: {gap.signal}, {gap.reason}")
    if watch.stop.is_set():
        complain("interrupted: what was heard by then is recorded", "Run again for the rest.")
        return Interrupted.exit_code
    return 0
