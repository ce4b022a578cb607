"""What records that were left out show to be read: little is said of each, and there are millions."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from vmdiag.sources import items

ListCoverage = Callable[[str], tuple[items.FeedCoverage, ...]]
ScreenedScopes = defaultdict[ListCoverage, set[str]]
Times = tuple[datetime, datetime]


@dataclass(slots=True)
class ScreenedCoverage:
    """What the records that were left out show to be read, in all files that are whole."""

    _scopes: ScreenedScopes = field(default_factory=partial(defaultdict, set))
    # Of several files' spans the longest is kept, as the store does.
    _spans: dict[tuple[ListCoverage, str], dict[str, Times]] = field(default_factory=dict)

    def add_file(self, screened: ScreenedScopes, form: str, first: datetime | None, last: datetime | None) -> None:
        """The scopes of a file, and the span of its rows if it has any."""
        for list_coverage, scopes in screened.items():
            self._scopes[list_coverage] |= scopes
            if first is not None and last is not None:
                spans = self._spans.setdefault((list_coverage, form), {})
                for scope in scopes:
                    former = spans.get(scope)
                    if former is None or former[1] - former[0] < last - first:
                        spans[scope] = first, last

    def list_reads(self) -> Iterator[items.CompleteRead | items.FeedCoverage]:
        """What was read, and what it was whole for."""
        for list_coverage, scopes in self._scopes.items():
            for scope in sorted(scopes):
                yield from list_coverage(scope)
        for (list_coverage, form), spans in self._spans.items():
            for scope, span in sorted(spans.items()):
                for covers in list_coverage(scope):
                    yield from make_complete_reads(covers, form, *span)


def make_complete_reads(
    covers: items.FeedCoverage, form: str, first: datetime, last: datetime
) -> Iterator[items.CompleteRead]:
    """For what a file is whole that covers this, over the span of its rows."""
    if not covers.partial:
        yield items.CompleteRead(signal=covers.signal, scope=covers.scope, form=form, first=first, last=last)
