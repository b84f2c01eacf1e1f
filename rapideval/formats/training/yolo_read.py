"""A YOLO folder into a Dataset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt

from rapideval.errors import FormatError, InputError, Problem
from rapideval.formats.common.names import safe_path
from rapideval.formats.common.numbers import Lines, read_numbers
from rapideval.formats.common.pictures import picture_sizes
from rapideval.formats.files import Source, readable
from rapideval.formats.notes import Report
from rapideval.formats.training.yolo_layout import Item, Layout, layout_of
from rapideval.model import Annotations, Dataset, Extras, Images, Labels, Polygons
from rapideval.model import Source as Origin
from rapideval.model.columns import offsets_of, take_ragged

__all__ = ["read"]

# What trainers accept beyond 0 and 1, for rounding.
_LOW, _HIGH = -0.01, 1.01

_BOX = 4


def read(
    source: Source,
    images: Images | None,
    labels: Labels | None,
    split: str | None,
    image_folder: str | None,
    lenient: bool,
) -> Dataset:
    """Read a folder; see `rapideval.formats.training.yolo`."""
    if source.path is None or not source.path.exists():
        raise FormatError(Problem("yolo-folder", source.name, "no folder", "a folder, its data.yaml or its obj.data"))
    report = Report(source.name)
    layout = layout_of(source, image_folder)
    for named, entry in layout.missing:
        report.note("yolo-split", f"no {entry!r}: nothing is read of it", f"{named}", severity="warning")
    items = [item for item in layout.items if split is None or item.split == split]
    if not items:
        expected = f"images of the split {split}" if split else "images and label files"
        raise FormatError(Problem("folder-empty", source.name, "none", expected))
    lines, image = _lines(items, report)
    report.close()
    found, place = _images(items, image, lines, images, report)
    report.close()
    rows = _Rows(lines, layout, report, lenient)
    names, label = _labels(rows.classes, layout, labels, report)
    report.close()
    annotations = rows.annotations(place[image], label, found.sizes)
    report.close()
    try:
        return Dataset(found, names, annotations, None, report.notes)
    except InputError as error:
        raise FormatError(error.problems, error.total) from None


def _lines(items: Sequence[Item], report: Report) -> tuple[Lines, npt.NDArray[np.int64]]:
    """Lines of all label files, and the item of each."""
    files, owners = [], []
    for place, item in enumerate(items):
        if item.label_file is not None:
            with readable(item.label_file):
                files.append(item.label_file.read_bytes().removeprefix(b"\xef\xbb\xbf"))
            owners.append(place)
    lines = read_numbers(files, [str(items[place].label_file) for place in owners], report)
    return lines, np.array(owners, np.int64)[lines.document]


# --- images and labels -----------------------------------------------------------------------------


def _images(
    items: Sequence[Item], image: npt.NDArray[np.int64], lines: Lines, given: Images | None, report: Report
) -> tuple[Images, npt.NDArray[np.int64]]:
    """Images with their sizes, those given before the others; the place of each item among them."""
    names = [item.name for item in items]
    known = _Given(given)
    place = np.array([known.place(name) for name in names], np.int64)
    new = np.flatnonzero(place < 0)
    base = 0 if given is None else len(given)
    place[new] = base + np.arange(len(new))
    sizes = np.zeros((base + len(new), 2), np.uint32)
    if given is not None:
        sizes[:base] = given.sizes
    unknown = [item for item in range(len(items)) if not sizes[place[item]].all()]
    for item, size in zip(unknown, picture_sizes([items[item].picture for item in unknown]), strict=True):
        if size is not None:
            sizes[place[item]] = size
    needed = np.unique(image)
    without = needed[~sizes[place[needed]].all(axis=1)]
    if len(without):
        first = int(without[0])
        report.refuse(
            "image-size", str(items[first].label_file), f"labels of {names[first]!r}, whose size is not known",
            "the size of the image, to make pixels of relative coordinates",
            "give the folder of the images (image_folder), or a dataset that knows their sizes (images)", len(without),
        )  # fmt: skip
    splits = [item.split for item in items]
    extras: list[dict[str, object] | None] = [None] * len(sizes)
    if given is not None and given.extras is not None:
        extras[:base] = [given.extras[row] for row in range(base)]
    for item, split in enumerate(splits):
        if split is not None and len(set(splits)) > 1:
            extras[place[item]] = {**(extras[place[item]] or {}), "split": split}
    keys = [*(() if given is None else given.keys), *(names[item] for item in new)]
    ids = None if given is None or given.ids is None or len(new) else given.ids
    return Images(keys, ids, sizes, Extras.from_dicts(extras) if any(extras) else None), place


class _Given:
    """Images that were given, found by name as a label file has it: as a path, by its last part, without suffix."""

    def __init__(self, images: Images | None) -> None:
        self._by: dict[str, int | None] = {}
        keys = () if images is None else images.keys
        for form in _FORMS:
            found: dict[str, int | None] = {}
            for place, key in enumerate(keys):
                text = form(key)
                found[text] = None if text in found else place  # what two images share tells neither
            self._by = found | self._by

    def place(self, name: str) -> int:
        """Place of an image, -1 where it is none of those."""
        if not self._by:
            return -1
        for form in _FORMS:
            found = self._by.get(form(name))
            if found is not None:
                return found
        return -1


def _last(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1]


def _bare(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _bare_last(name: str) -> str:
    return _bare(_last(name))


# The surest first: as it is, as the path it was written under, its last part, both without suffix.
_FORMS = (str, safe_path, _last, _bare, _bare_last)


def _labels(
    classes: npt.NDArray[np.int64], layout: Layout, given: Labels | None, report: Report
) -> tuple[Labels, npt.NDArray[np.int64]]:
    """Labels, and the place of each line's."""
    names = layout.names
    if names is not None:
        if given is not None:
            labels = given.extended(names)
            return labels, np.array([labels.index(name) for name in names], np.int64)[classes]
        return Labels(_unique(names, report)), classes
    if given is not None:
        return given, classes
    numbers = [str(number) for number in range(int(classes.max()) + 1 if len(classes) else 0)]
    report.note(
        "label-names", "class numbers without names: they are labels themselves", severity="warning",
        hint="give the names in order (labels)",
    )  # fmt: skip
    return Labels(numbers), classes


