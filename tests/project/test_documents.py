"""The examples in README and docs do what they say."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")] if path.is_file()
)
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_python_examples_print_what_is_written(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # the fence that closes a block is no output
    text = "\n".join("" if line.startswith("```") else line for line in path.read_text("utf-8").splitlines())
    examples = doctest.DocTestParser().get_doctest(text, {"__name__": "__main__"}, named(path), str(path), 0)
    said: list[str] = []
    doctest.DocTestRunner(optionflags=OPTIONS).run(examples, out=said.append)
    assert not said, "".join(said)


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_links_to_files_lead_somewhere(path: Path) -> None:
    import re

    text = path.read_text("utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in target and not target.startswith("mailto:"):
            assert (path.parent / target).exists(), f"{named(path)} links to {target}, which is not there"


def test_the_page_of_formats_is_what_the_formats_declare() -> None:
    from rapideval.formats.page import formats_page

    assert (ROOT / "docs/formats.md").read_text("utf-8") == formats_page(), "make formats-page"
