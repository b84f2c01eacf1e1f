"""Charts: one Altair specification each, drawn as SVG or PNG without a browser.

Colours stand for versions and verdicts, everywhere the same, and never alone: shapes and text say the same.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rapideval.errors import UsageError

if TYPE_CHECKING:
    import altair as alt

__all__ = ["BASELINE", "CANDIDATE", "INK", "SOFT", "chart_svg", "save_chart", "styled"]

# Inks of light paper; a page sets them anew for the dark (see `rapideval.report.html`).
INK, SOFT, LINE = "#1b2126", "#5b6671", "#d9dde2"
BASELINE, CANDIDATE = "#5d6b78", "#0b63c5"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


def styled(chart: Any) -> alt.TopLevelMixin:
    """The chart in the project's style: quiet axes, no frame, transparent paper."""
    made: alt.TopLevelMixin = (
        chart.configure(background="transparent", font=FONT, padding={"left": 18, "right": 18, "top": 5, "bottom": 5})
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=SOFT, titleColor=SOFT, domainColor=LINE, tickColor=LINE, gridColor=LINE,
            titleFontWeight="normal", labelFontSize=11, titleFontSize=11,
        )
        .configure_legend(labelColor=INK, titleColor=SOFT, titleFontWeight="normal", labelFontSize=11)
        .configure_title(color=INK, fontSize=13, anchor="start")
    )  # fmt: skip
    return made


def chart_svg(chart: alt.TopLevelMixin) -> str:
    """The chart as SVG."""
    import vl_convert

    text: str = vl_convert.vegalite_to_svg(chart.to_json())
    return text


def save_chart(chart: alt.TopLevelMixin, path: str | os.PathLike[str]) -> None:
    """Write a chart as ``.svg`` or ``.png``, whole or not at all."""
    from rapideval.formats import whole_file

    suffix = Path(path).suffix.lower()
    if suffix not in (".svg", ".png"):
        raise UsageError(f"{os.fspath(path)}: a chart is drawn as .svg or .png")
    if suffix == ".svg":
        content = chart_svg(chart).encode()
    else:
        import vl_convert

        content = vl_convert.vegalite_to_png(chart.to_json(), scale=2)
    with whole_file(path) as file:
        file.write(content)
