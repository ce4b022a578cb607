"""Signs and colours of verdicts on a terminal; must not carry meaning by colour alone.

Bold and the standard colours, chosen to be read on dark and on light grounds; used by `terminal` only.
"""

from rich.text import Text

from vmdiag.diagnosis.model import Case, Verdict
from vmdiag.renderers._page import Page
from vmdiag.wording import redeploy_outcome

_SIGNS = {
    Verdict.CONFIRMED: ("✖", "X", "bold red"),
    Verdict.SUSPECTED: ("▲", "!", "bold magenta"),
    Verdict.INCONCLUSIVE: ("?", "?", "bold"),
    Verdict.CLEAR: ("✔", "ok", "bold green"),
}


def get_verdict_sign(verdict: Verdict, page: Page) -> str:
    """The verdict as one sign."""
    return _SIGNS[verdict][page.is_ascii]


def get_verdict_style(verdict: Verdict) -> str:
    """The verdict's colour."""
    return _SIGNS[verdict][2]


def format_verdict(verdict: Verdict, page: Page, text: str | None = None) -> Text:
    """Sign and word (or another text) in the verdict's colour."""
    return page.sanitize_text(
        f"{get_verdict_sign(verdict, page)} {text or verdict.upper()}", get_verdict_style(verdict)
    )


def format_banner(case: Case, page: Page) -> Text:
    """The verdict, or once a redeploy was asked for what became of it: green only where it was seen to help."""
    word = redeploy_outcome.get_banner_word(case)
    if word is None:
        return format_verdict(case.diagnosis.verdict, page)
    return format_verdict(
        Verdict.CLEAR if redeploy_outcome.has_redeploy_helped(case) else Verdict.CONFIRMED, page, word
    )
