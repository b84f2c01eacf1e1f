"""What a format promises to hold comes back: write and read is the identity on all of it, for every format."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.within import content, datasets_within, names
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapideval import formats
from rapideval.model import Images, Labels

FILES = names.map(lambda name: name + ".jpg")
PATHS = st.text("abzé漢 09_-.#&'", min_size=1, max_size=8).map(lambda name: f"d/{name.strip(' .')}x.png")
SCORES = st.floats(0, 1)


@dataclass(frozen=True)
class Case:
    """How a format is tried.

    Attributes
    ----------
    precision
        How far a coordinate may be off, in pixels, and a score.
    kinds
        Shapes that annotations have.
    corners
        Fewest and most points of an outline.
    options, reading
        Of writing and of reading.
    given
        What reading is told: ``"images"``, ``"labels"``.
    sizes_given
        Images have sizes though the format does not hold them: it needs them to write.
    crowd_outlines
        A crowd may have an outline; else only a mask or a box.
    ids
        Images and labels always have ids, by which annotations refer to them.
    scored
        True: annotations always have scores.
    disjoint
        No two masks of an image share a pixel.
    one_per_label
        An image has at most one annotation of a label.
    most_labels
        Labels that there are at most.
    by_label
        Annotations of an image come by their labels; at most the first of each is a crowd.
    looks_like
        Formats that the content may be taken for instead; reading it as them gives the same.
    told
        Losses that what reading is told makes good.
    """

    precision: float = 0.0
    score_precision: float = 0.0
    kinds: tuple[str, ...] = ("box", "polygon", "mask")
    corners: tuple[int, int] = (3, 5)
    boxes_beside: bool = True
    options: dict[str, Any] = field(default_factory=dict)
    reading: dict[str, Any] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    sizes_given: bool = False
    crowd_outlines: bool = True
    ids: bool = False
    scored: bool | None = None
    disjoint: bool = False
    one_per_label: bool = False
    most_labels: int = 3
    by_label: bool = False
    told: frozenset[str] = frozenset()
    looks_like: tuple[str, ...] = ()
    image_names: Any = FILES
    label_names: Any = names
    scores: Any = SCORES


# Relative coordinates: sizes are told, names are paths that every system has.
RELATIVE = {
    "precision": 1e-12,
    "given": ("images",),
    "sizes_given": True,
    "told": frozenset({"image_sizes"}),
    "image_names": PATHS,
}

# A text file for each image and a word for each label.
WORDS = st.text("abzé漢_-#&", min_size=1, max_size=6)
PLAIN = st.text("abzé漢_-&", min_size=1, max_size=6)
STEMS = {"image_names": WORDS.map(lambda name: f"d/{name}"), "label_names": WORDS}

CASES = {
    "coco": Case(crowd_outlines=False),
    "coco-results": Case(
        given=("images", "labels"),
        ids=True,
        scored=True,
        kinds=("box", "mask"),
        told=frozenset({"image_names", "image_ids", "image_sizes", "label_names", "label_ids", "supercategories"}),
    ),
    "createml": Case(precision=1e-12),
    "geojson": Case(),
    "parquet": Case(),
    "cvat": Case(precision=1e-12),
    "boxes-text": Case(
        precision=1e-12,
        kinds=("box",),
        options={"order": "xyxy"},
        reading={"order": "xyxy", "relative": False},
        **STEMS,
    ),
    "kitti": Case(precision=1e-12, kinds=("box",), **STEMS),
    "darwin": Case(image_names=PATHS),
    "datumaro": Case(),
    "qupath": Case(image_names=PATHS, kinds=("box", "polygon")),
    "supervisely": Case(precision=1e-12, image_names=PATHS),
    "labelbox": Case(sizes_given=True, told=frozenset({"image_sizes"})),
    "scale-nucleus": Case(),
    "scale-tasks": Case(),
    "class-masks": Case(kinds=("mask",), disjoint=True, one_per_label=True, **STEMS),
    "coco-panoptic": Case(kinds=("mask",), disjoint=True, image_names=PATHS),
    "instance-masks": Case(kinds=("mask",), disjoint=True, by_label=True, **STEMS),
    "voc-masks": Case(kinds=("mask",), disjoint=True, image_names=STEMS["image_names"], label_names=PLAIN),
    "open-images": Case(precision=1e-12, kinds=("box", "mask")),
    "segment-anything": Case(kinds=("mask",), image_names=PATHS, label_names=st.just("object"), most_labels=1),
    "label-studio": Case(precision=1e-12),
    "labelme": Case(precision=1e-12, image_names=PATHS),
    "via": Case(),
    "via-csv": Case(),
    "voc": Case(precision=1e-12, image_names=PATHS, kinds=("box",)),
    "yolo": Case(kinds=("box",), **RELATIVE),
    "yolo-seg": Case(kinds=("polygon",), looks_like=("yolo-obb",), **RELATIVE),
    "yolo-obb": Case(kinds=("polygon",), corners=(4, 4), **RELATIVE),
    "rle": Case(kinds=("box", "mask")),
}


def round_trip(data, name, case):
    """Write and read, through a file or folder."""
    chosen = formats.get(name)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / ("written" if chosen.kind == "folder" else f"written{chosen.suffixes[0]}")
        lost = formats.write(data, path, name, **case.options)
        told = {"images": data.images, "labels": data.labels}
        back = formats.read(path, name, **case.reading, **{key: told[key] for key in case.given})
        # Content tells what it is; a file of no annotations may say too little.
        if len(data):
            assert formats.detect(path)[0].name in (name, *case.looks_like)
    return back, lost


def test_every_format_that_is_read_and_written_is_tried():
    assert set(CASES) == {name for name in formats.FORMATS if formats.get(name).reader and formats.get(name).writer}


@pytest.mark.parametrize("name", CASES)
@given(st.data())
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_what_a_format_holds_comes_back(name, drawn):
    case, holds = CASES[name], formats.get(name).capabilities
    data = drawn.draw(datasets_within(holds, case, case.scored))
    back, lost = round_trip(data, name, case)
    assert lost.counts().keys() <= case.told | {"label_order"}  # which is drawn so that it is kept
    check(data, back, holds, case)


def check(data, back, holds, case):
    """All of a dataset is there again."""
    assert not [note for note in back.notes if note.severity == "warning"]
    assert set(back.images.keys) == set(data.images.keys)
    assert set(back.labels.names) == set(data.labels.names)
    if holds.label_order:
        assert back.labels.names == data.labels.names
    one, other = content(data, case), content(back, case)
    for key, rows in one.items():
        assert len(other[key]) == len(rows)
        for mine, read in zip(rows, other[key], strict=True):
            for exact in ("label", "crowd", "runs", "holes"):
                assert read[exact] == mine[exact], exact
            assert len(read["rings"]) == len(mine["rings"])
            for ring, ring_back in zip(mine["rings"], read["rings"], strict=True):
                np.testing.assert_allclose(ring_back, in_direction(ring, ring_back), rtol=0, atol=case.precision)
            np.testing.assert_allclose(read["box"], mine["box"], rtol=0, atol=case.precision)
            if mine["score"] is None:
                assert read["score"] is None
            else:
                assert read["score"] == pytest.approx(mine["score"], abs=case.score_precision, rel=0)
    rows, rows_back = by_image(data), by_image(back)
    if holds.areas:
        np.testing.assert_allclose(rows_back.area, rows.area)
    if holds.ids and rows.ids is not None and len(rows):
        assert rows_back.ids.tolist() == rows.ids.tolist()
    if holds.attributes:
        assert extras(rows_back.extras, len(rows)) == extras(rows.extras, len(rows))
    check_images(data.images, back.images, holds)
    check_labels(data.labels, back.labels, holds)
    if holds.info:
        assert back.info == data.info


def in_direction(ring, other):
    """The ring, walked from its first point the other way where that is how the other one goes."""
    turned = [ring[0], *reversed(ring[1:])]
    if len(ring) != len(other):
        return ring
    return min(ring, turned, key=lambda walk: float(np.abs(np.subtract(walk, other)).max()))


def check_images(images: Images, back: Images, holds):
    """Ids, sizes and further fields of images."""
    for image in images:
        other = back[back.index(image.key)]
        if holds.image_sizes:
            assert (other.height, other.width) == (image.height, image.width)
        if holds.image_ids and images.ids is not None:
            assert other.id == image.id
        if holds.image_attributes:
            assert extras(back.extras, len(back))[other.index] == extras(images.extras, len(images))[image.index]


def check_labels(labels: Labels, back: Labels, holds):
    """Ids, supercategories and further fields of labels."""
    for label in labels:
        other = back[back.index(label.name)]
        if holds.label_ids and labels.ids is not None:
            assert other.id == label.id
        if holds.supercategories:
            assert other.supercategory == label.supercategory
        if holds.label_attributes:
            assert extras(back.extras, len(back))[other.index] == extras(labels.extras, len(labels))[label.index]


def by_image(data):
    """Annotations in the order of their images' names."""
    keys = np.array(data.images.keys, object)[data.annotations.image]
    return data.annotations.take(np.array(sorted(range(len(data)), key=lambda row: keys[row]), int))


def extras(column, count):
    """Further fields as dicts."""
    return [{}] * count if column is None else [column[row] for row in range(count)]