def _unique(names: list[str], report: Report) -> list[str]:
    for name in names:
        if names.count(name) > 1:
            report.refuse("label-twice", "names", f"{name!r} twice", "a name of its own for each class")
            report.close()
    return names


# --- rows ------------------------------------------------------------------------------------------


class _Rows:
    """Lines as objects: which are boxes, which outlines, which have scores."""

    def __init__(self, lines: Lines, layout: Layout, report: Report, lenient: bool) -> None:
        self.lines, self.report = lines, report
        self._keypoints = layout.keypoints
        lengths = lines.lengths
        after_box = 0 if layout.keypoints is None else layout.keypoints[0]
        posed = lengths >= 1 + _BOX + after_box if after_box else np.zeros(len(lengths), np.bool_)
        posed &= lengths <= 2 + _BOX + after_box
        self.is_box = (lengths == 1 + _BOX) | (lengths == 2 + _BOX) | posed
        self.is_posed = posed & (lengths > 2 + _BOX)
        is_outline = ~self.is_box & (lengths >= 7)
        self.scored = np.where(self.is_posed, lengths == 2 + _BOX + after_box, lengths % 2 == 0) & (lengths > 5)
        self._refuse(
            ~self.is_box & ~is_outline, "yolo-line", lambda row: f"{lengths[row]} numbers",
            "a class and four numbers, or the points of an outline, and a score or none",
        )  # fmt: skip
        report.close()
        first = lines.values[lines.offsets[:-1]]
        self._refuse(
            (first != np.floor(first)) | (first < 0) | (first > 2**31), "yolo-class", lambda row: f"{first[row]:g}",
            "a class number from 0",
        )  # fmt: skip
        report.close()
        self.classes = first.astype(np.int64)
        limit = None if layout.names is None else len(layout.names)
        if limit is not None:
            self._refuse(
                self.classes >= limit, "yolo-class", lambda row: f"class {self.classes[row]}",
                f"a class of the {limit} that have names, from 0",
            )  # fmt: skip
        if not lenient:
            self._check_range()
        report.close()

    def _check_range(self) -> None:
        lines = self.lines
        drawn = np.ones(len(lines.values), np.bool_)
        drawn[lines.offsets[:-1]] = False
        drawn[lines.offsets[1:][self.scored] - 1] = False
        posed = np.flatnonzero(self.is_posed)
        for row in posed:  # the third number of a keypoint says whether it is visible
            drawn[lines.offsets[row] + 1 + _BOX : lines.offsets[row + 1]] = False
        outside = drawn & ((lines.values < _LOW) | (lines.values > _HIGH))
        if outside.any():
            rows = np.searchsorted(lines.offsets, np.flatnonzero(outside), side="right") - 1
            flags = np.zeros(len(lines.lengths), np.bool_)
            flags[rows] = True
            worst = float(lines.values[np.flatnonzero(outside)[0]])
            self._refuse(
                flags, "yolo-range", lambda row: f"the coordinate {worst:g}", "coordinates from 0 to 1",
                "pixels? or lenient=True (--lenient) reads what lies outside of the image",
            )  # fmt: skip

    def _refuse(
        self, wrong: npt.NDArray[np.bool_], rule: str, found: Callable[[int], str], expected: str, hint: str = ""
    ) -> None:
        """Refuse lines: the first is named, all are counted."""
        rows = np.flatnonzero(wrong)
        if len(rows):
            place = self.lines.place(int(rows[0]))
            self.report.within(place.document).refuse(
                rule, f"line {place.row}", found(int(rows[0])), expected, hint, len(rows)
            )

    def annotations(
        self, image: npt.NDArray[np.int64], label: npt.NDArray[np.int64], sizes: npt.NDArray[np.uint32]
    ) -> Annotations:
        """All of them, in pixels."""
        lines = self.lines
        count = len(image)
        if not count:
            return Annotations.empty()
        shape = sizes[image][:, ::-1].astype(np.float64)  # width, height
        polygons = self._outlines(shape)
        boxes = np.zeros((count, 4)) if polygons is None else polygons.boxes
        rows = np.flatnonzero(self.is_box)
        cx, cy, width, height = (lines.column(rows, place) for place in range(1, 1 + _BOX))
        negative = np.flatnonzero((width < 0) | (height < 0))
        flags = np.zeros(count, np.bool_)
        flags[rows[negative]] = True
        self._refuse(flags, "yolo-box", lambda row: "a width or height below 0", "0 or more")
        corner = np.stack([cx - width / 2, cy - height / 2], axis=1)
        boxes[rows] = np.hstack([corner * shape[rows], np.stack([width, height], axis=1) * shape[rows]])
        names = [*dict.fromkeys(lines.names)]
        return Annotations(
            image.astype(np.int32),
            label.astype(np.int32),
            boxes,
            self._scores(),
            None,
            None,
            None,
            polygons,
            None,
            Origin([f"{name}: line {{row}}" for name in names], lines.number, lines.document.astype(np.int32)),
            self._keypoint_fields(shape),
            set() if len(rows) else {"box"},
        )

    def _outlines(self, shape: npt.NDArray[np.float64]) -> Polygons | None:
        rows = np.flatnonzero(~self.is_box)
        if not len(rows):
            return None
        starts = self.lines.offsets[rows] + 1
        numbers = self.lines.offsets[rows + 1] - starts - self.scored[rows]
        ends = np.stack([starts, starts + numbers], axis=1).reshape(-1)
        picked, offsets = take_ragged(ends, 2 * np.arange(len(rows)))
        points = self.lines.values[picked].reshape(-1, 2) * np.repeat(shape[rows], numbers // 2, axis=0)
        per_row = (~self.is_box).astype(np.int64)
        return Polygons(points, offsets // 2, offsets_of(per_row))

    def _scores(self) -> npt.NDArray[np.float64] | None:
        if not self.scored.any():
            return None
        self._refuse(
            ~self.scored, "score-missing", lambda row: "no score", "a score, as other lines have",
        )  # fmt: skip
        self.report.close()
        scores = self.lines.values[self.lines.offsets[1:] - 1]
        wrong = (scores < 0) | (scores > 1)
        self._refuse(wrong, "score-range", lambda row: f"{scores[row]:g}", "a score from 0 to 1")
        self.report.close()
        return scores

    def _keypoint_fields(self, shape: npt.NDArray[np.float64]) -> Extras | None:
        """Keypoints as COCO has them: x, y in pixels and 2 where visible, 0 where not labelled."""
        if self._keypoints is None or not self.is_posed.any():
            return None
        total, each = self._keypoints
        fields: list[dict[str, list[float]] | None] = [None] * len(shape)
        for row in np.flatnonzero(self.is_posed):
            start = int(self.lines.offsets[row]) + 1 + _BOX
            points = self.lines.values[start : start + total].reshape(-1, each)
            pixels = points[:, :2] * shape[row]
            visible = points[:, 2:3] if each > 2 else np.where(points.any(axis=1, keepdims=True), 2.0, 0.0)
            fields[row] = {"keypoints": np.hstack([pixels, visible]).reshape(-1).tolist()}
        return Extras.from_dicts(fields)
