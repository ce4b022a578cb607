"""Azure itself: the parts of the door one by one, and the whole program against a local Resource Manager."""
