"""Plain text boxes: a file for each image, a line for each object: its label, a score for a detection, four numbers.

What the numbers are is told nowhere, so it is asked for: `order` is ``"xywh"`` (corner and size), ``"xyxy"`` (two
corners) or ``"cxcywh"`` (centre and size), `relative` says that they are shares of the image's width and height. Where
not asked, the numbers decide if they can: if under one order alone every box lies in its image, that is it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.errors import UsageError
from rapideval.formats.capabilities import Capabilities, Loss
from rapideval.formats.common.documents import laid
from rapideval.formats.common.names import file_stems
from rapideval.formats.common.sizes import require_sizes
from rapideval.formats.common.textfiles import TextFile, first_lines, one_word, split_labels, suffixes_of, text_files
from rapideval.formats.files import Source
from rapideval.formats.gather import Gathered
from rapideval.formats.notes import Report
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels

__all__ = ["FORMATS"]

_ORDERS = ("xywh", "xyxy", "cxcywh")
_BOX = 4


def _sniff(source: Source) -> Guess | None:
    lines = first_lines(source)
    boxed = [words for words in lines if len(words) in (1 + _BOX, 2 + _BOX) and _numbers(words[1:]) is not None]
    if boxed and len(boxed) == len(lines):
        return Guess(0.8, "lines of a label and four numbers, or five")
    return None


def _numbers(words: list[str]) -> list[float] | None:
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def _read(
    source: Source,
    *,
    images: Images | None = None,
    labels: Labels | None = None,
    order: str | None = None,
    relative: bool | None = None,
    image_folder: str | None = None,
) -> Dataset:
    """Read a folder of text files, or one.

    Parameters
    ----------
    source
        The folder, or a file.
    images, labels
        They stand before those of the files; labels name numbers, in order.
    order
        ``"xywh"``, ``"xyxy"`` or ``"cxcywh"``.
    relative
        Whether the numbers are shares of the image's width and height; if not given: where none is above 1.
    image_folder
        Where the image files are, for their sizes.
    """
    if order is not None and order not in _ORDERS:
        raise UsageError(f"order={order!r}: one of {', '.join(_ORDERS)}")
    found = Gathered(Report(source.name), images, labels)
    files = list(text_files(source, found, found.report, ("images", "JPEGImages"), image_folder))
    table = _Table(files, found.report)
    found.report.close()
    shares = _is_relative(table) if relative is None else relative
    boxes = table.pixels(_chosen(table, order, shares, found, source), shares, found)
    found.report.close()
    for row, box in enumerate(boxes.tolist()):
        word = table.labels[row]
        if labels is not None and word.isdigit() and int(word) < len(labels):
            word = labels.names[int(word)]
        score = None if table.scores is None else float(table.scores[row])
        found.add(table.images[row], found.label(word), box=box, score=score, at=table.places[row])
    return found.dataset()


def _chosen(table: _Table, order: str | None, relative: bool, found: Gathered, source: Source) -> str:
    """The order that was asked for, else the only one under which every box lies in its image."""
    if order is not None:
        return order
    if not len(table.numbers):
        return _ORDERS[0]
    possible = [order for order in _ORDERS if table.fits(order, relative, found)]
    return possible[0] if len(possible) == 1 else _ask(source)


def _ask(source: Source) -> str:
    raise UsageError(
        f"{source.name}: four numbers of which nothing says what they are: order='xywh', 'xyxy' or 'cxcywh' "
        "(--read order=xywh)"
    )


def _is_relative(table: _Table) -> bool:
    return bool(len(table.numbers)) and bool((np.abs(table.numbers) <= 1).all())


def _edges(numbers: npt.NDArray[np.float64], order: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Corners (N, 2) of boxes that are given in an order."""
    first, second = numbers[:, :2], numbers[:, 2:]
    if order == "xyxy":
        return first, second
    low = first if order == "xywh" else first - second / 2
    return low, low + second


