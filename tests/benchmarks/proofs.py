"""What looks from elsewhere make of the corpus's verdicts: `python -m tests.benchmarks.proofs --seed N --count N`.

The incidents are read from their files, and what Network Watcher would find of each at the end is added as a reading
with `--prove` adds it: whoever is cut off is reached from inside alone, whoever lives from everywhere, and where a
story says that nobody reaches it, nobody does.
"""

import argparse
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests import notation
from tests.incidents.corpus import BLOCK_SIZE, INCIDENT_CLASSES, choose_window_end
from tests.incidents.model import Batch, Incident, Label
from tests.incidents.scene import Scene
from tests.incidents.staging import stage_incident
from vmdiag.arm.request import AzureSettings
from vmdiag.diagnosis.model import Case
from vmdiag.identity import Selector
from vmdiag.model import Needs, Record, Signal, Transcript
from vmdiag.pipeline import examine_vms
from vmdiag.sources import archive
from vmdiag.sources.protocol import Reading, Scope, Source
from vmdiag.values import replace

PAIR = ("inside-reached", "peered-unreached", "rule-allows", "straight-hop")
WELL = ("inside-reached", "peered-reached", "outside-reached", "rule-allows")
NOBODY = ("inside-unreached", "peered-unreached", "rule-allows")
# Of a port that nobody serves and that a rule closes, as they are kept.
CLOSED = ("inside-unreached assumed", "peered-unreached assumed", "rule-denies assumed")
# Suspected because a second channel is wanting, and not because something speaks against it.
WANTING = frozenset({
    "traffic_alone", "heartbeat_alone", "operator_knows_of_a_silent_vm", "health_alone_after_migration",
    "accelnet_after_migration_without_metrics", "alive_before_the_loss_only", "partial_loss_with_heartbeats_gone",
    "partial_loss_and_unavailable",
})  # fmt: skip


@dataclass(slots=True)
class Silence:
    """Nobody who is told."""

    stop: threading.Event = field(default_factory=threading.Event)

    def warn(self, text: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class ProvedSource:
    """An archive, with looks at some of its VMs, by their ids in lower case, at the end of the window."""

    source: Source
    looks: Mapping[str, Sequence[str]]

    def read(self, scope: Scope, needs: Needs) -> Reading:
        """What the archive tells, and the looks."""
        reading = self.source.read(scope, needs)
        return replace(reading, transcripts=self._add_looks(reading))

    def _add_looks(self, reading: Reading) -> Iterator[Transcript]:
        for one in reading.transcripts:
            looks = (build_look(word, reading.window.end) for word in self.looks.get(one.vm.id.key, ()))
            yield replace(one, records=(*one.records, *looks))


def build_look(word: str, at: datetime) -> Record:
    """A look in the words of the notation."""
    kind, *marks = word.split()
    name, status, facts = notation.LOOKS[kind]
    known = {"check": name, "port": "443", **facts, **dict.fromkeys(marks, "true")}
    return Record(at=at, signal=Signal.PROOF, name=name, status=status, facts=known)


def choose_looks(label: Label) -> tuple[str, ...]:
    """What Network Watcher would find of a VM with this label."""
    if label.state != {"open"}:
        return WELL
    is_cut_off = label.is_flagged and label.scope != "inside"
    return PAIR if is_cut_off else NOBODY


def judge_batch(batch: Batch, looks: Mapping[str, Sequence[str]]) -> Iterator[tuple[Incident, Case]]:
    """The case of each incident's own VM."""
    with tempfile.TemporaryDirectory(prefix="incidents-") as folder:
        batch.write_files(Path(folder))
        source = archive.connect(folder, Silence(), AzureSettings, lambda: datetime.now(UTC))
        vms = () if batch.unreachable_since is None else tuple(Selector(one.vm) for one in batch.incidents)
        scope = Scope(vms=vms, everything=not vms, until=batch.until)
        run = examine_vms(ProvedSource(source, looks), scope, unreachable_since=batch.unreachable_since)
        cases = {case.vm.id.key: case for case in run.cases}
    yield from ((one, cases[one.vm.lower()]) for one in batch.incidents)


def generate_chosen(seed: int, count: int, names: Iterable[str]) -> Iterator[Batch]:
    """So many incidents of some classes in turn, in batches as the corpus has them."""
    wanted = sorted(names)
    for first in range(0, count, BLOCK_SIZE):
        until, block = choose_window_end(seed, first // BLOCK_SIZE), []
        for index in range(first, min(first + BLOCK_SIZE, count)):
            name, scene = wanted[index % len(wanted)], Scene(seed, index, until)
            block.append(stage_incident(name, seed, index, scene, INCIDENT_CLASSES[name](scene)))
        # What the operator states is said of every VM of a run.
        yield from (Batch(until, (one,)) for one in block if one.unreachable_since is not None)
        others = tuple(one for one in block if one.unreachable_since is None)
        yield from (Batch(until, others),) if others else ()


def count_verdicts(batches: Iterable[Batch], looks: Sequence[str] | None) -> Counter[tuple[str, str]]:
    """How often a class got a verdict, with the looks that its labels mean, or with the same for all."""
    found: Counter[tuple[str, str]] = Counter()
    for batch in batches:
        own = {one.vm.lower(): choose_looks(one.label) if looks is None else looks for one in batch.incidents}
        found.update((one.name, str(case.diagnosis.verdict)) for one, case in judge_batch(batch, own))
    return found


def main() -> None:
    """Print how many became confirmed, and how many of those that must not be were flagged."""
    from tests.incidents.test_corpus import CLEAN, LOOK_ALIKES

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--count", type=int, default=100)
    asked = parser.parse_args()
    kinds: tuple[tuple[str, tuple[str, ...] | None], ...] = (("without", ()), ("with the looks that are true", None))
    for title, looks in kinds:
        found = count_verdicts(generate_chosen(asked.seed, asked.count, WANTING), looks)
        confirmed = sum(number for (_, verdict), number in found.items() if verdict == "confirmed")
        print(f"wanting a channel, {title}: {confirmed} of {found.total()} confirmed")
    kinds = (("no looks", ()), ("true looks", None), ("a closed port that nobody serves", CLOSED))
    for title, looks in kinds:
        found = count_verdicts(generate_chosen(asked.seed, asked.count, CLEAN | LOOK_ALIKES), looks)
        flagged = {key: number for key, number in found.items() if key[1] in ("confirmed", "suspected")}
        print(f"clean or look-alike, {title}: {sum(flagged.values())} of {found.total()} flagged {flagged or ''}")


if __name__ == "__main__":
    main()
