"""A labelled corpus of incidents and of the files they come from, written from the contract alone."""
