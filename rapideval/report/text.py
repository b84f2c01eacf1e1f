"""Text for a terminal or a file: tables, problems, numbers.

A table of this kind is printed at the end of a job of a fifth of a second, a third of which rich would take to be
imported; so it is made here, from strings.

Everything that came from an input (labels, file names, places) goes through `clean` before it is shown: a label must
not be able to move the cursor, set colours or turn the direction of the text.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple, TextIO, TypeAlias

from rapideval.errors import Problem

__all__ = ["Column", "Page", "Style", "clean", "number", "percent", "spark", "width_of"]

Style: TypeAlias = Literal["", "bold", "dim", "error", "warning", "good", "accent"]

_CODES: dict[str, str] = {
    "bold": "1",
    "dim": "2",
    "error": "1;31",
    "warning": "33",
    "good": "32",
    "accent": "36",
}
_SEVERITY: dict[str, Style] = {"error": "error", "warning": "warning", "info": "accent"}

# C0 and C1 controls, and what sets the direction of text or is not seen
_UNSEEN = "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
_ANSI = "\x1b\\[[0-9;]*m"

Cell: TypeAlias = str | tuple[str, Style]

SHOWN_PROBLEMS = 10


class Column(NamedTuple):
    """A column of a table.

    Attributes
    ----------
    title
        Its head.
    align
        ``"<"`` text, ``">"`` numbers.
    shrink
        May be cut where the page is too narrow.
    keep
        The higher, the later it is left out where the page is too narrow even so.
    """

    title: str
    align: Literal["<", ">"] = ">"
    shrink: bool = False
    keep: int = 0


class Page(NamedTuple):
    """What text is laid out for.

    Attributes
    ----------
    width
        Columns of the terminal; None where lines may be of any length, as in a file or pipe.
    color
        Whether to mark text by ANSI codes.
    unicode
        Whether it can show more than ASCII.
    """

    width: int | None = None
    color: bool = False
    unicode: bool = True

    @classmethod
    def of(cls, stream: TextIO | None = None, color: bool | None = None) -> Page:
        """The page of a stream: a terminal has a width, and colours unless told otherwise."""
        stream = stream if stream is not None else sys.stdout
        terminal = stream.isatty()
        try:
            "─–…█".encode(getattr(stream, "encoding", None) or "ascii")
            able = True
        except (UnicodeEncodeError, LookupError):
            able = False
        width = None
        if terminal:
            import shutil  # with every kind of archive

            width = max(shutil.get_terminal_size().columns, 40)
        return cls(width, terminal if color is None else color, able)

    def mark(self, text: str, style: Style) -> str:
        """Mark text, where the page has colours."""
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.color and style and text else text

    def plain(self, text: str) -> str:
        """Text in what the page can show."""
        return text if self.unicode else text.translate(_ASCII)

    def heading(self, text: str, aside: str = "") -> str:
        """A heading, and beside it something of less weight."""
        return self.mark(self.plain(text), "bold") + (self.mark(self.plain(f"  {aside}"), "dim") if aside else "")

    # --- tables ----------------------------------------------------------------------------------

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], indent: int = 2) -> str:
        """Lay out a table: heads, a rule, rows; narrowed to the page.

        Columns that may shrink are cut first, with an ellipsis; then columns are left out, the least kept first, and
        a line below says which.
        """
        cells = [[_cell(cell) for cell in row] for row in rows]
        texts = [[self.plain(text) for text, _ in row] for row in cells]
        heads = [self.plain(column.title) for column in columns]
        widths = [max([width_of(head), *(width_of(row[place]) for row in texts)]) for place, head in enumerate(heads)]
        shown = list(range(len(columns)))
        if self.width is not None:
            widths, shown = _narrowed(columns, widths, self.width - indent)
        pad = " " * indent

        def line(values: Sequence[str], styles: Sequence[Style]) -> str:
            parts = []
            for place in shown:
                text = _cut(values[place], widths[place], "…" if self.unicode else "~")
                fill = " " * (widths[place] - width_of(text))
                marked = self.mark(text, styles[place])
                parts.append(marked + fill if columns[place].align == "<" else fill + marked)
            return (pad + "  ".join(parts)).rstrip()

        lines = [line(heads, ["dim"] * len(columns))]
        rule = ("─" if self.unicode else "-") * (sum(widths[i] for i in shown) + 2 * (len(shown) - 1))
        lines.append(pad + self.mark(rule, "dim"))
        lines += [line(text, [style for _, style in row]) for text, row in zip(texts, cells, strict=True)]
        hidden = [columns[i].title for i in range(len(columns)) if i not in shown]
        if hidden:
            lines.append(pad + self.mark(f"not shown for want of width: {', '.join(hidden)}", "dim"))
        return "\n".join(lines)

    def pairs(self, rows: Iterable[tuple[str, str]], indent: int = 2) -> str:
        """Names and values below each other; values of several lines are kept in their column."""
        listed = [(self.plain(name), self.plain(value)) for name, value in rows]
        wide = max((width_of(name) for name, _ in listed), default=0)
        lines = []
        for name, value in listed:
            room = None if self.width is None else max(self.width - indent - wide - 2, 20)
            parts = [part for given in value.split("\n") for part in _wrapped(given, room)]
            head = self.mark(name, "dim") + " " * (wide - width_of(name))
            lines.append(" " * indent + head + "  " + parts[0])
            lines += [" " * (indent + wide + 2) + part for part in parts[1:]]
        return "\n".join(lines)

    # --- problems --------------------------------------------------------------------------------

    def problems(self, problems: Sequence[Problem], total: int | None = None, most: int = SHOWN_PROBLEMS) -> str:
        """Problems in full up to a limit, the others counted by rule."""
        blocks = [self._problem(problem) for problem in problems[:most]]
        hidden = Counter[str]()
        for problem in problems[most:]:
            hidden[problem.rule] += problem.count
        unlisted = (total or 0) - sum(problem.count for problem in problems)
        rest = [f"{count:,} × {clean(rule)}" for rule, count in sorted(hidden.items())]
        if unlisted > 0:
            rest.append(f"{unlisted:,} that are not listed")
        if rest:
            blocks.append(self.plain(f"and {', '.join(rest)}"))
        return "\n".join(blocks)

    def notes(self, problems: Sequence[Problem], indent: int = 2) -> str:
        """Notes, a line each, of less weight."""
        lines = []
        for problem in problems:
            text = f"{clean(problem.where)}: " if problem.where else ""
            text += clean(problem.found) + (f" ({problem.count:,} times)" if problem.count > 1 else "")
            room = None if self.width is None else max(self.width - indent - 2, 20)
            first, *rest = _wrapped(self.plain(text), room)
            lines.append(" " * indent + self.mark(self.plain(f"· {first}"), "dim"))
            lines += [" " * (indent + 2) + self.mark(line, "dim") for line in rest]
        return "\n".join(lines)

    def _problem(self, problem: Problem) -> str:
        severity = "note" if problem.severity == "info" else problem.severity
        head = self.mark(f"{severity}[{clean(problem.rule)}]:", _SEVERITY[problem.severity])
        head += " " + self.mark(self.plain(clean(problem.where) or "input"), "bold")
        if problem.count > 1:
            head += self.mark(f"  and {problem.count - 1:,} more like it", "dim")
        rows = [("found", problem.found), ("expected", problem.expected), ("hint", problem.hint)]
        return head + "\n" + self.pairs([(name, clean(text)) for name, text in rows if text])


_ASCII = str.maketrans({"─": "-", "–": "-", "—": "-", "…": "~", "×": "x", "≥": ">=", "≤": "<=", "→": "->", "·": "|"})


def _cell(cell: Cell) -> tuple[str, Style]:
    text, style = (cell, "") if isinstance(cell, str) else cell
    return clean(text), style  # type: ignore[return-value]


def _narrowed(columns: Sequence[Column], widths: list[int], room: int) -> tuple[list[int], list[int]]:
    """Widths that fit into `room`, and the places of the columns that are shown."""
    widths = list(widths)
    shown = list(range(len(columns)))

    def excess() -> int:
        return sum(widths[i] for i in shown) + 2 * (len(shown) - 1) - room

    for place in sorted((i for i in shown if columns[i].shrink), key=lambda i: -widths[i]):
        least = max(width_of(columns[place].title), 12)
        widths[place] -= max(0, min(excess(), widths[place] - least))
    while excess() > 0 and len(shown) > 1:
        shown.remove(min(reversed(shown), key=lambda i: columns[i].keep))
    return widths, shown


def _wrapped(text: str, room: int | None) -> list[str]:
    if room is None or width_of(text) <= room:
        return [text]
    import textwrap

    # Paths and URLs stay whole: they are there to be copied.
    return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [text]


def _cut(text: str, width: int, ellipsis: str) -> str:
    if width_of(text) <= width:
        return text
    kept = ""
    for letter in text:
        if width_of(kept + letter) > width - 1:
            break
        kept += letter
    return kept + ellipsis


def clean(text: str) -> str:
    r"""Text with what a terminal would obey, or not show, written out.

    Examples
    --------
    >>> clean("cat\x1b[2J"), clean("plain – text")
    ('cat\\x1b[2J', 'plain – text')
    """
    # The pattern takes longer to be compiled than a table to be printed, and almost all text is printable.
    return text if text.isprintable() else re.sub(_UNSEEN, lambda found: repr(found.group())[1:-1], text)


def width_of(text: str) -> int:
    """Columns that a text takes on a terminal; ANSI codes take none.

    Examples
    --------
    >>> width_of("cat"), width_of("猫")
    (3, 2)
    """
    if "\x1b" in text:
        text = re.sub(_ANSI, "", text)
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def number(value: float | None, digits: int = 3) -> str:
    """A number, or a dash where it is not defined.

    Examples
    --------
    >>> number(0.51234), number(float("nan")), number(None)
    ('0.512', '–', '–')
    """
    return "–" if value is None or value != value else f"{value:,.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share in percent, or a dash where it is not defined."""
    return "–" if value is None or value != value else f"{100 * value:.{digits}f} %"


def spark(counts: Sequence[Any]) -> str:
    """Counts as a line of bars; nothing is a space, anything at least the lowest bar.

    Examples
    --------
    >>> spark([0, 1, 4, 8])
    ' ▁▄█'
    """
    most = max(counts, default=0)
    if not most:
        return " " * len(counts)
    return "".join(" ▁▂▃▄▅▆▇█"[0 if not count else max(1, round(8 * count / most))] for count in counts)
