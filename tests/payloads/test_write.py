"""A dataset written as a payload is read back as the same dataset."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapideval import Annotations, Dataset, Images, Labels, Masks, Polygons, to_payload
from rapideval.errors import InputError, UsageError
from rapideval.payloads import parse, payload_text
from rapideval.payloads.types import DOCUMENTS

# Eighths, so that corners are exact sums.
numbers = st.integers(0, 4000).map(lambda n: n / 8)
names = st.text(min_size=1, max_size=6).filter(str.isprintable)


@st.composite
def datasets(draw, masks=True):
    """Predictions with boxes, masks or both, with or without scores; images without any too."""
    sizes = draw(st.lists(st.tuples(st.integers(1, 7), st.integers(1, 7)), min_size=1, max_size=4))
    labels = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    image = sorted(draw(st.lists(st.integers(0, len(sizes) - 1), max_size=8)))
    count = len(image)
    label = draw(st.lists(st.integers(0, len(labels) - 1), min_size=count, max_size=count))
    kind = draw(st.sampled_from(["box", "mask", "both"])) if masks else "box"
    columns = {"image": image, "label": label}
    if kind != "mask":
        columns["box"] = np.array(draw(st.lists(st.tuples(*[numbers] * 4), min_size=count, max_size=count))).reshape(
            -1, 4
        )
    if kind != "box":
        columns["masks"] = Masks.concat([Masks.from_dense(_mask(draw, *sizes[i])) for i in image]) if count else None
        if not count:
            columns["box"] = np.empty((0, 4))
    if draw(st.booleans()):
        columns["score"] = np.array(draw(st.lists(st.floats(0, 1), min_size=count, max_size=count)), np.float64)
    images = Images([f"{i}.jpg" for i in range(len(sizes))], sizes=sizes)
    return Dataset(images, Labels(labels), Annotations(**columns))


def _mask(draw, height, width):
    bits = draw(st.integers(0, (1 << height * width) - 1))
    return np.array([bits >> i & 1 for i in range(height * width)], np.uint8).reshape(1, height, width)


def assert_equal(read, written):
    a, b = read.annotations, written.annotations
    assert read.images.keys == written.images.keys
    assert [row.label for row in read] == [row.label for row in written]
    assert np.array_equal(a.image, b.image)
    assert np.array_equal(a.box, b.box)
    assert (a.masks is None) == (b.masks is None or not len(b))
    assert a.masks is None or a.masks == b.masks
    if len(b):
        assert (a.score is None) == (b.score is None)
        assert a.score is None or np.array_equal(a.score, b.score)


@given(datasets(), st.sampled_from(["dense", "rle"]))
def test_payload_is_read_back_equal(dataset, masks):
    answer = parse(to_payload(dataset, masks=masks), images=dataset.images)
    assert_equal(answer.dataset, dataset)


@given(datasets(), st.sampled_from(["dense", "rle"]), st.sampled_from(["bare", "v0", "v1"]))
def test_payload_text_is_read_back_equal(dataset, masks, wrapping):
    text = payload_text(dataset, masks=masks).decode()
    source = {
        "bare": text,
        "v0": json.dumps({"state": "SUCCESS", "result": text}),
        "v1": json.dumps({"status": "SUCCESS", "result": {"result": text}, "status_code": 200}),
    }[wrapping]
    assert_equal(parse(source, images=dataset.images).dataset, dataset)


@given(datasets(), st.sampled_from(["dense", "rle"]))
def test_text_and_objects_are_the_same_payload(dataset, masks):
    assert json.loads(payload_text(dataset, masks=masks)) == to_payload(dataset, masks=masks)


@given(datasets(), st.sampled_from(["dense", "rle"]))
def test_payload_fits_its_type(dataset, masks):
    msgspec.json.decode(payload_text(dataset, masks=masks), type=DOCUMENTS["result-payload"])


def test_semantic_style_holds_one_mask_an_image():
    masks = Masks.from_dense(np.array([[[0, 1], [1, 1]]], np.uint8))
    images = Images(["a", "b"], sizes=[[2, 2], [1, 3]])
    dataset = Dataset(images, Labels(["road"]), Annotations([0], [0], masks=masks))
    assert to_payload(dataset, style="semantic") == [
        {"semantic_segmentation_mask": [[0, 1], [1, 1]]},
        {"semantic_segmentation_mask": [[0, 0, 0]]},
    ]
    read = parse(to_payload(dataset, style="semantic"), images=images, labels=["road"]).dataset
    assert [(row.image, row.label, row.area) for row in read] == [("a", "road", 3.0), ("b", "road", 0.0)]


def test_derived_boxes_are_left_to_the_masks():
    masks = Masks.from_dense(np.array([[[0, 1]]], np.uint8))
    rows = Annotations([0], [0], masks=masks, score=[0.5])
    dataset = Dataset(Images(["a"]), Labels(["x"]), rows)
    assert to_payload(dataset)[0].keys() == {"masks", "scores", "labels"}
    given_box = dataset.replace(annotations=rows.replace(box=[[0, 0, 2, 1]]))
    assert to_payload(given_box)[0].keys() == {"masks", "boxes", "scores", "labels"}
    assert to_payload(dataset, masks=None)[0].keys() == {"boxes", "scores", "labels"}


def test_what_a_payload_cannot_say_is_refused():
    images, labels = Images(["a"], sizes=[[2, 2]]), Labels(["x", "y"])
    crowd = Dataset(images, labels, Annotations([0], [0], [[0, 0, 1, 1]], crowd=[True]))
    with pytest.raises(InputError, match="crowd"):
        to_payload(crowd)
    masks = Masks.concat([Masks.from_counts([[0, 4]], [[2, 2]]), Masks.empty(1)])
    some = Dataset(images, labels, Annotations([0, 0], [0, 1], [[0, 0, 1, 1]] * 2, masks=masks))
    with pytest.raises(InputError, match="no mask, in image 'a'"):
        to_payload(some)
    with pytest.raises(UsageError, match="a mask of each annotation"):
        to_payload(some, style="semantic")
    both = Dataset(images, labels, Annotations([0, 0], [0, 1], masks=masks.take(np.array([0, 0]))))
    with pytest.raises(UsageError, match="one label and one mask an image"):
        to_payload(both, style="semantic")
    with pytest.raises(UsageError, match="dense, rle or None"):
        to_payload(both, masks="png")
    unsized = Dataset(Images(["a"]), labels, Annotations.empty())
    with pytest.raises(InputError, match="image 'a': found no size"):
        to_payload(unsized, style="semantic")


def test_polygons_are_drawn_as_masks():
    polygons = Polygons.from_rings([[[0, 0, 2, 0, 2, 2, 0, 2]]])
    dataset = Dataset(Images(["a"], sizes=[[2, 3]]), Labels(["x"]), Annotations([0], [0], polygons=polygons))
    assert to_payload(dataset)[0]["masks"] == [[[1, 1, 0], [1, 1, 0]]]
