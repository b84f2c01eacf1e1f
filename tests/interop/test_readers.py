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


def test_supervision_reads_our_coco(boxes, tmp_path):
    supervision = pytest.importorskip("supervision")
    for name, (height, width) in zip(boxes.images.names, boxes.images.sizes.tolist(), strict=True):
        Image.new("RGB", (width, height)).save(tmp_path / name)
    truth = boxes.replace(annotations=boxes.annotations.replace(score=None))
    rapideval.write(truth, tmp_path / "truth.json", "coco")
    read = supervision.DetectionDataset.from_coco(str(tmp_path), str(tmp_path / "truth.json"))
    assert list(read.classes) == ["cat", "dog"]
    found = {path.replace("\\", "/").rsplit("/", 1)[-1]: item for path, item in read.annotations.items()}
    assert set(found) == {"a.jpg", "b.jpg", "c.jpg"}
    back = from_supervision(found, boxes.images, list(read.classes))
    for image in range(3):
        given = truth.annotations.take(truth.annotations.image == image)
        taken = back.annotations.take(back.annotations.image == image)
        assert np.array_equal(taken.label, given.label)
        assert np.allclose(taken.box, given.box)
