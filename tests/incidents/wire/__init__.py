"""Azure's own file forms, one family a module; a writer turns truth into the bytes a customer has."""
