"""Was this Azure VM live-migrated, is that why it cannot be reached, and what now."""

# The one place of the version; the build reads it here, and no start pays for looking it up in the metadata.
__version__ = "0.1.0"
