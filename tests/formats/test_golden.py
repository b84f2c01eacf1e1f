"""The bytes of each format stay what they are: fixtures/formats holds one small dataset in each.

A change that is meant is seen in the diff of these files.
"""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from helpers.written import assert_same, small

from rapideval import formats

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "formats"
RELATIVE = ("label-studio", "open-images", "yolo", "yolo-seg", "yolo-obb")  # whose coordinates need the sizes of images
# Whose pictures need them too.
PAINTED = ("class-masks", "coco-panoptic", "instance-masks", "segment-anything", "voc-masks")
SIZED = (*RELATIVE, *PAINTED, "supervisely")  # whose documents have them, or need them
REFERRING = ("coco-results", *RELATIVE)  # whose numbers or sizes something else explains
# Whose bytes are another library's: Parquet says which version of Arrow wrote it, a PNG depends on its compressor.
CONTENT_ONLY = (
    *("class-masks", "coco-panoptic", "instance-masks", "voc-masks"),
    *("labelbox", "labelme", "open-images", "parquet", "supervisely"),
)
READING = {"boxes-text": {"order": "xywh"}}
LOOKS_LIKE = {"yolo-seg": ("yolo-obb",)}
FILES = {
    "coco": "small.coco.json",
    "coco-results": "small.results.json",
    "createml": "small.createml.json",
    "boxes-text": "small.boxes",
    "darwin": "small.darwin",
    "datumaro": "small.datumaro.json",
    "qupath": "small.qupath",
    "supervisely": "small.supervisely",
    "labelbox": "small.labelbox.ndjson",
    "scale-nucleus": "small.nucleus.json",
    "scale-tasks": "small.scale-tasks.json",
    "open-images": "small.open-images",
    "segment-anything": "small.segment-anything",
    "class-masks": "small.class-masks",
    "coco-panoptic": "small.panoptic",
    "instance-masks": "small.instance-masks",
    "voc-masks": "small.voc-masks",
    "kitti": "small.kitti",
    "cvat": "small.cvat.xml",
    "label-studio": "small.label-studio.json",
    "labelme": "small.labelme",
    "parquet": "small.parquet",
    "via": "small.via.json",
    "via-csv": "small.via.csv",
    "voc": "small.voc",
    "geojson": "small.geojson",
    "rle": "small.jsonl",
    "yolo": "small.yolo",
    "yolo-obb": "small.yolo-obb",
    "yolo-seg": "small.yolo-seg",
}


def dataset_of(name):
    """The small dataset as a format is tried with it."""
    holds = formats.get(name).capabilities
    return small(scored=holds.scores and name != "coco", outlines=holds.polygons, sizes=name in SIZED)


def contents(path):
    """Bytes of a file, or of each file of a folder, by its path there."""
    if path.is_dir():
        return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}
    return path.read_bytes()


def test_every_format_that_is_written_has_its_file():
    assert set(FILES) == {name for name in formats.FORMATS if formats.get(name).writer}


@pytest.mark.parametrize("name", sorted(FILES.keys() - set(CONTENT_ONLY)))
def test_a_format_is_written_byte_for_byte_as_before(name, tmp_path):
    formats.write(dataset_of(name), tmp_path / FILES[name], name)
    assert contents(tmp_path / FILES[name]) == contents(FOLDER / FILES[name])


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_recognised_and_reads_back_as_what_was_written(name, tmp_path):
    path = FOLDER / FILES[name]
    assert formats.detect(path)[0].name in (name, *LOOKS_LIKE.get(name, ()))
    told = dataset_of(name)
    given = {"images": told, "labels": told} if name in REFERRING else READING.get(name, {})
    back = formats.read(path, **given)
    formats.write(back, tmp_path / FILES[name], name)
    if name in CONTENT_ONLY:
        formats.write(told, tmp_path / f"new.{FILES[name]}", name)
        assert_same(back, formats.read(tmp_path / f"new.{FILES[name]}", name, **given))
    elif name not in RELATIVE:
        assert contents(tmp_path / FILES[name]) == contents(path)
    again = formats.read(tmp_path / FILES[name], **given).annotations  # relative to pixels and back is not exact
    np.testing.assert_allclose(again.box, back.annotations.box, rtol=0, atol=1e-12)


def test_documents_that_are_written_keep_their_schemas():
    schemas = FOLDER.parents[1] / "schemas"

    def check(document, name):
        jsonschema.validate(document, json.loads((schemas / f"{name}.json").read_bytes()))

    first, *lines = [json.loads(line) for line in (FOLDER / FILES["rle"]).read_bytes().splitlines()]
    check(first, "rle-header")
    for line in lines:
        check(line, "rle-line")
    check(json.loads((FOLDER / FILES["geojson"]).read_bytes())["rapideval"], "geojson-header")
