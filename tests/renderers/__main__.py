"""`python -m tests.renderers`: write the golden files anew, to be judged by eye before they are committed."""

from tests.renderers.gallery import GOLDEN, generate_golden_files


def main() -> None:
    """Replace the folder's files."""
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.iterdir():
        old.unlink()
    for name, text in generate_golden_files():
        (GOLDEN / name).write_text(text, encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
