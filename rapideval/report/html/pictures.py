"""Photographs of the worst regressions: what each version found, got wrong and missed, as outlines over the picture.

Outlines are vectors, so they stay sharp and can be switched off; a photograph is stored once for both versions. Where
no photograph is given, the outlines stand on plain paper.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from rapideval.model.join import image_tail
from rapideval.report.overlay import Layer, outcomes, rings_of
from rapideval.report.text import clean

if TYPE_CHECKING:
    from rapideval.judge import ImageChange
    from rapideval.metrics import DetectionEvaluation

__all__ = ["Photographs", "pictures"]

MOST = 12
_SIDE = 720  # pixels of the longer side of a stored photograph
_MOST_SHAPES = 300
_KINDS = ("missed", "wrong", "found")


class Photographs(NamedTuple):
    """Where photographs are.

    Attributes
    ----------
    files
        By the last part of the image's name: shown.
    urls
        By the same: linked to, never fetched.
    """

    files: Mapping[str, Path] = {}
    urls: Mapping[str, str] = {}

    @classmethod
    def of(cls, source: str | Path | None) -> Photographs:
        """Of a folder of pictures, or of a file that lists their URLs, one a line."""
        if source is None:
            return cls()
        path = Path(source)
        if path.is_dir():
            return cls({entry.name: entry for entry in sorted(path.rglob("*")) if entry.is_file()})
        lines = path.read_text("utf-8-sig").splitlines()
        return cls({}, {image_tail(line.strip()): line.strip() for line in lines if line.strip()})


def pictures(
    versions: Sequence[DetectionEvaluation],
    changes: Sequence[ImageChange],
    photographs: Photographs,
    score: float = 0.5,
    most: int = MOST,
) -> str:
    """The worst images, each with the baseline beside the candidate; empty where there are none.

    Raises
    ------
    UsageError
        Where an evaluation was loaded: what is drawn are the objects themselves.
    """
    sides = []
    for evaluation in versions:
        joined = evaluation.aligned("pictures")
        layers = outcomes(joined.ground_truth, joined.predictions, evaluation.matches, score)
        sides.append({layer.name: layer for layer in layers})
    images = versions[0].images
    worse = [change for change in changes if change.balance > 0][:most]
    return "".join(_picture(sides, images.index(change.image), change, photographs) for change in worse)


def _picture(sides: Sequence[Mapping[str, Layer]], place: int, change: ImageChange, photographs: Photographs) -> str:
    data = sides[0]["missed"].data
    height, width = (int(value) for value in data.images.sizes[place])
    tail = image_tail(change.image)
    stored, size = _stored(photographs.files.get(tail))
    if size is not None and not (height and width):
        width, height = size
    if not (height and width):
        width, height = _extent(sides, place)
    name = escape(clean(change.image))
    url = photographs.urls.get(tail, "")
    if url.startswith(("https://", "http://")):
        name = f'<a href="{escape(url)}" rel="noreferrer noopener">{name}</a>'
    symbol = f"photo-{place}"
    defs = (
        f'<svg width="0" height="0" aria-hidden="true"><defs><image id="{symbol}" width="{width}" height="{height}" '
        f'preserveAspectRatio="none" href="{stored}"/></defs></svg>'
        if stored
        else ""
    )
    told = _told(change)
    photo = symbol if stored else ""
    panels = "".join(
        f"<div><p>{version}</p>{_panel(side, place, (width, height), photo, f'{version}: {told}')}</div>"
        for version, side in zip(("baseline", "candidate"), sides, strict=True)
    )
    return f'<article><h3>{name}</h3><p class="soft">{escape(told)}</p>{defs}<div class="pair">{panels}</div></article>'


def _told(change: ImageChange) -> str:
    parts = []
    if change.lost:
        labels = ", ".join(clean(name) for name in dict.fromkeys(change.lost_labels))
        parts.append(f"{change.lost} lost ({labels})")
    if change.gained:
        parts.append(f"{change.gained} newly found")
    if change.new_false_positives:
        fewer = change.new_false_positives < 0
        parts.append(f"{abs(change.new_false_positives)} {'fewer' if fewer else 'more'} false positives")
    return ", ".join(parts)


def _panel(side: Mapping[str, Layer], place: int, size: tuple[int, int], symbol: str, label: str) -> str:
    width, height = size
    shapes = []
    for kind in _KINDS:
        layer = side[kind]
        rows = layer.rows[layer.data.annotations.image[layer.rows] == place][:_MOST_SHAPES]
        for row in rows.tolist():
            path = _path(rings_of(layer.data, row))
            title = escape(_title(layer, row))
            shapes.append(
                f'<g class="{kind}"><path class="halo" d="{path}"/><path class="shape {kind}" d="{path}">'
                f"<title>{title}</title></path></g>"
            )
    photo = f'<use href="#{symbol}"/>' if symbol else ""
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">{photo}{"".join(shapes)}</svg>'


def _title(layer: Layer, row: int) -> str:
    rows = layer.data.annotations
    label = clean(layer.data.labels.names[rows.label[row]])
    return f"{layer.name}: {label}" + ("" if rows.score is None else f" {rows.score[row]:.2f}")


def _path(rings: Iterable[npt.NDArray[np.float64]]) -> str:
    parts = []
    for ring in rings:
        points = [f"{x:.1f} {y:.1f}".replace(".0", "") for x, y in ring.tolist()]
        parts.append("M" + "L".join(points) + "Z")
    return "".join(parts)


def _extent(sides: Sequence[Mapping[str, Layer]], place: int) -> tuple[int, int]:
    """How far right and down anything reaches, where nobody knows the image's size."""
    corners = [np.ones(2)]
    for side in sides:
        for layer in side.values():
            rows = layer.data.annotations
            box = rows.box[rows.image == place]
            if len(box):
                corners.append((box[:, :2] + box[:, 2:]).max(axis=0))
    width, height = np.ceil(np.max(corners, axis=0)).astype(int).tolist()
    return width, height


def _stored(path: Path | None) -> tuple[str, tuple[int, int] | None]:
    """A photograph as a data address, made smaller where it is large; empty where there is none that opens."""
    if path is None:
        return "", None
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as opened:
            size = opened.size
            picture = opened.convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return "", None
    picture.thumbnail((_SIDE, _SIDE))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode(), size
