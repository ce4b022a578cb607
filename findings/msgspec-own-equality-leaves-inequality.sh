#!/usr/bin/env bash
# Whoever gives a Struct an `__eq__` of its own (names in any letter case, say) also says `eq=False`, as for a dataclass:
# the one that would be made is not wanted.
# One would expect: `!=` is the opposite of the own `__eq__`, as of any class, of a dataclass with `eq=False`, and, since
# 0.18.5, of a Struct without `eq=False` (github.com/msgspec/msgspec/issues/585, closed as fixed).
# Seen (msgspec 0.22.0): with `eq=False` two values are equal and unequal at once, even two of the same letters: `!=`
# compares identities and never asks `__eq__`. Without `eq=False` all is well.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check msgspec==0.22.0
cat > "$work/compare.py" <<'END'
from dataclasses import dataclass

from msgspec import Struct


class ByDefault(Struct, frozen=True):
    name: str

    def __eq__(self, other):
        return self.name.lower() == other.name.lower()


class WithoutEq(Struct, frozen=True, eq=False):
    name: str

    def __eq__(self, other):
        return self.name.lower() == other.name.lower()


@dataclass(frozen=True, eq=False)
class Dataclass:
    name: str

    def __eq__(self, other):
        return self.name.lower() == other.name.lower()


for kind in (ByDefault, WithoutEq, Dataclass):
    for other in ("web-01", "WEB-01"):
        a, b = kind("web-01"), kind(other)
        print(kind.__name__, other, a == b, a != b)
END
"$work/env/bin/python" "$work/compare.py" | tee "$work/seen"
diff "$work/seen" - <<'END' && echo "as described"
ByDefault web-01 True False
ByDefault WEB-01 True False
WithoutEq web-01 True True
WithoutEq WEB-01 True True
Dataclass web-01 True False
Dataclass WEB-01 True False
END
