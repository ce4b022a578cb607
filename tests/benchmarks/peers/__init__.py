"""What others would write to read the same: programs of their own, run by their own Python."""
