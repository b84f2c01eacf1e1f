"""Every file of the real data in COCO or GeoJSON form is read, or refused with its reason; no other is taken for one.

The documents of geojson/rfc7946-schema and geojson/validator are in test_geojson_read.py.
"""

from fnmatch import fnmatch

import pytest

from rapideval import formats
from rapideval.errors import FormatError

# path, format, images, labels, annotations, masks, outlines
READ = [
    ("coco-val2014-100/dt_dataset.json", "coco-results", 3, 4, 9, 0, 9),
    ("coco-val2014-100/dt_ignore_test.json", "coco-results", 1, 1, 63, 0, 0),
    ("coco-val2014-100/gt_dataset.json", "coco", 3, 4, 9, 0, 9),
    ("coco-val2014-100/instances_val2014_100.json", "coco", 100, 80, 839, 9, 830),
    ("coco-val2014-100/instances_val2014_fakebbox100_results.json", "coco-results", 99, 75, 734, 0, 0),
    ("coco-val2014-100/instances_val2014_fakesegm100_results.json", "coco-results", 99, 75, 734, 734, 0),
    ("coco-val2014-100/person_keypoints_val2014_fakekeypoints100_results.json", "coco-results", 47, 1, 125, 0, 0),
    ("four-images-ten-tools/coco1.0/annotations/instances_default.json", "coco", 4, 8, 23, 2, 3),
    ("geojson/buildings/geotiff_labels.geojson", "geojson", 1, 1, 43, 0, 43),
    ("geojson/buildings/gt.geojson", "geojson", 1, 1, 28, 0, 28),
    ("geojson/buildings/pred.geojson", "geojson", 1, 1, 28, 0, 28),
    ("panoptic-2/images_info_examples.json", "coco", 2, 133, 0, 0, 0),
    ("panoptic-2/panoptic_coco_detection_format.json", "coco", 2, 133, 50, 50, 0),
    ("stuff-2/instances_val2014_fakebbox100_results.json", "coco-results", 99, 75, 734, 0, 0),
    ("stuff-2/instances_val2014_fakesegm100_results.json", "coco-results", 99, 75, 734, 734, 0),
    ("stuff-2/person_keypoints_val2014_fakekeypoints100_results.json", "coco-results", 47, 1, 125, 0, 0),
    ("stuff-2/stuff_examples.json", "coco", 2, 92, 17, 17, 0),
    ("tool-exports/darwin/coco_annotations/output.json", "coco", 8, 1, 16, 0, 16),
    ("tool-exports/datumaro/coco_dataset/coco/annotations/image_info_train.json", "coco", 1, 0, 0, 0, 0),
    ("tool-exports/datumaro/coco_dataset/coco/annotations/image_info_val.json", "coco", 1, 0, 0, 0, 0),
    ("tool-exports/datumaro/coco_dataset/coco/annotations/instances_train.json", "coco", 1, 3, 1, 0, 0),
    ("tool-exports/datumaro/coco_dataset/coco/annotations/instances_val.json", "coco", 1, 3, 2, 1, 1),
    ("tool-exports/datumaro/coco_dataset/coco/annotations/person_keypoints_train.json", "coco", 1, 2, 1, 0, 0),
    ("tool-exports/datumaro/coco_dataset/coco/annotations/person_keypoints_val.json", "coco", 1, 2, 2, 1, 1),
    ("tool-exports/datumaro/coco_dataset/coco/annotations/stuff_train.json", "coco", 1, 2, 1, 1, 0),
    ("tool-exports/datumaro/coco_dataset/coco/annotations/stuff_val.json", "coco", 1, 2, 1, 1, 0),
    ("tool-exports/datumaro/coco_dataset/coco_image_info/annotations/image_info_train.json", "coco", 1, 0, 0, 0, 0),
    ("tool-exports/datumaro/coco_dataset/coco_image_info/annotations/image_info_val.json", "coco", 1, 0, 0, 0, 0),
    ("tool-exports/datumaro/coco_dataset/coco_instances/annotations/instances_train.json", "coco", 1, 3, 1, 0, 0),
    ("tool-exports/datumaro/coco_dataset/coco_instances/annotations/instances_val.json", "coco", 1, 3, 2, 1, 1),
    ("tool-exports/datumaro/coco_dataset/coco_person_keypoints/annotations/person_keypoints_train.json", "coco", 1, 2, 1, 0, 0),  # noqa: E501
    ("tool-exports/datumaro/coco_dataset/coco_person_keypoints/annotations/person_keypoints_val.json", "coco", 1, 2, 2, 1, 1),  # noqa: E501
    ("tool-exports/datumaro/coco_dataset/coco_roboflow/train/_annotations.coco.json", "coco", 1, 3, 1, 0, 0),
    ("tool-exports/datumaro/coco_dataset/coco_roboflow/val/_annotations.coco.json", "coco", 1, 3, 2, 1, 1),
    ("tool-exports/datumaro/coco_dataset/coco_stuff/annotations/stuff_train.json", "coco", 1, 2, 1, 1, 0),
    ("tool-exports/datumaro/coco_dataset/coco_stuff/annotations/stuff_val.json", "coco", 1, 2, 1, 1, 0),
    ("tool-exports/datumaro/coco_dataset/mmdet_coco/annotations/instances_train.json", "coco", 1, 3, 1, 0, 0),
    ("tool-exports/datumaro/coco_dataset/mmdet_coco/annotations/instances_val.json", "coco", 1, 3, 2, 1, 1),
    ("tool-exports/datumaro/roboflow_dataset/coco/train/_annotations.coco.json", "coco", 2, 2, 2, 0, 0),
    ("tool-exports/datumaro/roboflow_dataset/coco/val/_annotations.coco.json", "coco", 1, 2, 2, 0, 0),
    ("tool-exports/labelbox/instances.json", "coco", 10, 80, 62, 0, 62),
    ("tool-exports/labelbox/rle.json", "coco", 10, 80, 231, 10, 221),
    ("tool-exports/labelformat/instance_segmentation/COCO/instances.json", "coco", 2, 4, 3, 0, 3),
    ("tool-exports/labelformat/instance_segmentation/COCO/instances_with_binary_mask.json", "coco", 3, 4, 4, 1, 3),
    ("tool-exports/labelformat/object_detection/COCO/train.json", "coco", 2, 32, 16, 0, 0),
    ("tool-exports/qupath/qupath05.geojson", "qupath", 1, 2, 3, 0, 3),
    ("tool-exports/roboflow/sharks-tiny-coco/test/_annotations.coco.json", "coco", 1, 4, 6, 0, 6),
    ("tool-exports/roboflow/sharks-tiny-coco/train/_annotations.coco.json", "coco", 7, 4, 44, 0, 8),
    ("tool-exports/roboflow/sharks-tiny-coco/valid/_annotations.coco.json", "coco", 2, 4, 10, 0, 3),
    ("voc2007-100/dets/coco_format/coco_dets.json", "coco", 98, 20, 452, 0, 0),
    ("voc2007-100/gts/coco_format_v1/instances_default.json", "coco", 100, 20, 273, 0, 0),
    ("voc2007-100/gts/coco_format_v2/instances_v2.json", "coco", 100, 20, 273, 0, 273),
]  # fmt: skip

