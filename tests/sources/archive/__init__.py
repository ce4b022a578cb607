"""Tests of the archive source: its formats, its streams, its spool."""
