"""Whatever a stranger writes into a name or a sentence stays text, in every format."""

import csv
import html
import io
import json
import re
import shlex
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt
from rich.cells import cell_len

from tests.renderers import cases
from tests.renderers.gallery import draw_on_terminal, render_report
from tests.renderers.page_reader import read_page
from vmdiag.diagnosis.model import Case
from vmdiag.renderers.markdown import escape_text, format_code
from vmdiag.report import make_schema
from vmdiag.values import replace
from vmdiag.wording.plain_text import escape_controls

NASTY = (
    "\x1b[31mred\x1b[0m\x1b]0;title\x07", "\x9b2J", "\u202eexe.txt\u2066", "a\u200bb\ufeff",
    "[red]x[/red] [/]",
    "\r\n\n", "| a | b |\n|---|---|", "<script>alert(1)</script>", "![x](https://evil)", "[x](javascript:alert(1))",
    "`` ` ```", "```\n# h", "https://evil.example www.evil.example a@b.c",
    "# h", "- x", "1. x", "=1+1", "  +1", "\t=1", "-1", "@x",
    "\ud800", "\x7f\x00", "'; rm -rf ~ #", "$(id)", "…", "&lt;b&gt;", "|", "\\", "\\|", "~~x~~", "**x**", "_x_", "---",
    "\u2028=1", "   ", "", "名前" * 200,
)  # fmt: skip
texts = st.one_of(
    st.sampled_from(NASTY),
    st.lists(st.sampled_from(NASTY), max_size=4).map("".join),
    st.text(max_size=60),
    st.text(alphabet="`|<>[]()*_#-+=@\\!~&;:/.1\n\r\t\x1b ", max_size=40),
)
SCHEMA = Draft202012Validator(make_schema())
HTML = {"html_inline", "html_block"}


def dangerous(text: str) -> set[str]:
    """The characters that a terminal obeys or a reader cannot see."""
    return {char for char in text if char != "\n" and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}


@given(texts)
def test_visible_text_is_one_line_and_keeps_what_was_harmless(text: str) -> None:
    shown = escape_controls(text)

    assert not dangerous(shown)
    assert "\n" not in shown
    assert len(shown) == len(text)


@settings(max_examples=60, deadline=None)
@given(texts, st.sampled_from([40, 80, 120]))
@example("[bold]", 80)
def test_the_terminal_shows_it_and_obeys_nothing(text: str, width: int) -> None:
    alone = draw_on_terminal(cases.make_report([cases.make_hostile_case(text)]), width)
    fleet = draw_on_terminal(cases.make_report([cases.make_hostile_case(text), cases.make_confirmed_case()]), width)

    assert not dangerous(alone + fleet)
    assert max(map(cell_len, (alone + fleet).splitlines())) <= width
    assert text != "[bold]" or "[bold]" in alone


@settings(max_examples=60, deadline=None)
@given(texts)
def test_json_keeps_it_whole_and_prints_nothing_but_ascii(text: str) -> None:
    told = render_report("json", cases.make_report([cases.make_hostile_case(text)]))
    read = json.loads(told)

    SCHEMA.validate(read)
    assert told.isascii()
    assert not dangerous(told)
    assert read["cases"][0]["recommendation"]["says"] == re.sub("[\ud800-\udfff]", "\ufffd", text)
    assert render_report("ndjson", cases.make_report([cases.make_hostile_case(text)])).count("\n") == 1


@settings(max_examples=60, deadline=None)
@given(texts)
def test_no_cell_is_a_formula_and_no_row_is_broken(text: str) -> None:
    told = render_report("csv", cases.make_report([cases.make_hostile_case(text)]))
    rows = list(csv.reader(io.StringIO(told)))

    assert len(rows) == 2
    assert len(rows[0]) == len(rows[1])
    assert told.count("\n") == 2
    assert not dangerous(told)
    for cell in rows[1]:
        assert not cell.lstrip().startswith(("=", "+", "-", "@"))


