"""Objects drawn over photographs: outlines, boxes and captions, several photographs on one sheet.

Outlines follow the pixel edges of a mask exactly, so what is drawn is what is scored.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from rapideval import _core

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image, ImageDraw, ImageFont

    from rapideval.metrics import Matches
    from rapideval.model import Dataset

__all__ = ["FOUND", "MISSED", "WRONG", "Layer", "lay_out", "outcomes", "rings_of", "sheet"]

Colour: TypeAlias = tuple[int, int, int]
_Points: TypeAlias = npt.NDArray[np.float64]

# Okabe and Ito's colours, told apart by colour-blind people too; what is missed is also dashed.
FOUND: Colour = (0, 190, 140)
WRONG: Colour = (240, 100, 0)
MISSED: Colour = (86, 180, 233)

_GAP = 8  # pixels between photographs
_LEGEND = 30
_CAPTION = 40  # characters of a label
_DASH = (7.0, 5.0)  # drawn, left out
_PAPER: Colour = (24, 24, 27)
_INK: Colour = (228, 228, 231)


@dataclass(frozen=True, slots=True)
class Layer:
    """Some annotations of a dataset, drawn alike.

    Attributes
    ----------
    name
        What they are, for the legend.
    data, rows
        The dataset, and which of its annotations.
    colour
        Red, green, blue.
    captions
        Whether label and score stand beside each.
    dashed
        Whether the line is dashed.
    """

    name: str
    data: Dataset
    rows: npt.NDArray[np.intp]
    colour: Colour
    captions: bool = True
    dashed: bool = False


def outcomes(ground_truth: Dataset, predictions: Dataset, matches: Matches, score: float = 0.0) -> list[Layer]:
    """What a model found, what it got wrong and what it missed, as layers to draw.

    Parameters
    ----------
    ground_truth, predictions
        The two sides, joined (`rapideval.model.align`), as they were matched.
    matches
        Of the two, at the protocol's reference IoU.
    score
        Detections below it are not drawn, and find nothing.
    """
    counted = matches.score >= score
    right, wrong = counted & matches.is_true(), counted & matches.is_false()
    missed = matches.object_counts()
    missed[matches.matched_row[right]] = False
    return [
        Layer("missed", ground_truth, np.flatnonzero(missed), MISSED, captions=False, dashed=True),
        Layer("wrong", predictions, matches.row[wrong].astype(np.intp), WRONG),
        Layer("found", predictions, matches.row[right].astype(np.intp), FOUND),
    ]


def sheet(
    photographs: Mapping[str, Path | Image.Image], layers: Sequence[Layer], scale: float = 3.0, width: int = 1240
) -> Image.Image:
    """Photographs side by side, each with its annotations drawn over it, and a legend below.

    Parameters
    ----------
    photographs
        By image key (file name or id, as in the layers' datasets), in the order in which they are laid out.
    layers
        What is drawn, the first at the bottom.
    scale
        Enlargement of the photographs.
    width
        Of the sheet, in pixels; a photograph that is wider still makes the sheet wider.

    Returns
    -------
    PIL.Image.Image
        To be shown or saved.
    """
    from PIL import Image, ImageDraw

    panels = [_panel(key, photograph, layers, scale) for key, photograph in photographs.items()]
    width = max([width, *(panel.width for panel in panels)])
    places, bottom = lay_out([panel.size for panel in panels], width)
    paper = Image.new("RGB", (width, bottom + _LEGEND), _PAPER)
    for panel, place in zip(panels, places, strict=True):
        paper.paste(panel, place)
    _draw_legend(ImageDraw.Draw(paper), layers, bottom)
    return paper


def _panel(key: str, photograph: Path | Image.Image, layers: Sequence[Layer], scale: float) -> Image.Image:
    from PIL import Image, ImageDraw

    if isinstance(photograph, Image.Image):
        picture = photograph.convert("RGB")
    else:
        with Image.open(photograph) as opened:
            picture = opened.convert("RGB")
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    picture = picture.resize(size, Image.Resampling.NEAREST if scale >= 2 else Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(picture)
    captions: list[tuple[float, float, str, Colour]] = []
    for layer in layers:
        for row in _rows_of_image(layer, key):
            for ring in rings_of(layer.data, row):
                _draw_ring(draw, ring * scale, layer)
            if layer.captions:
                x, y = layer.data.annotations.box[row][:2] * scale
                captions.append((float(x), float(y), _caption(layer.data, row), layer.colour))
    for x, y, text, colour in captions:  # above all lines
        _draw_text(draw, x, y - 12 if y >= 12 else y + 2, text, colour)
    return picture


def _rows_of_image(layer: Layer, key: str) -> list[int]:
    keys = layer.data.images.keys
    if key not in keys:
        return []
    rows = layer.rows
    return [int(row) for row in rows[layer.data.annotations.image[rows] == keys.index(key)]]


def rings_of(data: Dataset, row: int) -> Iterator[_Points]:
    """Closed rings of an annotation in pixels: of its mask, else of its polygon, else its box."""
    rows = data.annotations
    if rows.masks is not None and rows.masks.present[row]:
        mask = rows.masks.take(slice(row, row + 1))
        points, offsets, _, _ = _core.rle_outlines(mask.counts, mask.offsets, mask.sizes)
        for start, stop in pairwise(offsets):
            yield points[start:stop]
    elif rows.polygons is not None and rows.polygons.present[row]:
        yield from rows.polygons.rings(row)
    else:
        x, y, w, h = rows.box[row]
        yield np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]])


def _caption(data: Dataset, row: int) -> str:
    rows = data.annotations
    label = " ".join(data.labels.names[rows.label[row]].split())
    if len(label) > _CAPTION:
        label = label[: _CAPTION - 1] + "…"
    return label if rows.score is None else f"{label} {rows.score[row]:.2f}"


def _draw_ring(draw: ImageDraw.ImageDraw, ring: _Points, layer: Layer) -> None:
    closed = np.vstack([ring, ring[:1]])
    pieces = _dashes(closed) if layer.dashed else [closed]
    for piece in pieces:
        draw.line([(float(x), float(y)) for x, y in piece], fill=layer.colour, width=2)


def _dashes(line: _Points) -> Iterator[_Points]:
    """Pieces of a line: drawn and left out in turn."""
    steps = np.hypot(*np.diff(line, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    drawn, left_out = _DASH
    for k in range(math.ceil(along[-1] / (drawn + left_out))):
        start = k * (drawn + left_out)
        stop = min(start + drawn, along[-1])
        inner = along[(along > start) & (along < stop)]
        at = np.concatenate([[start], inner, [stop]])
        yield np.column_stack([np.interp(at, along, line[:, 0]), np.interp(at, along, line[:, 1])])


def _draw_text(draw: ImageDraw.ImageDraw, x: float, y: float, text: str, colour: Colour) -> None:
    draw.text((x + 1, y), text, font=_font(11), fill=colour, stroke_width=2, stroke_fill=(0, 0, 0))


def _draw_legend(draw: ImageDraw.ImageDraw, layers: Sequence[Layer], top: int) -> None:
    x = float(_GAP)
    for layer in layers:
        y = top + _LEGEND / 2
        line = np.array([[x, y], [x + 28, y]])
        for piece in _dashes(line) if layer.dashed else [line]:
            draw.line([(float(a), float(b)) for a, b in piece], fill=layer.colour, width=3)
        draw.text((x + 36, y), layer.name, font=_font(14), fill=_INK, anchor="lm")
        x += 36 + draw.textlength(layer.name, font=_font(14)) + 4 * _GAP


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def lay_out(sizes: Sequence[tuple[int, int]], width: int) -> tuple[list[tuple[int, int]], int]:
    """Places of panels from left to right, row by row, and the height of all."""
    places = []
    x = y = row_height = 0
    for panel_width, panel_height in sizes:
        if x and x + panel_width > width:
            x, y, row_height = 0, y + row_height + _GAP, 0
        places.append((x, y))
        x += panel_width + _GAP
        row_height = max(row_height, panel_height)
    return places, y + row_height
