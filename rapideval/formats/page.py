"""The page of all formats (docs/formats.md), made of what the registry says."""

from __future__ import annotations

import sys

from rapideval.formats.registry import FORMATS, Format, get

__all__ = ["formats_page"]

_COLUMNS = (
    ("boxes", "boxes beside outlines"), ("masks", "masks"), ("polygons", "outlines"), ("holes", "holes"),
    ("parts", "parts"), ("crowd", "crowd"), ("scores", "scores"), ("ids", "ids"), ("attributes", "further fields"),
    ("subpixel", "fractions of a pixel"), ("empty_images", "empty images"), ("image_sizes", "sizes of images"),
    ("unused_labels", "unused labels"), ("label_order", "order of labels"),
)  # fmt: skip

_HEAD = """\
# Formats

Made by `make formats-page` from what the formats declare; a test holds it to them. What a format is said to hold is
proven: a dataset that is drawn at random within it comes back the same (`tests/formats/test_round_trip.py`). What it
does not hold is counted before anything is written (`rapideval convert`, `rapideval.formats.losses`), by these names.

`rapideval inspect PATH` says which format a file or folder has and why; `--from` and `--to` name one;
`rapideval formats NAME` prints what stands here. Options are given as `--read NAME=VALUE` and `--write NAME=VALUE`.
"""


def formats_page() -> str:
    """The page as Markdown."""
    known = [get(name) for name in FORMATS]
    parts = [_HEAD, _table(known)]
    shown: set[str] = set()
    for form in known:
        module = _module(form)
        if module in shown:
            continue
        shown.add(module)
        family = [other for other in known if _module(other) == module]
        parts.append(_section(family, sys.modules[module].__doc__ or ""))
    return "\n".join(parts)


def _module(form: Format) -> str:
    function = form.sniff.func if hasattr(form.sniff, "func") else form.sniff
    return str(function.__module__)


def _table(known: list[Format]) -> str:
    head = ["format", "", *(title for _, title in _COLUMNS)]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for form in known:
        ways = f"{'read' if form.reader else ''} {'write' if form.writer else ''}".strip()
        marks = ["✓" if getattr(form.capabilities, name) else "" for name, _ in _COLUMNS]
        lines.append("| " + " | ".join([f"[`{form.name}`](#{_anchor(form)})", ways, *marks]) + " |")
    return "\n".join(lines) + "\n"


def _anchor(form: Format) -> str:
    family = [get(name) for name in FORMATS if _module(get(name)) == _module(form)]
    return "-".join(other.name for other in family)


def _section(family: list[Format], text: str) -> str:
    lines = [f"## {', '.join(form.name for form in family)}".replace(", ", " "), ""]
    lines += [_plain(text.strip()), ""]
    for form in family:
        holds = form.capabilities
        held = [name.replace("_", " ") for name, there in holds.held().items() if there]
        lines.append(f"- **{form.name}**: {form.title}. A {form.kind}, {', '.join(form.suffixes)}.")
        lines.append(f"  - holds {', '.join(held)}")
        lines.append(f"  - coordinates: {holds.convention}" + (f"; {holds.index_base}" if holds.index_base else ""))
        for verb, names in (("read", form.read_options), ("write", form.write_options)):
            if names:
                lines.append(f"  - options to {verb}: {', '.join(f'`{name}`' for name in names)}")
        source = holds.specification
        lines.append(f"  - specification: {f'<{source}>' if '://' in source else f'`{source}`'}")
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """A docstring as Markdown: literals and blocks of code."""
    lines = []
    for line in text.replace("``", "`").splitlines():
        if line.endswith("::"):
            lines += [line[:-1]]
        else:
            lines.append(line)
    return "\n".join(lines)
