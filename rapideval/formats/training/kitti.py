"""KITTI: a text file for each image, fifteen words an object, or sixteen with a score.

``type truncated occluded alpha left top right bottom`` and what is known of the object in space (height, width, length,
x, y, z, rotation). Edges are in pixels, the first pixel is 0. What stands beside type and edges is kept as further
fields, where it is not what KITTI writes for unknown. ``DontCare`` regions are read as crowd, which scoring passes over
in the same way: a detection that lies in one counts for nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rapideval.formats.capabilities import Capabilities, Loss, plural
from rapideval.formats.common.documents import laid
from rapideval.formats.common.losses import beyond
from rapideval.formats.common.names import file_stems, safe_path
from rapideval.formats.common.nodes import Refused, guarded
from rapideval.formats.common.textfiles import Line, first_lines, one_word, split_labels, suffixes_of, text_files
from rapideval.formats.files import Source
from rapideval.formats.gather import Gathered
from rapideval.formats.notes import Report
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels

__all__ = ["FORMATS"]

_WORDS = 15
_IGNORED = "DontCare"
# name, place and what stands for unknown
_FIELDS = (("truncated", 1, (0.0, -1.0)), ("occluded", 2, (0.0, -1.0)), ("alpha", 3, (-10.0, -1.0)))
_SPACE = ("dimensions", "location", "rotation_y")
_UNKNOWN = (-1.0, -1.0, -1.0, -1000.0, -1000.0, -1000.0, -10.0)


def _sniff(source: Source) -> Guess | None:
    lines = first_lines(source)
    kitti = [words for words in lines if _is_object(words)]
    if kitti and len(kitti) == len(lines):
        return Guess(1, "lines of a type and fourteen numbers, or fifteen")
    return None


def _is_object(words: list[str]) -> bool:
    numbered = len(words) >= _WORDS and _are_numbers(words[1 - _WORDS :]) and not _are_numbers(words[:1])
    return numbered and len(_of_type(words)) in (_WORDS, _WORDS + 1)


def _are_numbers(words: list[str]) -> bool:
    try:
        return all(np.isfinite(float(word)) for word in words)
    except ValueError:
        return False


def _of_type(words: list[str]) -> list[str]:
    """Words of a line, those of a type of several, as some tools write it, as one: numbers begin behind it."""
    start = next((place for place in range(1, len(words)) if _are_numbers(words[place:])), 1)
    return [" ".join(words[:start]), *words[start:]]


def _read(
    source: Source,
    *,
    images: Images | None = None,
    labels: Labels | None = None,
    image_folder: str | None = None,
) -> Dataset:
    """Read a folder of label files, or one.

    Parameters
    ----------
    source
        ``label_2``, what contains it, or a file.
    images, labels
        They stand before those of the files.
    image_folder
        Where the image files are, for their sizes and suffixes; ``image_2`` and its like are looked at without.
    """
    found = Gathered(Report(source.name), images, labels)
    for file in text_files(source, found, found.report, ("image_2", "images", "image"), image_folder):
        for line in file.lines:
            with guarded():
                _object(line, file.image, found)
    return found.dataset()


def _object(line: Line, image: int, found: Gathered) -> None:
    report = found.report.within(line.place.document)
    where = f"line {line.place.row}"
    words = _of_type(line.words)
    if len(words) not in (_WORDS, _WORDS + 1):
        report.refuse("kitti-line", where, f"{len(words)} words", f"{_WORDS}, or {_WORDS + 1} with a score")
        raise Refused
    if not _are_numbers(words[1:]):
        report.refuse("text-number", where, " ".join(words)[:60], "a type and numbers")
        raise Refused
    numbers = [0.0, *map(float, words[1:])]
    left, top, right, bottom = numbers[4:8]
    if right < left or bottom < top:
        report.refuse("kitti-box", where, f"edges {left:g} {top:g} {right:g} {bottom:g}", "ends behind starts")
        raise Refused
    score = numbers[_WORDS] if len(words) > _WORDS else None
    if score is not None and not 0 <= score <= 1:
        hint = "KITTI leaves scores free; ours are probabilities"
        report.refuse("score-range", where, f"{score:g}", "a score from 0 to 1", hint)
        raise Refused
    extras: dict[str, Any] = {
        name: numbers[place] if name != "occluded" else int(numbers[place])
        for name, place, unknown in _FIELDS
        if numbers[place] not in unknown
    }
    space = numbers[8:15]
    if tuple(space) != _UNKNOWN and set(space) != {-1.0}:
        extras |= {"dimensions": space[:3], "location": space[3:6], "rotation_y": space[6]}
    ignored = words[0] == _IGNORED
    found.add(
        image,
        found.label(words[0]),
        box=(left, top, right - left, bottom - top),
        score=score,
        crowd=True if ignored else None,
        extras=extras,
        at=line.place,
    )


def _write(dataset: Dataset, folder: Path) -> None:
    """Write ``label_2/`` with a file for each image, those without annotations too."""
    rows = dataset.annotations
    lines: list[list[str]] = [[] for _ in range(len(dataset.images))]
    for row, image in enumerate(rows.image.tolist()):
        extras = {} if rows.extras is None else rows.extras[row]
        x, y, width, height = rows.box[row].tolist()
        numbers = [_number(extras, "truncated", 0), int(_number(extras, "occluded", 0)), _number(extras, "alpha", -10)]
        numbers += [x, y, x + width, y + height, *_space(extras)]
        if rows.score is not None:
            numbers.append(float(rows.score[row]))
        label = one_word(dataset.labels.names[rows.label[row]])
        lines[image].append(" ".join([label, *(f"{number!r}" for number in numbers)]))
    for stem, written in zip(file_stems(dataset.images), lines, strict=True):
        with laid(folder, f"label_2/{stem}.txt") as stream:
            stream.write("".join(f"{line}\n" for line in written).encode())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(extras: dict[str, Any], name: str, unknown: float) -> float:
    return extras[name] if _is_number(extras.get(name)) else unknown


def _space(extras: dict[str, Any]) -> list[float]:
    """What is known of an object in space; all or nothing."""
    dimensions, location = extras.get("dimensions"), extras.get("location")
    triples = [value for value in (dimensions, location) if isinstance(value, list) and len(value) == 3]
    if len(triples) == 2 and all(_is_number(v) for triple in triples for v in triple):
        return [*triples[0], *triples[1], _number(extras, "rotation_y", -10)]
    return list(_UNKNOWN)


def _losses(dataset: Dataset, **_: Any) -> list[Loss]:
    rows = dataset.annotations
    known = {name for name, _, _ in _FIELDS} | set(_SPACE)
    named = np.array([name == _IGNORED for name in dataset.labels.names], np.bool_)
    crowd = int((rows.crowd != (named[rows.label] if len(named) else rows.crowd)).sum())
    return [
        beyond(rows.extras, known, "attributes", "annotation"),
        suffixes_of(dataset.images),
        Loss("crowd", crowd, f"the crowd flag of {plural(crowd, 'annotation')}: only the label {_IGNORED} is one"),
        split_labels(dataset.labels),
    ]


FORMATS = {
    "kitti": Format(
        name="kitti",
        title="KITTI: boxes as text, with what is known of objects in space",
        suffixes=(".txt",),
        kind="folder",
        sniff=_sniff,
        reader=_read,
        writer=_write,
        special_losses=_losses,
        picture_paths=lambda images: [f"image_2/{safe_path(key)}" for key in images.keys],
        capabilities=Capabilities(
            scores=True,
            empty_images=True,
            convention="edges in pixels, origin at the top-left corner of the image",
            index_base="pixels from 0",
            specification="https://www.cvlibs.net/datasets/kitti/eval_object.php",
        ),
    ),
}
"""Formats of this module."""
