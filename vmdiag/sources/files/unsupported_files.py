"""Files that are certainly no export, or packed in a way that is not unpacked here, by what they begin with.

What reads columnar files weighs 40 MB and more; a workbook's sheet is exported as text. Sources of the signatures:
"Apache Parquet: File Format", "Apache Arrow Columnar Format: IPC File Format", "ORC Specification v1",
"[MS-CFB]: Compound File Binary File Format" (`.xls`; newer workbooks are zips), the other formats' own descriptions.
Of texts that tools write for people: "Output formats for Azure CLI commands" (`jsonc`, `yaml`, `table`, `tsv`),
"Format-Table", "Format-List".
"""

import codecs
import re

from vmdiag.sources.files.serial_log import STAMP
from vmdiag.sources.files.streams import UnsupportedFile, detect_utf16

UNPACK_ADVICE = "unpack it first; gzip, zstd, tar and zip are read as they are"
EXPORT_ADVICE = "export JSON or CSV instead"
CONVERT_ADVICE = "export JSON lines, CSV or (Event Hub Capture) Avro; DuckDB converts: copy 'in.parquet' to 'out.json'"
WORKBOOK = (
    "an Excel workbook or another office file, which is not read",
    "save the sheet as 'CSV UTF-8', or export JSON from where it came from",
)
SIGNATURES = {
    bytes.fromhex("d0cf11e0a1b11ae1"): WORKBOOK,
    b"PAR1": ("a Parquet file, which is not read", CONVERT_ADVICE),
    b"PARE": ("a Parquet (encrypted) file, which is not read", CONVERT_ADVICE),
    b"ARROW1": ("an Arrow file, which is not read", CONVERT_ADVICE),
    b"ORC": ("an ORC file, which is not read", CONVERT_ADVICE),
    b"\xfd7zXZ\x00": ("packed by xz", UNPACK_ADVICE),
    b"BZh": ("packed by bzip2", UNPACK_ADVICE),
    b"7z\xbc\xaf\x27\x1c": ("packed by 7-Zip", UNPACK_ADVICE),
    b"Rar!\x1a\x07": ("packed by RAR", UNPACK_ADVICE),
    b"\x04\x22\x4d\x18": ("packed by LZ4", UNPACK_ADVICE),
    b"\xff\x06\x00\x00sNaPpY": ("packed by Snappy", UNPACK_ADVICE),
    b"%PDF-": ("a PDF document, not data", EXPORT_ADVICE),
    b"SQLite format 3\x00": ("an SQLite database", EXPORT_ADVICE),
    b"\x89PNG\r\n\x1a\n": ("a picture, not data", EXPORT_ADVICE),
    b"\xff\xd8\xff": ("a picture, not data", EXPORT_ADVICE),
    b"GIF8": ("a picture, not data", EXPORT_ADVICE),
    b"{\\rtf": ("a text document (RTF), not data", EXPORT_ADVICE),
}
AS_JSON = "save it with -o json"
POWERSHELL_ADVICE = "(PowerShell: | ConvertTo-Json -Depth 20)"
LINE_LIMIT = 12
# Bytes that no text holds, but for blanks, escapes and RFC 7464's separator.
CONTROLS = bytes(range(32)).translate(None, b"\t\n\v\f\r\x1b\x1e")
ODD_BYTE_SHARE = 0.1

COLOUR_ESCAPE = re.compile(r"\A\s*(?:\x1b|[\[{][^\x1b]*\x1b)\[[0-9;]*m")  # no JSON holds an escape as it is
YAML = re.compile(r"(?:- ?)*[A-Za-z_][\w.@-]*:(?:\s+\S.*)?\Z")
TABLE_RULE = re.compile(r"-{2,}(?:\s+-{2,})*\s*\Z")
LIST_LINE = re.compile(r"[A-Za-z]\w*\s+: ?.*\Z|[A-Za-z]\w* : .*\Z|[ \t]")
MARKUP = re.compile(r"\s*<(?:!doctype|html|\?xml|[a-z]+[ >])", re.IGNORECASE)
TSV_VALUE = re.compile(r"None|True|False|\{\.\.\.\}|/subscriptions/\S+|[0-9-]{10}T[0-9:.+Z-]+\Z", re.IGNORECASE)


def detect_unsupported_file(head: bytes) -> UnsupportedFile | None:
    """What a file is that cannot be read, and what to hand over instead; `None` where it may be data."""
    told = next((told for signature, told in SIGNATURES.items() if head.startswith(signature)), None)
    if told is not None:
        return UnsupportedFile(*told)
    encoding = detect_utf16(head)
    if encoding is not None:
        text = head[: len(head) & ~1].decode(encoding, "replace")
    else:
        plain = head.removeprefix(codecs.BOM_UTF8)
        text = plain.decode("utf-8", "replace")
        controls = len(plain) - len(plain.translate(None, CONTROLS))
        if controls and controls + text.count("\N{REPLACEMENT CHARACTER}") > ODD_BYTE_SHARE * len(plain):
            return UnsupportedFile("binary data in no known form", EXPORT_ADVICE)
    if len(STAMP.findall(head)) > 1:
        return None  # a serial console's log, coloured or not
    if COLOUR_ESCAPE.match(text):
        return UnsupportedFile("coloured output of the Azure CLI (jsonc)", AS_JSON)
    lines = [line.rstrip() for line in text.splitlines() if line.strip()][:LINE_LIMIT]
    if not lines or text.lstrip().startswith(("{", "[")):
        return None
    # Of YAML most of the first lines are a key, and all others may be a part of one.
    known = [line.lstrip() for line in lines if not line.startswith("#")]
    others = [line for line in known if line != "---" and not YAML.match(line)]
    is_yaml = len(others) * 2 < len(known) > 1 and not any("," in one and not one.startswith("- ") for one in others)
    is_list = len(lines) > 1 and all(map(LIST_LINE.match, lines))
    is_tsv = "\t" in lines[0] and any(TSV_VALUE.match(cell.strip()) for cell in lines[0].split("\t"))
    forms = (
        (TABLE_RULE.match("".join(lines[1:2])), "a table for people", f"{AS_JSON} {POWERSHELL_ADVICE}"),
        (MARKUP.match(lines[0]), "a page in HTML or XML, not data", "save the answer itself, as JSON"),
        (is_list, "a list for people", f"save it as JSON {POWERSHELL_ADVICE}"),
        (is_yaml, "YAML", AS_JSON),
        (is_tsv, "values without their names (tsv)", AS_JSON),
    )
    return next((UnsupportedFile(what, instead) for is_such, what, instead in forms if is_such), None)