@settings(max_examples=60, deadline=None)
@given(texts)
def test_markdown_gets_no_html_no_image_and_no_link_but_ours(text: str) -> None:
    known = shape([cases.make_hostile_case("x")])
    found = shape([cases.make_hostile_case(text)])

    assert not dangerous(render_report("markdown", cases.make_report([cases.make_hostile_case(text)])))
    assert found == known


@settings(max_examples=40, deadline=None)
@given(texts)
def test_the_page_has_the_same_elements_and_attributes_whatever_is_written(text: str) -> None:
    known, told = (
        render_report("html", cases.make_report([cases.make_hostile_case(one), cases.make_confirmed_case()]))
        for one in ("x", text)
    )
    page = read_page(told)

    assert not dangerous(told)
    assert page.outline == read_page(known).outline
    assert all(re.fullmatch(r"#[\w-]+|https://[\w./?#=%&~+-]+", link) for link in page.links)


@given(texts)
def test_a_sentence_in_markdown_is_read_as_it_was_written(text: str) -> None:
    paragraph, inline = MarkdownIt("commonmark").enable("table").parse(escape_text(text) + "\nx")[:2]

    assert paragraph.type == "paragraph_open"
    assert {token.type for token in inline.children or ()} <= {"text", "code_inline", "softbreak"}


@given(texts)
def test_code_in_markdown_stays_code(text: str) -> None:
    inline = MarkdownIt("commonmark").parseInline(format_code(text))[0]

    assert [token.type for token in inline.children or ()] == ["code_inline"]


@pytest.mark.parametrize("form", ["terminal", "markdown", "html", "json", "ndjson", "csv", "junit", "prometheus"])
def test_a_megabyte_does_not_drown_the_report(form: str) -> None:
    told = render_report(form, cases.make_report([cases.make_hostile_case("x" * 1_000_000)]))

    assert form in {"json", "ndjson", "csv", "junit", "prometheus"} or len(told) < 60_000


@pytest.mark.parametrize("case", [cases.make_confirmed_case(), cases.make_clear_case()], ids=["redeploy", "start"])
def test_an_id_that_azure_would_not_accept_is_never_made_a_command(case: Case) -> None:
    for text in ("a b", "$(id)", "x\u202ey", "--ids", "a\nb", "x" * 200):
        report = cases.make_report([replace(case, vm=cases.make_machine(text))])
        told = render_report("markdown", report) + draw_on_terminal(report, 80)

        assert "az vm " not in told
        assert "check it before you act on it" in " ".join(told.split())


def test_commands_can_be_pasted_whatever_the_name_and_the_width() -> None:
    """Azure allows parentheses in the names of groups, and a shell gives them a meaning."""
    report = cases.make_report([replace(cases.make_clear_case(), vm=cases.make_machine("db-1", group="my(rg)"))])
    wanted = ["az", "vm", "start", *["--subscription", "11111111-2222-3333-4444-555555555555"]]
    wanted += ["--resource-group", "my(rg)", "--name", "db-1"]
    page = html.unescape(render_report("html", report).replace("</code>", "\n"))
    for told in (
        *(draw_on_terminal(report, width) for width in (30, 80, 200)),
        render_report("markdown", report),
        page,
    ):
        command = re.search(r"az vm start(?:.*\\\n)*.*", told)

        assert command is not None
        assert [word for word in shlex.split(command[0]) if word.strip()] == wanted


def shape(found: list[Case]) -> list[tuple[str, int]]:
    """The blocks of the page, and what in its lines is more than text."""
    told = render_report("markdown", cases.make_report(found))
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(told)
    assert not HTML & {token.type for token in tokens}
    inlines = [child for token in tokens for child in token.children or ()]
    links = [child.attrs["href"] for child in inlines if child.type == "link_open"]
    assert not {child.type for child in inlines} - {
        "text", "code_inline", "text_special", "strong_open", "strong_close", "link_open", "link_close", "softbreak",
    }  # fmt: skip
    # The two that are not ours are the advice's own, which is no stranger.
    assert len([link for link in links if not str(link).startswith("https://learn.microsoft.com/")]) <= 2
    assert all(re.fullmatch(r"https://[\w./?#=%&~+-]+", str(link)) for link in links)
    return [(token.type, token.level) for token in tokens if token.type not in {"inline", "fence"}]
