"""Pieces of a page: everything that comes from an input is escaped here, in one place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from rapideval.report.text import clean

__all__ = ["LONG", "Cell", "Head", "drawn_interval", "figure", "section", "shown", "span_of", "table", "text", "word"]

LONG = 12
"""Tables of more rows can be filtered."""

_ICONS = {
    "pass": '<path d="M1.5 6.5 4.8 10 10.5 2.5" fill="none" stroke="currentColor" stroke-width="2.2"/>',
    "fail": '<path d="M2 2 10 10 M10 2 2 10" fill="none" stroke="currentColor" stroke-width="2.2"/>',
    "inconclusive": '<path d="M1.5 6 H10.5" fill="none" stroke="currentColor" stroke-width="2.2" '
    'stroke-dasharray="3 1.6"/>',
    "insufficient": '<circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="2"/>',
    "better": '<path d="M6 1.5 10.5 9.5 H1.5 Z" fill="currentColor"/>',
    "worse": '<path d="M6 10.5 1.5 2.5 H10.5 Z" fill="currentColor"/>',
}


class Head(NamedTuple):
    """The head of a column."""

    title: str
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: finished HTML, and what it is sorted by."""

    html: str
    value: float | str | None = None
    is_text: bool = False
    free: bool = False
    """Long text, which may be broken."""


def text(value: str, free: bool = False) -> Cell:
    """A cell of text from an input."""
    safe = escape(clean(value))
    return Cell(safe, value, True, free)


def shown(value: float | None, digits: int = 3, signed: bool = False) -> Cell:
    """A cell of a number; undefined is a dash, and sorts last."""
    if value is None or math.isnan(value):
        return Cell("–", "")
    form = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    return Cell(form.replace("-", "−"), value)


def icon(name: str) -> str:
    """A verdict's shape; none for one that needs none."""
    drawn = _ICONS.get(name)
    return f'<svg viewBox="0 0 12 12" aria-hidden="true">{drawn}</svg>' if drawn else ""


def word(verdict: str, note: str = "") -> Cell:
    """A verdict by shape, word and colour."""
    after = f" <span class='soft'>{escape(note)}</span>" if note else ""
    return Cell(f'<span class="word {verdict}">{icon(verdict)}{escape(verdict)}</span>{after}', verdict, True)


def drawn_interval(
    low: float, value: float, high: float, bound: float | None, span: tuple[float, float], what: str
) -> Cell:
    """An interval on a common scale, with the bound it is held against as a dashed line."""
    if not all(map(math.isfinite, (low, value, high))):
        return Cell('<span class="soft">undefined</span>', "")
    start, end = span
    width = end - start or 1.0

    def at(x: float) -> float:
        return round(4 + 182 * min(max((x - start) / width, 0), 1), 1)

    line = ""
    if bound is not None:
        line = (
            f'<line x1="{at(bound)}" y1="1" x2="{at(bound)}" y2="21" stroke="var(--bad)" stroke-dasharray="3 2" '
            'stroke-width="1.5"/>'
        )
    zero = f'<line x1="{at(0)}" y1="3" x2="{at(0)}" y2="19" stroke="var(--line)" stroke-width="1.5"/>'
    zero = zero if start <= 0 <= end else ""
    label = f"{what} {value:+.3f}, interval {low:+.3f} to {high:+.3f}" + (
        "" if bound is None else f", bound {bound:+.3f}"
    )
    return Cell(
        f'<svg class="interval" viewBox="0 0 190 22" role="img" aria-label="{escape(label)}">'
        f"<title>{escape(label)}</title>"
        f'{zero}{line}<line x1="{at(low)}" y1="11" x2="{at(high)}" y2="11" stroke="var(--candidate)" stroke-width="3"/>'
        f'<path d="M{at(low)} 7V15M{at(high)} 7V15" stroke="var(--candidate)" stroke-width="1.5"/>'
        f'<circle cx="{at(value)}" cy="11" r="4" fill="var(--candidate)"/></svg>',
        value,
    )


def span_of(values: Sequence[tuple[float, ...]]) -> tuple[float, float]:
    """The scale that a column of intervals shares."""
    finite = [value for row in values for value in row if math.isfinite(value)]
    if not finite:
        return (0.0, 1.0)
    low, high = min(finite), max(finite)
    pad = 0.04 * (high - low or 1.0)
    return low - pad, high + pad


def table(
    name: str, caption: str, heads: Sequence[Head], rows: Iterable[Sequence[Cell]], filtered: bool = False
) -> str:
    """A table that sorts by its heads, with a field to filter it where it is long."""
    head = "".join(
        f'<th scope="col"{" class=text" if one.is_text else ""}><button type="button">{escape(one.title)}</button></th>'
        for one in heads
    )
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    tools = ""
    if filtered:
        tools = (
            f'<div class="tools"><label for="{name}-filter">Filter</label> <input id="{name}-filter" type="search" '
            f'data-filter="{name}"> <span id="{name}-count" class="soft" role="status"></span></div>'
        )
    return (
        f'{tools}<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f'<table id="{name}" class="sortable"><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(cell: Cell) -> str:
    kind = " ".join(name for name, on in (("text", cell.is_text), ("free", cell.free)) if on)
    attributes = f' class="{kind}"' if kind else ""
    if cell.value is not None and not cell.is_text:
        attributes += f' data-value="{escape(str(cell.value))}"'
    return f"<td{attributes}>{cell.html}</td>"


def section(name: str, title: str, about: str, *parts: str) -> str:
    """A section with a heading and a line on how to read it."""
    told = f'<p class="soft">{escape(about)}</p>' if about else ""
    head = f'<h2 id="{name}-h">{escape(title)}</h2>'
    return f'<section id="{name}" aria-labelledby="{name}-h">{head}{told}{"".join(parts)}</section>'


def figure(svg: str, caption: str, attributes: str = "") -> str:
    """A chart with its caption."""
    return f"<figure{attributes}><figcaption>{escape(clean(caption))}</figcaption>{svg}</figure>"
