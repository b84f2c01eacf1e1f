"""Segmentations of Scale: pictures of indexes beside the document, which are never fetched."""

import json

import numpy as np
import pytest
from PIL import Image

from rapideval import formats
from rapideval.errors import FormatError

PIXELS = np.array([[0, 1, 1, 0], [2, 2, 3, 3], [2, 0, 0, 3]], np.uint8)


def task(picture="masks/a.png", mapping=None, kind="response"):
    mapping = mapping or {"car": {"index": 1}, "person": [{"index": 2, "color": "#e6194b"}, {"index": 3}]}
    answer = {
        "annotations": {"combined": {"image": "https://x/y.png", "indexedImage": picture}},
        "labelMapping": mapping,
    }
    return {"task_id": "t", "params": {"attachment": "a.jpg"}, kind: answer}


def nucleus(picture="masks/a.png"):
    segments = [{"label": "car", "index": "1"}, {"label": "person", "index": 2}, {"label": "person", "index": 3}]
    segments[1]["metadata"] = {"colour": "red"}
    return {"type": "mask", "mask_url": picture, "annotations": segments, "reference_id": "a.jpg"}


def laid(folder, document, pixels=PIXELS):
    (folder / "masks").mkdir()
    Image.fromarray(pixels).save(folder / "masks/a.png")
    path = folder / "a.json"
    path.write_text(json.dumps([document]))
    return path


@pytest.mark.parametrize(
    ("document", "name"),
    [(task(), "scale-tasks"), (task(kind="hypothesis"), "scale-tasks"), (nucleus(), "scale-nucleus")],
)
def test_numbers_of_a_picture_are_masks(tmp_path, document, name):
    path = laid(tmp_path, document)
    assert formats.detect(path)[0].name == name
    data = formats.read(path)
    assert data.images.sizes.tolist() == [[3, 4]]
    assert [row.label for row in data] == ["car", "person", "person"]
    for row, number in enumerate((1, 2, 3)):
        assert (data.annotations.masks.dense(row) == (number == PIXELS)).all()
    extras = data.annotations.extras
    assert (None if extras is None else extras[1]) == (None if name == "scale-tasks" else {"colour": "red"})


@pytest.mark.parametrize("document", [task("https://x/mask.png"), nucleus("s3://x/mask.png")])
def test_addresses_are_told_not_fetched(document):
    data = formats.read(json.dumps([document]).encode())
    assert (len(data), data.images.keys) == (0, ("a.jpg",))
    assert [note.found for note in data.notes] == ["1 × segmentation by address, which is not fetched: not read"]


def test_a_label_without_a_pixel_is_told(tmp_path):
    mapping = {"car": {"index": 1}, "dog": {"index": 9}, "person": [{"index": 2}, {"index": 3}]}
    data = formats.read(laid(tmp_path, task(mapping=mapping)))
    assert (len(data), data.labels.names) == (3, ("car", "dog", "person"))
    assert [note.found for note in data.notes] == ["1 × segment without a pixel: not read"]


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (task("../a.png"), "found '../a.png', expected a path within the folder of the document"),
        (task("/etc/passwd"), "expected a path within the folder"),
        (task("masks/b.png"), "indexedImage: found no file 'masks/b.png'"),
        (task("a.json"), "expected a PNG of one channel"),
        (
            task(mapping={"car": {"index": 1}}),
            "found pixels of the numbers 2, 3, expected numbers that a label is given",
        ),
        (task(mapping={"car": {"index": -1}}), r"labelMapping.car.index: found -1"),
        (task(mapping={"car": {}}), "found an empty object, expected the key 'index'"),
    ],
)
def test_a_segmentation_that_cannot_be_is_refused(tmp_path, document, says):
    with pytest.raises(FormatError, match=says):
        formats.read(laid(tmp_path, document))
