"""Other libraries read the files that rapideval writes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import rapideval
from rapideval.interop import from_geopandas, from_supervision


def test_geopandas_reads_our_geojson(masked, tmp_path):
    geopandas = pytest.importorskip("geopandas")
    pytest.importorskip("pyogrio")
    one = masked.take_images(np.array([0]))
    rapideval.write(one, tmp_path / "a.geojson", "geojson")
    frame = geopandas.read_file(tmp_path / "a.geojson", engine="pyogrio")
    assert len(frame) == 1
    pixels = frame.set_crs(None, allow_override=True)  # the reader takes every GeoJSON for degrees
    assert pixels.geometry.is_valid.all()
    assert pixels.geometry.area.tolist() == one.annotations.area.tolist()
    pixels["label"] = "cat"
    back = from_geopandas(pixels[["label", "geometry"]], one.images).with_masks()
    assert back.annotations.masks == one.annotations.masks


def laid(boxes, folder):
    """The boxes as ground truth, and their image files in a folder."""
    folder.mkdir(exist_ok=True)
    for name, (height, width) in zip(boxes.images.names, boxes.images.sizes.tolist(), strict=True):
        Image.new("RGB", (width, height)).save(folder / name)
    return boxes.replace(annotations=boxes.annotations.replace(score=None))


def assert_read(read, truth, classes, precision):
    """What supervision read is the ground truth, image by image, to a precision in pixels."""
    assert list(read.classes) == classes
    found = {path.replace("\\", "/").rsplit("/", 1)[-1]: item for path, item in read.annotations.items()}
    assert set(found) == {"a.jpg", "b.jpg", "c.jpg"}
    back = from_supervision(found, truth.images, list(read.classes))
    for image in range(3):
        given = truth.annotations.take(truth.annotations.image == image)
        taken = back.annotations.take(back.annotations.image == image)
        names = [truth.labels.names[label] for label in given.label]
        assert [back.labels.names[label] for label in taken.label] == names
        np.testing.assert_allclose(taken.box, given.box, rtol=0, atol=precision)


def test_supervision_reads_our_coco(boxes, tmp_path):
    supervision = pytest.importorskip("supervision")
    truth = laid(boxes, tmp_path)
    rapideval.write(truth, tmp_path / "truth.json", "coco")
    read = supervision.DetectionDataset.from_coco(str(tmp_path), str(tmp_path / "truth.json"))
    assert_read(read, truth, ["cat", "dog"], 1e-9)


def test_supervision_reads_our_yolo(boxes, tmp_path):
    supervision = pytest.importorskip("supervision")
    truth = laid(boxes, tmp_path / "images")
    rapideval.write(truth, tmp_path / "yolo", "yolo")
    read = supervision.DetectionDataset.from_yolo(
        str(tmp_path / "images"), str(tmp_path / "yolo/labels"), str(tmp_path / "yolo/data.yaml")
    )
    assert_read(read, truth, ["cat", "dog"], 1e-4)  # it computes in single precision


def test_supervision_reads_our_pascal_voc(boxes, tmp_path):
    supervision = pytest.importorskip("supervision")
    truth = laid(boxes, tmp_path / "images")
    # Whole pixels counted from 1, as it takes all VOC files to have them.
    whole = truth.replace(annotations=truth.annotations.replace(box=np.round(truth.annotations.box)))
    rapideval.write(whole, tmp_path / "voc", "voc", one_based=True)
    read = supervision.DetectionDataset.from_pascal_voc(str(tmp_path / "images"), str(tmp_path / "voc/Annotations"))
    assert set(read.classes) == {"cat", "dog"}
    assert_read(read, whole, list(read.classes), 1e-4)