# path, format, rule: captions, labels of whole images and panoptic segments are other tasks' files
REFUSED = [
    ("coco-val2014-100/gt_ignore_test.json", "coco", "coco-id-mixed"),
    ("stuff-2/captions_val2014_fakecap_results.json", "coco-results", "coco-key"),
    ("tool-exports/datumaro/coco_dataset/coco/annotations/captions_train.json", "coco", "label-unknown"),
    ("tool-exports/datumaro/coco_dataset/coco/annotations/captions_val.json", "coco", "label-unknown"),
    ("tool-exports/datumaro/coco_dataset/coco/annotations/labels_train.json", "coco", "box-missing"),
    ("tool-exports/datumaro/coco_dataset/coco/annotations/labels_val.json", "coco", "box-missing"),
    ("tool-exports/datumaro/coco_dataset/coco_captions/annotations/captions_train.json", "coco", "label-unknown"),
    ("tool-exports/datumaro/coco_dataset/coco_captions/annotations/captions_val.json", "coco", "label-unknown"),
    ("tool-exports/datumaro/coco_dataset/coco_labels/annotations/labels_train.json", "coco", "box-missing"),
    ("tool-exports/datumaro/coco_dataset/coco_labels/annotations/labels_val.json", "coco", "box-missing"),
    ("tool-exports/label-studio/converter/test_import_coco/coco_import_input.json", "coco", "coco-iscrowd"),
]  # fmt: skip

# Refused for numbers or flags as text; read where that may be mended.
MENDED = {
    "coco-val2014-100/gt_ignore_test.json": (14, 1),
    "tool-exports/label-studio/converter/test_import_coco/coco_import_input.json": (2, 0),
}


