"""What Azure answers, one kind of answer a file: what to ask, whom it concerns, how its rows are read."""
