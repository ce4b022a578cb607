"""One run of `vmdiag record`: what a source heard, a VM a line; must not judge."""

from vmdiag.cli.azure_options import AzureOptions, SourceOptions
from vmdiag.cli.error_output import print_error
from vmdiag.cli.output_file import open_output
from vmdiag.cli.progress import StatusConsole
from vmdiag.cli.scope_options import ScopeOptions
from vmdiag.cli.source_options import open_source
from vmdiag.errors import Interrupted
from vmdiag.model import is_unknown_vm
from vmdiag.pipeline import combine_needs
from vmdiag.sources.formats.transcripts import encode_transcript


def run_record(
    scope_options: ScopeOptions,
    source_options: SourceOptions,
    azure_options: AzureOptions,
    out: str,
    watch: StatusConsole,
) -> int:
    """Record one scope of one source."""
    opened_source = open_source(scope_options, source_options, azure_options, watch)
    # It holds what was read of machines, networks and incidents, not a verdict to be handed round.
    with open_output(out, is_private=True) as stream:
        reading = opened_source.source.read(opened_source.scope, combine_needs())
        count = 0
        for transcript in reading.transcripts:
            watch.remove_bar()
            if is_unknown_vm(transcript.gaps):
                watch.warn(f"{transcript.vm.id.name} is not recorded: {transcript.gaps[0].reason}")
                continue
            stream.write(encode_transcript(transcript, reading.window, reading.cloud or opened_source.cloud).decode())
            count += 1
    watch.note(f"VMs recorded: {count}")
    for gap in reading.gaps:
        watch.warn(f"not heard: {gap.signal}, {gap.reason}")
    if watch.stop.is_set():
        print_error("interrupted: what was heard by then is recorded", "Run again for the rest.")
        return Interrupted.exit_code
    return 0