@pytest.mark.parametrize(("path", "name", "images", "labels", "rows", "masks", "outlines"), READ, ids=lambda v: str(v))
def test_a_file_is_recognised_and_read(shared_data, path, name, images, labels, rows, masks, outlines):
    assert formats.detect(shared_data / path)[0].name == name
    data = formats.read(shared_data / path)
    columns = data.annotations
    assert (len(data.images), len(data.labels), len(data)) == (images, labels, rows)
    assert (0 if columns.masks is None else columns.masks.present.sum()) == masks
    assert (0 if columns.polygons is None else columns.polygons.present.sum()) == outlines
    if rows:
        assert columns.where(0).startswith(str(shared_data / path))


@pytest.mark.parametrize(("path", "name", "rule"), REFUSED, ids=lambda v: str(v))
def test_a_file_is_refused_with_its_place_and_reason(shared_data, path, name, rule):
    assert formats.detect(shared_data / path)[0].name == name
    with pytest.raises(FormatError) as error:
        formats.read(shared_data / path)
    assert error.value.rule == rule
    assert str(shared_data / path) in str(error.value)
    if path in MENDED:
        data = formats.read(shared_data / path, lenient=True)
        assert (len(data), int(data.annotations.crowd.sum())) == MENDED[path]


# pattern, format: what tools wrote; their content is compared in test_real_exports.py
TOOLS = [
    ("tool-exports/datumaro/segment_anything_dataset/*.json", "segment-anything"),
    ("panoptic-2/panoptic_examples.json", "coco-panoptic"),
    ("tool-exports/datumaro/*/annotations/panoptic_*.json", "coco-panoptic"),
    ("tool-exports/datumaro/mapillary_vistas_dataset/*/panoptic_*.json", "coco-panoptic"),
    ("tool-exports/labelbox/panoptic.json", "coco-panoptic"),
    ("tool-exports/darwin/image_*/image_*.json", "darwin"),
    ("tool-exports/qupath/*.json", "darwin"),
    ("tool-exports/datumaro/datumaro_dataset/legacy/annotations/*.json", "datumaro"),
    ("tool-exports/labelbox/*_import*.json", "labelbox"),
    ("tool-exports/labelbox/export-result.ndjson", "labelbox"),
    ("tool-exports/labelformat/object_detection/Labelbox/*.ndjson", "labelbox"),
    ("tool-exports/datumaro/vott_json_dataset/*/*export.json", "vott"),
    ("four-images-ten-tools/labelme/*.json", "labelme"),
    ("voc2007-100/gts/labelme_format/*.json", "labelme"),
    ("four-images-ten-tools/via/*.json", "via"),
    ("tool-exports/label-studio/converter/*/*data*.json", "label-studio"),
    ("tool-exports/label-studio/frontend/image_[!t]*/tasks.json", "label-studio"),
    ("tool-exports/label-studio/frontend/*/annotations/*.json", "label-studio"),
    ("four-images-ten-tools/CreateML/*.json", "createml"),
    ("tool-exports/datumaro/roboflow_dataset/createml/*/*.json", "createml"),
    ("tool-exports/roboflow/sharks-tiny-createml/*/*.json", "createml"),
]


def test_no_file_of_another_format_is_taken_for_one(shared_data):
    listed = {row[0] for row in READ + REFUSED}
    for path in sorted(shared_data.rglob("*.*json")):
        name = path.relative_to(shared_data).as_posix()
        if name in listed or name.startswith(("geojson/rfc7946-schema", "geojson/validator")):
            continue
        expected = [known for pattern, known in TOOLS if fnmatch(name, pattern)]
        if expected:
            assert formats.detect(path)[0].name == expected[0], name
        else:
            with pytest.raises(FormatError, match="format-unknown"):
                formats.detect(path)


def test_the_exports_of_voc_agree(shared_data):
    folder = shared_data / "voc2007-100/gts"
    one, other = (
        formats.read(folder / name)
        for name in ("coco_format_v1/instances_default.json", "coco_format_v2/instances_v2.json")
    )
    assert sorted(one.images.names) == sorted(other.images.names)

    def boxes(data):
        rows = data.annotations
        names = (data.labels.names[label] for label in rows.label)
        return sorted(zip((data.images.names[i] for i in rows.image), names, rows.box.tolist(), strict=True))

    for a, b in zip(boxes(one), boxes(other), strict=True):
        assert a[:2] == b[:2]
        assert all(abs(x - y) <= 1 for x, y in zip(a[2], b[2], strict=True))
