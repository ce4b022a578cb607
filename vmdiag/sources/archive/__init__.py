"""The archive source: files of any known format."""

from vmdiag.sources.archive._archive import connect as connect
