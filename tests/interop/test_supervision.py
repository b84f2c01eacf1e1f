"""supervision.Detections, against the library itself."""

from __future__ import annotations

import numpy as np
import pytest

from rapideval import Annotations, Dataset, Images, Labels
from rapideval.errors import InputError, UsageError
from rapideval.interop import from_supervision, to_supervision

sv = pytest.importorskip("supervision")


def test_boxes_go_out_and_come_back(boxes):
    given, lost = to_supervision(boxes)
    assert list(given) == ["a.jpg", "b.jpg", "c.jpg"]
    assert [len(item) for item in given.values()] == [2, 1, 0]
    back = from_supervision(given, boxes.images, boxes.labels)
    order = np.argsort(boxes.annotations.image, kind="stable")
    expected = boxes.annotations.take(order)
    for name in ("image", "label", "box", "score", "area", "crowd"):
        assert np.array_equal(getattr(back.annotations, name), getattr(expected, name)), name
    assert lost.counts() == {"image_ids": 3, "image_sizes": 3, "label_order": 2}


def test_the_library_measures_what_was_given(boxes):
    given, _ = to_supervision(boxes)
    item = given["a.jpg"]
    assert np.allclose(item.box_area, boxes.annotations.box[[0, 2], 2] * boxes.annotations.box[[0, 2], 3])
    assert item["class_name"].tolist() == ["dog", "dog"]
    assert len(item[item.confidence > 0.5]) == 1


def test_masks_of_masks_and_of_outlines_are_dense(masked):
    given, lost = to_supervision(masked)
    assert given["a.jpg"].mask.shape == (1, 20, 30)
    assert given["c.jpg"].mask.shape == (0, 8, 8)
    assert not given["a.jpg"].mask[0, 4:6, 5:8].any()
    back = from_supervision(given, masked.images, masked.labels)
    assert back.annotations.masks == masked.with_masks().annotations.masks
    assert lost.counts()["polygons"] == 1
    assert "masks" not in lost.counts()


def test_masks_that_some_have_are_left_out_and_counted(masked):
    both = masked.replace(
        annotations=Annotations.concat([masked.annotations, Annotations([1], [0], [[0, 0, 2, 2]])]),
    )
    given, lost = to_supervision(both)
    assert all(item.mask is None for item in given.values())
    assert lost.counts()["masks"] == 1
    with pytest.raises(UsageError, match="1 such annotations"):
        to_supervision(both, masks=True)


def test_labels_by_name_without_a_list_keep_their_numbers():
    item = sv.Detections(
        xyxy=np.array([[0, 0, 1, 1], [0, 0, 2, 2]], float), class_id=np.array([5, 2]),
        data={"class_name": np.array(["dog", "cat"]), "colour": np.array(["red", "blue"])}, tracker_id=np.array([3, 4]),
    )  # fmt: skip
    data = from_supervision(item, "a.jpg")
    assert data.labels.names == ("cat", "dog")
    assert data.labels.ids.tolist() == [2, 5]
    assert data.annotations.label.tolist() == [1, 0]
    assert data.annotations.extras[0] == {"tracker_id": 3, "colour": "red"}
    assert not data.scored


def test_numbers_without_names_are_told():
    item = sv.Detections(xyxy=np.array([[0, 0, 1, 1]], float), class_id=np.array([5]), confidence=np.array([0.5]))
    data = from_supervision([item, sv.Detections.empty()], ["a.jpg", "b.jpg"])
    assert data.labels.names == ("5",)
    assert [note.rule for note in data.notes] == ["label-names"]
    assert len(data.images) == 2


def test_metadata_is_told():
    item = sv.Detections(xyxy=np.array([[0, 0, 1, 1]], float), class_id=np.array([0]), metadata={"camera": 3})
    data = from_supervision((item for _ in range(1)), ["a.jpg"], ["cat"])
    assert [(note.where, note.found) for note in data.notes] == [
        ("detections[0].metadata", "camera, which is left out")
    ]


def test_oriented_boxes_are_outlines():
    corners = np.array([[[0, 2], [2, 0], [4, 2], [2, 4]]], float)
    item = sv.Detections(xyxy=np.array([[0, 0, 4, 4]], float), class_id=np.array([0]), data={"xyxyxyxy": corners})
    data = from_supervision(item, "a.jpg", ["ship"])
    assert np.array_equal(data[0].rings[0], corners[0])


def test_one_name_is_that_of_detections_without_a_class():
    item = sv.Detections(xyxy=np.array([[0, 0, 1, 1], [1, 1, 2, 2]], float))
    assert from_supervision(item, "a.jpg", ["object"])[1].label == "object"
    with pytest.raises(UsageError, match="no labels"):
        from_supervision(item, "a.jpg")


@pytest.mark.parametrize(
    ("change", "where", "rule"),
    [
        ({"xyxy": np.array([[0, 0, np.nan, 1.0]])}, r"detections\[0\].xyxy\[0\]", "not-finite"),
        ({"xyxy": np.array([[5, 5, 1, 9.0]])}, r"detections\[0\].xyxy\[0\]", "box-corners"),
        ({"class_id": np.array([4])}, r"detections\[0\].class_id\[0\]", "label-unknown"),
        ({"confidence": np.array([np.nan])}, r"detections\[0\].score\[0\]", "not-finite"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(change, where, rule):
    item = sv.Detections(xyxy=np.array([[0, 0, 1, 1.0]]), class_id=np.array([0]), confidence=np.array([0.5]))
    for field, value in change.items():
        setattr(item, field, value)  # the library checks only what it is constructed with
    with pytest.raises(InputError, match=where) as error:
        from_supervision([item], ["a.jpg"], ["cat"])
    assert error.value.rule == rule


def test_images_must_be_named_once():
    item = sv.Detections.empty()
    with pytest.raises(UsageError, match="images="):
        from_supervision([item])
    with pytest.raises(InputError, match="2 images, expected 1"):
        from_supervision([item], ["a", "b"])
    twice = Dataset(Images(["a", "a"], ids=[1, 2]), Labels(["cat"]), Annotations.empty())
    with pytest.raises(InputError, match="unique names"):
        to_supervision(twice)
