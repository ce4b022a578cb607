"""How a query is refused; must not know what was asked."""

from typing import NoReturn


class KqlError(Exception):
    """The query is wrong, or more than this evaluator knows; the codes are Resource Graph's."""

    def __init__(self, message: str, *, code: str = "InvalidQuery", token: str = "", line: int = -1) -> None:
        super().__init__(message)
        self.code = code
        self.token = token
        self.line = line


def build_unresolved(name: str, what: str = "column") -> KqlError:
    """A name that stands for nothing."""
    message = f"Failed to resolve {what} named '{name}'"
    return KqlError(message, code="UnresolvedReference", token=name)


def refuse_types(message: str) -> NoReturn:
    """Operands that do not fit."""
    raise KqlError(message, code="TypeMismatch")