class _Table:
    """Lines as columns."""

    def __init__(self, files: list[TextFile], report: Report) -> None:
        lines = [(file.image, line) for file in files for line in file.lines]
        self.images = [image for image, _ in lines]
        self.places = [line.place for _, line in lines]
        self.labels = [line.words[0] for _, line in lines]
        longest = {len(line.words) for _, line in lines}
        rows = []
        for _, line in lines:
            numbers = _numbers(line.words[1:])
            if numbers is None or len(numbers) not in (_BOX, _BOX + 1):
                expected = "a label, a score or none, and four numbers"
                report.within(line.place.document).refuse(
                    "text-line", f"line {line.place.row}", " ".join(line.words)[:60], expected
                )
            elif len(numbers) + 1 != max(longest):
                report.within(line.place.document).refuse(
                    "score-missing", f"line {line.place.row}", "no score", "a score, as other lines have"
                )
            else:
                rows.append(numbers)
        report.close()
        table = np.array(rows, np.float64).reshape(len(rows), max(longest, default=1 + _BOX) - 1)
        self.scores = table[:, 0] if table.shape[1] > _BOX else None
        self.numbers = table[:, -_BOX:]
        if self.scores is not None:
            for row in np.flatnonzero((self.scores < 0) | (self.scores > 1)):
                place = self.places[int(row)]
                report.within(place.document).refuse(
                    "score-range", f"line {place.row}", f"{self.scores[row]:g}", "a score from 0 to 1"
                )

    def fits(self, order: str, relative: bool, found: Gathered) -> bool:
        """Whether all boxes, read in an order, lie in their images; to a pixel, or a hundredth of the image."""
        low, high = _edges(self.numbers, order)
        slack = 0.01 if relative else 1.0
        if (high < low).any() or (low < -slack).any():
            return False
        if relative:
            return bool((high <= 1 + slack).all())
        sizes = [found.size_of(image) for image in self.images]
        limits = np.array([(np.inf, np.inf) if size is None else size[::-1] for size in sizes], np.float64)
        return bool((high <= limits + slack).all())

    def pixels(self, order: str, relative: bool, found: Gathered) -> np.ndarray[Any, Any]:
        """Boxes x, y, width, height in pixels."""
        boxes = self.numbers.copy()
        if relative:
            sizes = [found.size_of(image) for image in self.images]
            for row, size in enumerate(sizes):
                if size is None:
                    place = self.places[row]
                    found.report.within(place.document).refuse(
                        "image-size", f"line {place.row}", "shares of an image of unknown size", "the image's size",
                        "give image_folder or images", sum(1 for other in sizes if other is None),
                    )  # fmt: skip
                    found.report.close()
            boxes *= np.array([[w, h, w, h] for h, w in sizes if (h, w) != (0, 0)], np.float64).reshape(-1, _BOX)  # type: ignore[misc]
        low, high = _edges(boxes, order)
        boxes = np.hstack([low, boxes[:, 2:] if order != "xyxy" else high - low])
        wrong = np.flatnonzero((boxes[:, 2:] < 0).any(axis=1)).tolist()
        if wrong:
            place = self.places[wrong[0]]
            numbers = " ".join(f"{number:g}" for number in self.numbers[wrong[0]])
            found.report.within(place.document).refuse(
                "text-box", f"line {place.row}", f"{numbers} as {order}", "a width and height of 0 or more",
                count=len(wrong),
            )  # fmt: skip
        return boxes


def _write(dataset: Dataset, folder: Path, *, order: str = "xywh", relative: bool = False) -> None:
    """Write a file for each image, those without annotations too.

    Parameters
    ----------
    dataset, folder
        What to write, and where.
    order
        ``"xywh"``, ``"xyxy"`` or ``"cxcywh"``.
    relative
        Write shares of the image's width and height.
    """
    if order not in _ORDERS:
        raise UsageError(f"order={order!r}: one of {', '.join(_ORDERS)}")
    rows = dataset.annotations
    boxes = rows.box.copy()
    if order == "xyxy":
        boxes[:, 2:] += boxes[:, :2]
    elif order == "cxcywh":
        boxes[:, :2] += boxes[:, 2:] / 2
    if relative:
        require_sizes(dataset, "to write shares of them")
        boxes /= np.tile(dataset.images.sizes[rows.image][:, ::-1].astype(np.float64), 2)
    lines: list[list[str]] = [[] for _ in range(len(dataset.images))]
    for row, image in enumerate(rows.image.tolist()):
        numbers = ([] if rows.score is None else [float(rows.score[row])]) + boxes[row].tolist()
        label = one_word(dataset.labels.names[rows.label[row]])
        lines[image].append(" ".join([label, *(f"{number!r}" for number in numbers)]))
    for stem, written in zip(file_stems(dataset.images), lines, strict=True):
        with laid(folder, f"{stem}.txt") as stream:
            stream.write("".join(f"{line}\n" for line in written).encode())


def _losses(dataset: Dataset, **_: Any) -> list[Loss]:
    return [
        suffixes_of(dataset.images),
        split_labels(dataset.labels),
    ]


FORMATS = {
    "boxes-text": Format(
        name="boxes-text",
        title="Plain text: a label, a score or none, and four numbers a line",
        suffixes=(".txt",),
        kind="folder",
        sniff=_sniff,
        reader=_read,
        writer=_write,
        special_losses=_losses,
        capabilities=Capabilities(
            scores=True,
            empty_images=True,
            convention="as order and relative say: pixels or shares, a corner and size, two corners, a centre and size",
            specification="https://github.com/rafaelpadilla/Object-Detection-Metrics",
        ),
    ),
}
"""Formats of this module."""
