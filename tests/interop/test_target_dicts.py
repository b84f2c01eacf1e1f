"""Dictionaries of torchvision, torchmetrics and transformers, with tensors that behave as torch's do."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from rapideval.errors import InputError, UsageError
from rapideval.interop import from_torchvision, from_transformers, to_torchvision


class Tensor:
    """As torch has it: on a device, with a gradient, and no array before both are off."""

    def __init__(self, value, state="gradient"):
        self.value, self.state = np.asarray(value), state

    def detach(self):
        return Tensor(self.value, "device")

    def cpu(self):
        assert self.state == "device"
        return Tensor(self.value, "plain")

    def numpy(self):
        assert self.state == "plain"
        return self.value

    def __array__(self, *_, **__):
        raise TypeError("can't convert cuda:0 device type tensor to numpy")


def test_targets_go_out_and_come_back(boxes):
    targets, lost = to_torchvision(boxes)
    assert [target["image_id"] for target in targets] == [7, 9, 4]
    assert targets[2]["boxes"].shape == (0, 4)
    back = from_torchvision(targets, boxes.images, boxes.labels)
    expected = boxes.annotations.take(np.argsort(boxes.annotations.image, kind="stable"))
    for name in ("image", "label", "box", "score", "area", "crowd"):
        assert np.array_equal(getattr(back.annotations, name), getattr(expected, name)), name
    assert lost.counts() == {"image_names": 3, "image_sizes": 3, "label_names": 2, "label_order": 2}


def test_masks_go_out_and_come_back(masked):
    targets, _ = to_torchvision(masked)
    assert targets[0]["masks"].dtype == np.uint8
    assert targets[2]["masks"].shape == (0, 8, 8)
    back = from_torchvision(targets, masked.images, masked.labels)
    assert back.annotations.masks == masked.with_masks().annotations.masks


def test_tensors_and_probabilities_of_pixels_are_taken():
    soft = np.zeros((1, 1, 4, 5), np.float32)
    soft[0, 0, 1:3, 1:4] = 0.7
    soft[0, 0, 0, 0] = 0.5
    found = {"boxes": Tensor([[1, 1, 4, 3]]), "labels": Tensor([1]), "scores": Tensor([0.5]), "masks": Tensor(soft)}
    data = from_torchvision(found, "a.jpg", ["__background__", "cat"])
    assert data.annotations.masks.area.tolist() == [6]
    assert data.images.sizes.tolist() == [[4, 5]]
    assert from_torchvision(found, "a.jpg", ["-", "cat"], threshold=0.8).annotations.masks.area.tolist() == [0]


def test_image_ids_name_the_images():
    found = [{"boxes": [], "labels": [], "image_id": Tensor([5])}, {"boxes": [], "labels": [], "image_id": 3}]
    assert from_torchvision(found).images.ids.tolist() == [5, 3]
    with pytest.raises(UsageError, match="images="):
        from_torchvision([{"boxes": [], "labels": []}])


def test_a_name_of_several_numbers_is_one_label():
    found = {"boxes": [[0, 0, 1, 1]] * 2, "labels": [1, 3]}
    data = from_torchvision(found, "a.jpg", ["cat", "N/A", "dog", "N/A"])
    assert data.labels.names == ("cat", "N/A", "dog")
    assert data.annotations.label.tolist() == [1, 1]
    assert [note.rule for note in data.notes] == ["label-duplicate"]


def test_results_of_transformers():
    found = [{"scores": Tensor([0.9]), "labels": Tensor([17]), "boxes": Tensor([[1, 2, 4, 6.5]])}]
    data = from_transformers(found, ["a.jpg"], {16: "bird", 17: "cat"})
    assert data[0].label == "cat"
    assert data[0].box == (1, 2, 3, 4.5)
    assert data.labels.ids.tolist() == [16, 17]


def test_labels_that_are_texts():
    found = {"scores": [0.9, 0.5], "labels": [0, 0], "text_labels": ["a red car", "cat"], "boxes": [[1, 2, 4, 6]] * 2}
    assert [row.label for row in from_transformers(found, "a.jpg")] == ["a red car", "cat"]
    del found["text_labels"]
    data = from_transformers(found | {"labels": ["cat", "cat"]}, "a.jpg")
    assert data.labels.names == ("cat",)
    assert not data.notes


def test_single_precision_is_counted(boxes):
    third = boxes.replace(annotations=boxes.annotations.replace(box=boxes.annotations.box / 3))
    targets, lost = to_torchvision(third, dtype=np.float32)
    assert targets[0]["boxes"].dtype == np.float32
    assert lost.counts()["precision"] == 3
    assert "precision" not in to_torchvision(third)[1].counts()


def test_what_is_left_out_is_told():
    data = from_torchvision({"boxes": [[0, 0, 1, 1]], "labels": [0], "keypoints": [[[1, 1, 2]]]}, "a.jpg", ["cat"])
    assert [(note.rule, note.found) for note in data.notes] == [
        ("field-unknown", "the field 'keypoints', which is left out")
    ]


@pytest.mark.parametrize(
    ("change", "where", "rule"),
    [
        ({"boxes": [[0, 0, 1]]}, r"targets\[0\]\['boxes'\]", "column-shape"),
        ({"boxes": [[4, 0, 1, 1]]}, r"targets\[0\]\['boxes'\]\[0\]", "box-corners"),
        ({"labels": [9]}, r"targets\[0\]\['labels'\]\[0\]", "label-unknown"),
        ({"labels": [0.5]}, r"targets\[0\]\['labels'\]\[0\]", "column-range"),
        ({"labels": [0, 0]}, r"targets\[0\]\['labels'\]", "column-length"),
        ({"scores": [0.5, 0.5]}, r"targets\[0\]\.score", "column-length"),
        ({"masks": np.full((1, 4, 4), 255)}, r"targets\[0\]\['masks'\]", "mask-value"),
        ({"masks": np.full((1, 4, 4), -3.5)}, r"targets\[0\]\['masks'\]", "mask-value"),
        ({"masks": np.ones((4, 4))}, r"targets\[0\]\['masks'\]", "mask-shape"),
        ({"masks": np.ones((2, 4, 4))}, r"targets\[0\]", "column-length"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(change, where, rule):
    with pytest.raises(InputError, match=where) as error:
        from_torchvision([{"boxes": [[0, 0, 1, 1]], "labels": [0]} | change], ["a.jpg"], ["cat"])
    assert error.value.rule == rule


def test_torch_is_not_imported_unless_asked():
    code = (
        "import sys; from rapideval import interop; data = interop.from_torchvision("
        "{'boxes': [[0, 0, 1, 1]], 'labels': [0]}, 'a.jpg', ['cat']); interop.to_torchvision(data); "
        "print(sorted({'torch', 'supervision', 'geopandas', 'pycocotools', 'pandas', 'shapely'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_tensors_are_those_of_torch(boxes):
    torch = pytest.importorskip("torch")
    targets, _ = to_torchvision(boxes, tensors=True, dtype=np.float32)
    assert targets[0]["boxes"].dtype == torch.float32
    back = from_torchvision(targets, boxes.images, boxes.labels)
    assert np.array_equal(back.annotations.box[:2], boxes.annotations.box[[0, 2]])
