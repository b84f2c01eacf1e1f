"""What the project says of itself in several places agrees."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import rapideval


def test_version_is_the_same_everywhere(project_root: Path) -> None:
    declared = tomllib.loads((project_root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert rapideval.__version__ == declared


def test_changelog_has_a_place_for_what_comes_next(project_root: Path) -> None:
    text = (project_root / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"^## \[(.+?)\]", text, flags=re.MULTILINE)
    assert headings[0] == "Unreleased"


def test_every_public_name_can_be_imported() -> None:
    for name in rapideval.__all__:
        assert getattr(rapideval, name) is not None


def test_package_carries_its_types(project_root: Path) -> None:
    assert (project_root / "rapideval" / "py.typed").is_file()
