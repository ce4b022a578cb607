"""Texts that tools write for people, and that no reader can take for data: told by their first lines, by name.

Sources: "Output formats for Azure CLI commands" (`jsonc`, `yaml`, `table`, `tsv`), "Format-Table", "Format-List".
"""

import codecs
import re
from collections.abc import Callable

from vmdiag.sources.files.containers import UnsupportedFile
from vmdiag.sources.files.streams import UTF_16_MARKS, detect_unmarked_utf16

AS_JSON = "save it with -o json"
LINE_LIMIT = 12
# Bytes that no text holds, but for blanks, escapes and RFC 7464's separator.
CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1b\x1e")
ODD_BYTE_SHARE = 0.1

COLOUR_ESCAPE = re.compile(r"\A\s*(?:\x1b|[\[{][^\x1b]*\x1b)\[[0-9;]*m")  # no JSON holds an escape as it is
YAML = re.compile(r"(?:- ?)*[A-Za-z_][\w.@-]*:(?:\s+\S.*)?\Z")
TABLE_RULE = re.compile(r"-{2,}(?:\s+-{2,})*\s*\Z")
LIST_LINE = re.compile(r"[A-Za-z]\w*\s+: ?.*\Z|[A-Za-z]\w* : .*\Z")
MARKUP = re.compile(r"\s*<(?:!doctype|html|\?xml|[a-z]+[ >])", re.IGNORECASE)
TSV_VALUE = re.compile(r"None|True|False|\{\.\.\.\}|/subscriptions/\S+|[0-9-]{10}T[0-9:.+Z-]+\Z", re.IGNORECASE)


def detect_unsupported_text(head: bytes) -> UnsupportedFile | None:
    """What a text is that cannot be read, and what to hand over instead; `None` where it may be data."""
    text = _decode_head(head)
    if text is None:
        return UnsupportedFile("binary data in no known form", "export JSON or CSV instead")
    lines = [line.rstrip() for line in text.splitlines() if line.strip()][:LINE_LIMIT]
    if COLOUR_ESCAPE.match(text):
        return UnsupportedFile("coloured output of the Azure CLI (jsonc)", AS_JSON)
    if not lines or text.lstrip()[:1] in {"{", "["}:
        return None
    return next(
        (UnsupportedFile(what, instead) for looks_so, what, instead in UNSUPPORTED_FORMS if looks_so(lines)), None
    )


def _is_table(lines: list[str]) -> bool:
    return len(lines) > 1 and TABLE_RULE.match(lines[1]) is not None


def _is_markup(lines: list[str]) -> bool:
    return MARKUP.match(lines[0]) is not None


def _is_list(lines: list[str]) -> bool:
    return len(lines) > 1 and all(LIST_LINE.match(line) or line[0] in " \t" for line in lines)


def _is_tsv(lines: list[str]) -> bool:
    return "\t" in lines[0] and any(TSV_VALUE.match(cell.strip()) for cell in lines[0].split("\t"))


def _is_yaml(lines: list[str]) -> bool:
    """Most of the first lines are a key, and all others may be a part of one."""
    lines = [line.lstrip() for line in lines if not line.startswith("#")]
    if len(lines) < 2:  # noqa: PLR2004 - of one line nothing can be told
        return False
    keys = [line for line in lines if line == "---" or YAML.match(line)]
    others = [line for line in lines if line not in keys]
    return len(keys) * 2 > len(lines) and not any("," in line and not line.startswith("- ") for line in others)


UNSUPPORTED_FORMS: tuple[tuple[Callable[[list[str]], bool], str, str], ...] = (
    (_is_table, "a table for people", f"{AS_JSON} (PowerShell: | ConvertTo-Json -Depth 20)"),
    (_is_markup, "a page in HTML or XML, not data", "save the answer itself, as JSON"),
    (_is_list, "a list for people", "save it as JSON (PowerShell: | ConvertTo-Json -Depth 20)"),
    (_is_yaml, "YAML", AS_JSON),
    (_is_tsv, "values without their names (tsv)", AS_JSON),
)


def _decode_head(head: bytes) -> str | None:
    """The text; `None` where the bytes are none."""
    encoding = "utf-16" if head.startswith(UTF_16_MARKS) else detect_unmarked_utf16(head)
    if encoding is not None:
        return head[: len(head) & ~1].decode(encoding, "replace")
    plain = head.removeprefix(codecs.BOM_UTF8)
    controls = sum(byte in CONTROLS for byte in plain)
    text = plain.decode("utf-8", "replace")
    odd = controls + text.count("\N{REPLACEMENT CHARACTER}")
    return None if controls and odd > ODD_BYTE_SHARE * len(plain) else text
