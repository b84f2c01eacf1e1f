"""Open Images: boxes as CSV, also V5 and V6 with their masks.

``ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside``, edges
relative to the image's width and height, origin at its top-left corner. ``IsGroupOf`` is the crowd flag; the other
flags are kept as further fields where they are 1. ``Confidence`` is a score where every ``Source`` is ``prediction``,
as rapideval writes them. ``...class-descriptions.csv`` gives labels their names, ``images.meta`` (name, height, width)
images their sizes, unless the heads of image files in ``images`` or the images given do. Of a folder, the first word of
a file's name (``train-``, ``validation-``, ``test-``) is the split of its images.

Masks (``...segmentation.csv``, PNGs in ``masks``) are joined to the box of the same image, label and edges; where the
boxes have a ``BoxID`` too, as rapideval writes it beside masks, to the box of that id. One that is
of another size than its image is scaled to it, and counted.
"""

from __future__ import annotations

import csv
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.errors import FormatError, Problem
from rapideval.formats.capabilities import Capabilities, Loss, plural
from rapideval.formats.common.canvas import read_index, write_png
from rapideval.formats.common.documents import laid, paths_of
from rapideval.formats.common.losses import beyond
from rapideval.formats.common.names import PICTURES
from rapideval.formats.common.nodes import Node, guarded
from rapideval.formats.common.pictures import picture_beside, picture_sizes
from rapideval.formats.common.sizes import require_sizes
from rapideval.formats.files import Source
from rapideval.formats.gather import Gathered
from rapideval.formats.notes import Place, Report
from rapideval.formats.registry import Format, Guess
from rapideval.formats.training.open_images_columns import EDGES, FLAGS, annotations_of, csv_of, table_of
from rapideval.model import Dataset, Images, Labels, Masks

__all__ = ["FORMATS"]

_SUFFIXES = (".csv",)
_BOXES = ("ImageID", "Source", "LabelName", "Confidence", "XMin", "XMax", "YMin", "YMax", "IsOccluded", "IsTruncated",
          "IsGroupOf", "IsDepiction", "IsInside")  # fmt: skip
_MASKS = ("MaskPath", "ImageID", "LabelName", "BoxID", "BoxXMin", "BoxXMax", "BoxYMin", "BoxYMax", "PredictedIoU",
          "Clicks")  # fmt: skip
_PREDICTION = "prediction"
_SPLITS = ("train", "validation", "test")


def _sniff(source: Source) -> Guess | None:
    if source.is_folder:
        assert source.path is not None
        for path in paths_of(source, _SUFFIXES, 60):
            if _is_boxes(path.read_bytes()[:400]):
                return Guess(1, f"{path.name} with ImageID, LabelName and XMin")
        return None
    return Guess(1, "CSV with ImageID, LabelName and XMin") if _is_boxes(source.head(400)) else None


def _is_boxes(head: bytes) -> bool:
    names = head.split(b"\n", 1)[0].removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").strip().split(",")
    return {"ImageID", "LabelName", *EDGES} <= set(names) and "MaskPath" not in names


# --- reading -----------------------------------------------------------------------------------------


def _read(
    source: Source,
    *,
    images: Images | None = None,
    labels: Labels | None = None,
    image_folder: str | None = None,
) -> Dataset:
    """Read a folder, or one file of boxes.

    Parameters
    ----------
    source
        The folder, or the file.
    images, labels
        They stand before those of the files; sizes of images are theirs, where they have them.
    image_folder
        Where the image files are, if not in ``images`` beside ``annotations``.
    """
    reading = _Reading(source, images, labels, image_folder)
    data = reading.as_columns()
    if data is not None:
        return data
    for path in reading.files("boxes"):
        reading.boxes(path)
    for path in reading.files("masks"):
        reading.masks(path)
    return reading.dataset()


