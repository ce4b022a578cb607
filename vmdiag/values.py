"""What values are made of: named fields, compared and hashed by these; `frozen=True` where they never change.

They are msgspec's structs, not the standard library's dataclasses: a frozen dataclass with slots takes forty times as
long to declare and ten times as long to make, and some ninety declarations were a quarter of a short run.
"""

from msgspec import Struct, field
from msgspec.structs import replace

__all__ = ["Struct", "field", "replace"]
