"""The tree of errors: exit codes as the contract has them, and messages with the way out."""

import pytest

from vmdiag import errors
from vmdiag.errors import Interrupted, MitigationError, NotUnderstood, SourceError, UsageError, VmdiagError

CODES: dict[type[VmdiagError], int] = {UsageError: 2, MitigationError: 5, SourceError: 4, NotUnderstood: 4}
CODES |= {kind: 130 if kind is Interrupted else 4 for kind in SourceError.__subclasses__()}


def test_every_error_of_the_module_is_in_the_tree_and_has_its_code() -> None:
    found = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, VmdiagError)}

    assert found == {VmdiagError, *CODES}


@pytest.mark.parametrize(("kind", "code"), CODES.items())
def test_an_error_carries_what_happened_and_what_to_do(kind: type[VmdiagError], code: int) -> None:
    error = kind("the file is empty", "Export it again.")

    assert (error.message, error.hint, error.exit_code) == ("the file is empty", "Export it again.", code)
    assert str(error) == "the file is empty"


def test_every_error_is_drawn_where_the_tree_is() -> None:
    assert errors.__doc__ is not None
    assert all(kind.__name__ in errors.__doc__ for kind in CODES)