class _Reading:
    """Files of a folder, and what is found in them."""

    def __init__(self, source: Source, images: Images | None, labels: Labels | None, image_folder: str | None) -> None:
        self.found = Gathered(Report(source.name), images, labels)
        self._source = source
        root = source.path if source.is_folder else None
        self._listed: list[Source] = [Source(path) for path in paths_of(root, _SUFFIXES)] if root else [source]
        self._kinds = {document.name: _kind(document) for document in self._listed}
        self._root = root
        self._pictures = Path(image_folder) if image_folder else None
        self._names: dict[str, str] = {}
        self._by_edges: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        self._by_id: dict[tuple[int, str], dict[str, Any]] = {}
        self._rows: list[dict[str, Any]] = []
        self._scaled = 0
        self._meta()
        for document in self.files("descriptions"):
            self._describe(document)
        some = [] if self.files("masks") else [table_of(document) for document in self.files("boxes")]
        self._tables = [table for table in some if table is not None] if None not in some else []
        self._predicted = self._are_predictions()

    def files(self, kind: str) -> list[Source]:
        """Files of a kind."""
        return [document for document in self._listed if self._kinds[document.name] == kind]

    def _meta(self) -> None:
        for path in paths_of(self._root, (".meta",)) if self._root else []:
            for number, line in enumerate(path.read_text("utf-8", "replace").split("\n"), 1):
                if not line.strip() or line.startswith("#"):
                    continue
                words = _words(line)
                if len(words) != 3 or not all(re.fullmatch(r"\d{1,9}", word) for word in words[1:]):
                    self.found.report.within(str(path)).refuse(
                        "open-images-meta", f"line {number}", repr(line[:60]), "a name, a height and a width"
                    )
                elif int(words[1]) and int(words[2]):
                    self.found.image(words[0], (int(words[1]), int(words[2])))
                else:
                    self.found.image(words[0])

    def _describe(self, document: Source) -> None:
        for _, line in _lines(document, None):
            words = list(line.values())
            if words[0] != "LabelName":
                self._names[words[0]] = words[1]
                self.found.label(words[1], extras={"mid": words[0]} if words[0] != words[1] else None)

    def as_columns(self) -> Dataset | None:
        """All of it, where there are boxes alone and nothing is to be refused; else None."""
        unfit = self._predicted and any(
            table.confidence is None or not ((table.confidence >= 0) & (table.confidence <= 1)).all()
            for table in self._tables
        )
        if not self._tables or unfit:
            return None
        images = []
        for table in self._tables:
            places = self._images(table.images, self._split(table.name))
            images.append(np.array([places[key] for key in table.images], np.int64))
        sizes = [self.found.size_of(place) for place in range(max(int(places.max()) for places in images) + 1)]
        if any(sizes[place] is None for places in images for place in places.tolist()):
            return None
        labels = [
            np.array([self.found.label(self._names.get(label, label)) for label in table.labels], np.int64)
            for table in self._tables
        ]
        known = np.array([size or (0, 0) for size in sizes], np.float64)
        rows = annotations_of(self._tables, images, labels, known, self._predicted)
        return self.found.dataset(rows=rows)

    def _are_predictions(self) -> bool:
        if self._tables:
            return set().union(*(table.sources for table in self._tables)) == {_PREDICTION}
        sources = {line.get("Source") for document in self.files("boxes") for _, line in _lines(document, _BOXES[:8])}
        return sources == {_PREDICTION}

    def boxes(self, document: Source) -> None:
        """Read a file of boxes."""
        report = self.found.report.within(document.name)
        split = self._split(document.name)
        lines = list(_lines(document, _BOXES[:3] + EDGES))
        places = self._images([line["ImageID"] for _, line in lines], split)
        for number, line in lines:
            with guarded():
                node = Node(line, f"line {number}", report)
                edges = [_number(node[name]) for name in EDGES]
                row = self._row(node, places[line["ImageID"]], line["LabelName"], edges, number)
                if self._predicted:
                    row["score"] = Node(_number(node["Confidence"]), f"line {number}", report).score()
                if line.get("IsGroupOf") == "1":
                    row["crowd"] = True
                row["extras"] = {name: True for name in FLAGS if line.get(name) == "1"}
                if line.get("BoxID"):
                    self._by_id[row["image"], line["BoxID"]] = row

    @staticmethod
    def _split(name: str) -> str | None:
        return next((split for split in _SPLITS if re.match(rf"(?:oidv6-)?{split}-", Path(name).name)), None)

    def _row(self, node: Node, place: int, label: str, edges: list[float], number: int) -> dict[str, Any]:
        size = self.found.size_of(place)
        if size is None:
            expected, hint = "the size of the image", "give image_folder, or the images (images)"
            node.refuse("image-size", "edges relative to an image of unknown size", expected, hint)
        left, right, top, bottom = edges
        if right < left or bottom < top:
            node.refuse("open-images-box", f"edges {left:g}, {right:g}, {top:g}, {bottom:g}", "ends behind starts")
        height, width = size
        row = {
            "image": place,
            "label": self.found.label(self._names.get(label, label)),
            "box": (left * width, top * height, (right - left) * width, (bottom - top) * height),
            "at": Place(node.report.name, "line {row}", number),
        }
        self._rows.append(row)
        self._by_edges.setdefault((place, label, *(round(edge, 6) for edge in edges)), []).append(row)
        return row

    def _images(self, keys: list[str], split: str | None) -> dict[str, int]:
        """Places of images, whose sizes are read from their files' heads where they are not known."""
        places = {key: self.found.image(key) for key in dict.fromkeys(keys)}
        if split is not None and self._root is not None and len(self.files("boxes")) > 1:
            for key in places:
                self.found.image(key, extras={"split": split})
        unknown = [key for key, place in places.items() if self.found.size_of(place) is None]
        pictures = [self._picture(key) for key in unknown]
        for key, size in zip(unknown, picture_sizes(pictures), strict=True):
            if size is not None:
                self.found.size(places[key], size)
        return places

    def _picture(self, key: str) -> Path | None:
        folders = [self._pictures] if self._pictures else []
        if not folders and self._root is not None:
            base = self._root / "images"
            folders = [base, *(base / split for split in _SPLITS)]
        for folder in folders:
            if (folder / key).is_file():
                return folder / key
            beside = picture_beside(folder / key, PICTURES)
            if beside is not None:
                return beside
        return None

    def masks(self, document: Source) -> None:
        """Read a file of masks, and join them to their boxes."""
        report = self.found.report.within(document.name)
        lines = list(_lines(document, _MASKS[:8]))
        places = self._images([line["ImageID"] for _, line in lines], None)
        for number, line in lines:
            with guarded():
                node = Node(line, f"line {number}", report)
                edges = [_number(node[f"Box{name}"]) for name in EDGES]
                place = places[line["ImageID"]]
                row = self._by_id.get((place, line["BoxID"]))
                if row is None or "mask" in row:
                    waiting = self._by_edges.get((place, line["LabelName"], *(round(edge, 6) for edge in edges)), [])
                    row = next((row for row in waiting if "mask" not in row), None)
                if row is None:
                    row = self._row(node, place, line["LabelName"], edges, number)
                row["mask"] = self._mask(node, place)

    def _mask(self, node: Node, place: int) -> Masks:
        name = node["MaskPath"].text()
        base = self._root or Path(self._source.name).parent
        found = [path for path in paths_of(base / "masks", (".png",)) if path.name == Path(name).name]
        if not found:
            node["MaskPath"].refuse("mask-missing", repr(name), "a PNG in the folder masks")
        dense = read_index(found[0], colours=False) > 0
        size = self.found.size_of(place)
        assert size is not None  # a row has a box, which needed it
        if dense.shape != size:
            self._scaled += 1
            rows = (np.arange(size[0]) * dense.shape[0] // size[0]).astype(np.intp)
            columns = (np.arange(size[1]) * dense.shape[1] // size[1]).astype(np.intp)
            dense = dense[rows][:, columns]
        return Masks.from_dense(dense)

    def dataset(self) -> Dataset:
        """All of it."""
        if self._scaled:
            text = f"{self._scaled:,} masks of another size than their image: scaled to it"
            self.found.report.note("open-images-scaled", text, severity="warning", count=self._scaled)
        for row in self._rows:
            self.found.add(row.pop("image"), row.pop("label"), **row)
        return self.found.dataset(scored=self._predicted)


def _words(line: str) -> list[str]:
    """Words of a line; one in quotes may have spaces."""
    if not re.search(r"['\"\\]", line):
        return re.findall(r"[^ \t\r\n]+", line)
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def _kind(document: Source) -> str:
    head = document.head(400)
    line = head.split(b"\n", 1)[0].removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").strip().split(",")
    if "MaskPath" in line:
        return "masks"
    if _is_boxes(head):
        return "boxes"
    return "descriptions" if "class-descriptions" in document.name else "other"


def _lines(document: Source, needed: tuple[str, ...] | None) -> Iterator[tuple[int, dict[str, str]]]:
    """Lines of a CSV file by column; without a header where none is needed."""
    try:
        text = io.StringIO(document.data().decode("utf-8-sig"), newline="")
    except UnicodeDecodeError:
        raise FormatError(Problem("csv-utf8", document.name, "bytes that are not UTF-8", "UTF-8")) from None
    reader = csv.reader(text, strict=True)
    names: list[str] | None = None
    try:
        for line in reader:
            if not line:
                continue
            if names is None and needed is not None:
                names = line
                missing = sorted(set(needed) - set(names))
                if missing:
                    found = f"no column {missing[0]}"
                    raise FormatError(Problem("csv-columns", f"{document.name}: line 1", found, missing[0]))
                continue
            wanted = 2 if names is None else len(names)
            if len(line) != wanted:
                where = f"{document.name}: line {reader.line_num}"
                raise FormatError(Problem("csv-columns", where, f"{len(line)} values", f"{wanted}"))
            yield reader.line_num, dict(zip(names or ("LabelName", "DisplayName"), line, strict=True))
    except csv.Error as error:
        raise FormatError(Problem("csv-syntax", document.name, str(error), "comma-separated values")) from None


def _number(node: Node) -> float:
    """Read a number; some spreadsheets write a comma for the point."""
    try:
        number = float(node.text().replace(",", "."))
    except ValueError:
        node.refuse("text-number", repr(node.value), "a number")
    return Node(number, node.path, node.report).number()


# --- writing -----------------------------------------------------------------------------------------


def _write(dataset: Dataset, folder: Path) -> None:
    """Write ``annotations/`` and, where there are masks, ``masks/``."""
    rows = dataset.annotations
    require_sizes(dataset, "as edges are relative to them")
    masks = dataset.with_masks().annotations.masks
    mids = _mids(dataset.labels)
    edges = _edges(dataset)
    outlines = []
    if masks is not None:
        for row in np.flatnonzero(masks.present).tolist():
            name = f"{row:09d}.png"
            write_png(folder, f"masks/{name}", _picture_of(masks.dense(row)))
            key, mid = dataset.images.key(int(rows.image[row])), mids[rows.label[row]]
            outlines.append([name, key, mid, f"{row:09d}", *edges[row].tolist(), "", ""])
    names = [list(pair) for pair in zip(mids, dataset.labels.names, strict=True)]
    tables: list[tuple[str, tuple[str, ...], list[list[Any]]]] = [
        ("class-descriptions", ("LabelName", "DisplayName"), names),
    ]
    if outlines:
        tables.append(("object-segmentation", _MASKS, outlines))
    for name, columns, lines in tables:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(lines)
        with laid(folder, f"annotations/{name}.csv") as stream:
            stream.write(text.getvalue().encode())
    with laid(folder, "annotations/bbox.csv") as stream:
        stream.write(_boxes(dataset, mids, edges, masks))
    with laid(folder, "annotations/images.meta") as stream:
        for image in dataset.images:
            if "\n" not in image.key:
                stream.write(f"{shlex.quote(image.key)} {image.height or 0} {image.width or 0}\n".encode())


def _edges(dataset: Dataset) -> npt.NDArray[np.float64]:
    """Left, right, top, bottom of each annotation, relative to its image, (N, 4)."""
    x, y, width, height = dataset.annotations.box.T
    rows, columns = dataset.images.sizes[dataset.annotations.image].astype(np.float64).T
    return np.stack([x / columns, (x + width) / columns, y / rows, (y + height) / rows], axis=1)


def _boxes(dataset: Dataset, mids: list[str], edges: npt.NDArray[np.float64], masks: Masks | None) -> bytes:
    rows = dataset.annotations
    flags = {name: np.zeros(len(rows), np.int64) for name in FLAGS} | {"IsGroupOf": rows.crowd.astype(np.int64)}
    if (extras := rows.extras) is not None:
        for row in np.flatnonzero(extras.present).tolist():
            for name in set(FLAGS) & extras[row].keys():
                flags[name][row] = extras[row][name] is True
    kind = "manual" if rows.score is None else _PREDICTION
    columns: dict[str, Any] = {
        "ImageID": (dataset.images.keys, rows.image),
        "Source": ([kind], np.zeros(len(rows), np.int64)),
        "LabelName": (mids, rows.label),
        "Confidence": np.ones(len(rows), np.int64) if rows.score is None else rows.score,
    }
    columns |= dict(zip(EDGES, edges.T, strict=True))
    columns |= {name: flags[name] for name in _BOXES[8:]}
    if masks is not None and masks.present.any():  # two boxes alike may not both have a mask
        ids = ["", *(f"{row:09d}" for row in np.flatnonzero(masks.present).tolist())]
        columns["BoxID"] = (ids, np.where(masks.present, np.cumsum(masks.present), 0))
    return csv_of(columns)


def _mids(labels: Labels) -> list[str]:
    """The machine's names of labels, where they are known; their own else."""
    fields = [{} if labels.extras is None else labels.extras[place] for place in range(len(labels))]
    return [str(field.get("mid", name)) for field, name in zip(fields, labels.names, strict=True)]


def _picture_of(mask: npt.NDArray[np.bool_]) -> Any:
    from PIL import Image

    return Image.fromarray(mask.astype(np.uint8) * 255)


def _losses(dataset: Dataset, **_: Any) -> list[Loss]:
    broken = sum(1 for key in dataset.images.keys if "\n" in key)
    return [
        beyond(dataset.annotations.extras, FLAGS, "attributes", "annotation"),
        beyond(dataset.labels.extras, ("mid",), "label_attributes", "label"),
        Loss("image_sizes", broken, f"the sizes of {plural(broken, 'image')} whose names have several lines"),
    ]


FORMATS = {
    "open-images": Format(
        name="open-images",
        title="Open Images: boxes as CSV, masks as PNG",
        suffixes=_SUFFIXES,
        kind="folder",
        sniff=_sniff,
        reader=_read,
        writer=_write,
        special_losses=_losses,
        capabilities=Capabilities(
            masks=True,
            crowd=True,
            scores=True,
            empty_images=True,
            image_sizes=True,
            unused_labels=True,
            label_order=True,
            convention="edges relative to width and height of the image, origin at its top-left corner",
            specification="https://storage.googleapis.com/openimages/web/download_v7.html",
        ),
    ),
}
"""Formats of this module."""
