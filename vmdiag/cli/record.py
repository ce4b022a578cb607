"""`vmdiag record`: write what was heard, unjudged, as an archive; what is heavy is imported when it runs."""

from typing import Annotated

from vmdiag.cli.options import VerbosityOptions, declare_option
from vmdiag.cli.scope_options import ScopeOptions
from vmdiag.cli.source_options import AzureOptions, OpenedSource, SourceOptions, open_source
from vmdiag.cli.streams import StatusConsole, open_output, print_error
from vmdiag.errors import Interrupted


def record(
    scope_options: ScopeOptions,
    source_options: SourceOptions,
    azure_options: AzureOptions,
    *,
    out: Annotated[
        str,
        declare_option(
            "--out", metavar="FILE", text="Write the archive here, whole or not at all; '-': standard output."
        ),
    ] = "-",
    verbosity: VerbosityOptions,
) -> int:
    """Write what was read of VMs as an archive.

    'vmdiag check --source FILE' judges it, offline. Secrets, claims and callers' addresses are not in it.
    """
    with verbosity.open_console() as watch:
        return run_record(open_source(scope_options, source_options, azure_options, watch), out, watch)


def run_record(opened: OpenedSource, path: str, watch: StatusConsole) -> int:
    """Record one scope of one source, a VM a line."""
    from vmdiag.model import is_unknown_vm
    from vmdiag.pipeline import combine_needs
    from vmdiag.sources.decoding.recording import encode_transcript

    # It holds what was read of machines, networks and incidents, not a verdict to be handed round.
    with open_output(path, is_private=True) as out:
        reading = opened.source.read(opened.scope, combine_needs())
        count = 0
        for transcript in reading.transcripts:
            watch.remove_bar()
            if is_unknown_vm(transcript.gaps):
                watch.warn(f"{transcript.vm.id.name} is not recorded: {transcript.gaps[0].reason}")
                continue
            out.write(encode_transcript(transcript, reading.window, reading.cloud or opened.cloud).decode())
            count += 1
            watch.progress("VMs", count, len(reading.vms))
    watch.note(f"VMs recorded: {count}")
    for gap in reading.gaps:
        watch.warn(f"not heard: {gap.signal}, {gap.reason}")
    if watch.stop.is_set():
        print_error("interrupted: what was heard by then is recorded", "Run again for the rest.")
        return Interrupted.exit_code
    return 0
