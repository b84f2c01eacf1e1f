"""Results of ultralytics, by objects that have the same fields."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from rapideval.errors import InputError, UsageError
from rapideval.interop import from_ultralytics


def result(count=2, path="a.jpg", **fields):
    found = SimpleNamespace(
        xyxy=np.array([[1, 2, 5, 6], [0, 0, 3, 3]], np.float32)[:count],
        conf=np.array([0.9, 0.5], np.float32)[:count],
        cls=np.array([1, 0], np.float32)[:count],
        id=None,
    )
    names = {0: "cat", 1: "dog"}
    given = {"boxes": found, "masks": None, "obb": None, "keypoints": None, "probs": None, "names": names}
    return SimpleNamespace(**(given | {"orig_shape": (8, 10), "path": path} | fields))


def test_boxes_of_several_images():
    data = from_ultralytics(iter([result(), result(0, "b.jpg")]))
    assert data.images.names == ("a.jpg", "b.jpg")
    assert data.images.sizes.tolist() == [[8, 10], [8, 10]]
    assert [row.label for row in data] == ["dog", "cat"]
    assert data.annotations.box.tolist() == [[1, 2, 4, 4], [0, 0, 3, 3]]
    assert data.annotations.score.tolist() == [float(np.float32(0.9)), 0.5]
    assert not data.notes


def test_no_images_are_predictions():
    assert from_ultralytics([]).scored


def test_outlines_of_masks_with_one_that_is_empty():
    xy = [np.array([[1, 2], [5, 2], [5, 6]], np.float32), np.zeros((0, 2), np.float32)]
    data = from_ultralytics(result(masks=SimpleNamespace(xy=xy)))
    assert data.annotations.polygons.present.tolist() == [True, False]
    assert {note.rule for note in data.notes} == {"mask-empty", "mask-outline"}


def test_pixels_only_where_they_are_the_images():
    dense = np.zeros((2, 8, 10), np.uint8)
    dense[:, 2:6, 1:5] = 1
    data = from_ultralytics(result(masks=SimpleNamespace(data=dense)), masks="pixels")
    assert data.annotations.masks.area.tolist() == [16, 16]
    letterboxed = SimpleNamespace(data=np.zeros((2, 32, 32), np.uint8))
    with pytest.raises(InputError, match="retina_masks") as error:
        from_ultralytics(result(masks=letterboxed), masks="pixels")
    assert error.value.rule == "mask-size"
    with pytest.raises(UsageError, match="'outlines' or 'pixels'"):
        from_ultralytics(result(), masks="xy")


def test_oriented_boxes_and_tracks():
    corners = np.array([[[0, 2], [2, 0], [4, 2], [2, 4]]], np.float32)
    obb = SimpleNamespace(xyxyxyxy=corners, conf=np.array([0.5]), cls=np.array([1.0]), id=np.array([12.0]))
    data = from_ultralytics(result(boxes=None, obb=obb))
    assert data[0].box == (0, 0, 4, 4)
    assert np.array_equal(data[0].rings[0], corners[0])
    assert data.annotations.extras[0] == {"track_id": 12}


def test_what_is_left_out_is_counted():
    data = from_ultralytics([result(keypoints=[1, 2]), result(path="b.jpg", boxes=None, probs=object())])
    assert {(note.found, note.count) for note in data.notes} == {
        ("keypoints, which are left out", 2),
        ("probs, which are left out", 1),
    }


def test_what_is_wrong_is_said_with_its_place():
    with pytest.raises(InputError, match=r"results\[1\].path.*images="):
        from_ultralytics([result(), result()])
    with pytest.raises(InputError, match=r"results\[0\].boxes.cls\[0\]"):
        from_ultralytics(result(names={0: "cat"}))
    with pytest.raises(InputError, match=r"results\[1\].names\[0\]"):
        from_ultralytics([result(), result(path="b.jpg", names={0: "fox", 1: "dog"})])
    assert len(from_ultralytics([result(), result()], ["1.jpg", "2.jpg"])) == 4
