"""Photographs of the worst regressions: what each version found, got wrong and missed, as outlines over the picture.

Outlines are vectors, so they stay sharp and can be switched off; a photograph is stored once for both versions. Where
no photograph is given, the outlines stand on plain paper.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.judge.changes import lost_and_gained
from rapideval.model.join import image_tail
from rapideval.report.overlay import Layer, outcomes, rings_of
from rapideval.report.text import clean

if TYPE_CHECKING:
    from rapideval.judge import ImageChange
    from rapideval.metrics import DetectionEvaluation

__all__ = ["MOST", "Photographs", "Shape", "outline", "picture", "pictures", "regressions"]

MOST = 12
_SIDE = 720  # pixels of the longer side of a stored photograph
_MOST_SHAPES = 300
_KINDS = ("ground truth", "missed", "wrong", "found", "lost", "new")  # the last are drawn above all others


class Shape(NamedTuple):
    """What is drawn: its kind, which is a class of the style; its path; what it is in words."""

    kind: str
    path: str
    title: str


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


def regressions(changes: Sequence[ImageChange]) -> list[ImageChange]:
    """The changes for the worse, the worst first."""
    return [change for change in changes if change.balance > 0]


def pictures(
    versions: tuple[DetectionEvaluation, DetectionEvaluation],
    changes: Sequence[ImageChange],
    photographs: Photographs,
    score: float = 0.5,
) -> str:
    """Images, each with the baseline beside the candidate.

    What the candidate lost (the baseline found it), and false positives where the baseline had none of that label, are
    drawn apart from other errors.

    Raises
    ------
    UsageError
        Where an evaluation was loaded: what is drawn are the objects themselves.
    """
    sides = []
    for evaluation in versions:
        joined = evaluation.aligned("pictures")
        layers = outcomes(joined.ground_truth, joined.predictions, evaluation.matches, score)
        side = {layer.name: layer for layer in layers}
        counted = np.flatnonzero(evaluation.matches.object_counts())
        sides.append({"ground truth": replace(side["missed"], name="ground truth", rows=counted), **side})
    lost, _ = lost_and_gained(*versions, score=score)
    sides[1] = _split(sides[1], "missed", "lost", lost[sides[1]["missed"].rows])
    images = versions[0].images
    places = [images.index(change.image) for change in changes]
    iou = versions[0].protocol.reference_iou
    sides[1] = _split(sides[1], "wrong", "new", _is_new(sides[0]["wrong"], sides[1]["wrong"], places, iou))
    drawn = []
    for place, change in zip(places, changes, strict=True):
        height, width = images.sizes[place].tolist()
        shapes = [_shapes(side, place) for side in sides]
        drawn.append(picture(shapes, place, (width, height), change, photographs, _extent(sides, place)))
    return "".join(drawn)


def _split(side: dict[str, Layer], name: str, apart: str, chosen: npt.NDArray[np.bool_]) -> dict[str, Layer]:
    """The layer as two: the chosen rows as one of their own."""
    layer = side[name]
    parts = {name: replace(layer, rows=layer.rows[~chosen]), apart: replace(layer, name=apart, rows=layer.rows[chosen])}
    return {**side, **parts}


def _is_new(before: Layer, after: Layer, places: Sequence[int], iou: float) -> npt.NDArray[np.bool_]:
    """Which false positives of the candidate overlap none of the baseline's of that label: bool, one a row."""
    new = np.zeros(len(after.rows), np.bool_)
    names = [np.array(layer.data.labels.names)[layer.data.annotations.label[layer.rows]] for layer in (before, after)]
    images = [layer.data.annotations.image[layer.rows] for layer in (before, after)]
    for place in places:
        old, here = (np.flatnonzero(image == place) for image in images)
        mine, theirs = after.data.annotations.box[after.rows[here]], before.data.annotations.box[before.rows[old]]
        overlap = _core.box_iou_matrix(mine, theirs, np.zeros(len(old), np.bool_))
        new[here] = ~((overlap >= iou) & (names[1][here][:, None] == names[0][old])).any(axis=1)
    return new


def picture(
    sides: Sequence[Iterable[Shape]],
    place: int,
    size: tuple[int, int],
    change: ImageChange,
    photographs: Photographs,
    extent: tuple[int, int] = (1, 1),
) -> str:
    """One image: what of the baseline beside what of the candidate, over the photograph where there is one.

    Parameters
    ----------
    sides
        What is drawn of each version.
    place, size
        Of the image; width and height, 0 where nobody knows, which the photograph may, else `extent` is taken.
    """
    tail = image_tail(change.image)
    stored, opened = _stored(photographs.files.get(tail))
    width, height = next(known for known in (size, opened or (0, 0), extent) if all(known))
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
        f"<div><p>{version}</p>{_panel(side, (width, height), photo, f'{version}: {told}')}</div>"
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
    if not parts:
        parts.append(f"mean IoU {-change.balance:+.3f}".replace("-", "−"))
    return ", ".join(parts)


def _panel(shapes: Iterable[Shape], size: tuple[int, int], symbol: str, label: str) -> str:
    width, height = size
    drawn = "".join(
        f'<g class="{kind}"><path class="halo" d="{path}"/><path class="shape {kind}" d="{path}">'
        f"<title>{escape(title)}</title></path></g>"
        for kind, path, title in shapes
    )
    photo = f'<use href="#{symbol}"/>' if symbol else ""
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">{photo}{drawn}</svg>'


def _shapes(side: Mapping[str, Layer], place: int) -> Iterator[Shape]:
    for kind in _KINDS:
        if kind not in side:
            continue
        layer, name = side[kind], kind.partition(" ")[0]
        rows = layer.rows[layer.data.annotations.image[layer.rows] == place][:_MOST_SHAPES]
        for row in rows.tolist():
            yield Shape(name, outline(rings_of(layer.data, row)), _title(layer, row))


def _title(layer: Layer, row: int) -> str:
    rows = layer.data.annotations
    label = clean(layer.data.labels.names[rows.label[row]])
    return f"{layer.name}: {label}" + ("" if rows.score is None else f" {rows.score[row]:.2f}")


def outline(rings: Iterable[npt.NDArray[np.float64]]) -> str:
    """Rings as the path of an SVG."""
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
