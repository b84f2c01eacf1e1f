"""Labelbox, V7 Darwin, Datumaro and Scale: real exports, what only they have, and what they refuse."""

import json

import numpy as np
import pytest
from helpers.written import written

from rapideval import Annotations, Dataset, Images, Labels, Polygons, formats
from rapideval.errors import FormatError, InputError

EXPORTS = "tool-exports"


def read(document, name, **options):
    return formats.read(json.dumps(document).encode(), name, **options)


def boxes(data):
    rows = data.annotations
    return sorted(
        (
            data.images.keys[rows.image[row]].rsplit("/", 1)[-1],
            data.labels.names[rows.label[row]],
            *rows.box[row].tolist(),
        )
        for row in range(len(data))
    )


# --- V7 Darwin -----------------------------------------------------------------------------------------


def test_darwins_own_format_is_its_coco(shared_data):
    folder = shared_data / EXPORTS / "darwin"
    data = formats.read(folder / "image_annotations_without_subtypes")
    assert formats.detect(folder / "image_annotations_without_subtypes")[0].name == "darwin"
    assert len(data.images) == 8
    assert set(map(tuple, data.images.sizes.tolist())) == {(1080, 1920)}
    coco = formats.read(folder / "coco_annotations/output.json")
    simple = formats.read(folder / "image_new_basic_annotations")
    assert len(simple.images) == len(coco.images) == 8


def test_slides_of_qupath_as_darwin_are_read(shared_data):
    folder = shared_data / EXPORTS / "qupath"
    data = formats.read(folder / "103S.json")
    assert data.images.sizes.tolist() == [[40064, 63488]]
    assert (len(data), int(data.annotations.polygons.present.sum())) == (12, 4)  # the others are boxes or ellipses
    assert sorted(set(data.labels.names)) == sorted(data.labels.names)


def darwin(*annotations):
    item = {"name": "a.jpg", "path": "/d", "slots": [{"slot_name": "0", "width": 20, "height": 10}]}
    return {"version": "2.0", "item": item, "annotations": list(annotations)}


def path(*points):
    return [{"x": x, "y": y} for x, y in points]


def test_paths_of_darwin_are_parts_and_holes_by_what_surrounds_them():
    outer, inner = path((0, 0), (9, 0), (9, 9), (0, 9)), path((2, 2), (6, 2), (6, 6), (2, 6))
    island, apart = path((3, 3), (5, 3), (5, 5)), path((12, 0), (15, 0), (15, 3))
    data = read(darwin({"name": "cat", "polygon": {"paths": [inner, outer, apart, island]}}), "darwin")
    polygons = data.annotations.polygons
    assert polygons.holes(0).tolist() == [False, True, False, False]
    assert [ring[0].tolist() for ring in polygons.rings(0)] == [[0, 0], [2, 2], [12, 0], [3, 3]]
    assert data.images.names == ("d/a.jpg",)


@pytest.mark.parametrize("image", [None, {"width": 20, "height": 10, "original_filename": "a.jpg", "path": "/d"}])
def test_older_forms_of_darwins_polygons_are_read(image):
    outer, inner = path((0, 0), (9, 0), (9, 9), (0, 9)), path((2, 2), (6, 2), (6, 6), (2, 6))
    shapes = [
        {"name": "cat", "polygon": {"path": outer, "additional_paths": [inner]}},
        {"name": "cat", "complex_polygon": {"path": [outer, inner]}},
        {"name": "cat", "complex_polygon": {"path": outer, "additional_paths": [inner]}},
        {"name": "cat", "polygon": {"path": outer}},
    ]
    document = darwin(*shapes) if image is None else {"dataset": "x", "image": image, "annotations": shapes}
    text = json.dumps(document).encode()
    assert formats.detect(text)[0].name == "darwin"
    data = formats.read(text)
    assert (data.images.names, data.images.sizes.tolist()) == (("d/a.jpg",), [[10, 20]])
    holes = [data.annotations.polygons.holes(row).tolist() for row in range(4)]
    assert holes == [[False, True]] * 3 + [[False]]


def test_masks_of_darwin_are_found_in_its_raster_layer():
    raster = {"dense_rle": [0, 25, 2, 3, 1, 172], "mask_annotation_ids_mapping": {"x": 2, "y": 1}, "total_pixels": 200}
    layer = {"name": "__raster_layer__", "id": "r", "raster_layer": raster}
    data = read(darwin({"name": "cat", "id": "x", "mask": {}}, layer, {"name": "dog", "id": "y", "mask": {}}), "darwin")
    assert [row.label for row in data] == ["cat", "dog"]
    assert data.annotations.masks.area.tolist() == [3, 172]
    assert data.annotations.box[0].tolist() == [5, 1, 3, 1]


def test_what_darwin_has_besides_is_told():
    shapes = [{"name": "a", "keypoint": {"x": 1, "y": 1}}, {"name": "b", "tag": {}}]
    shapes += [{"name": "c", "line": {"path": []}, "bounding_box": {"x": 0, "y": 0, "w": 1, "h": 1}}]
    data = read(darwin(*shapes), "darwin")
    assert len(data) == 0
    assert sum(note.count for note in data.notes) == 3


@pytest.mark.parametrize(
    ("annotation", "says"),
    [
        ({"name": "a", "mask": {}, "id": "z"}, r"\$.annotations\[0\]: found no raster layer that maps its id"),
        ({"name": "a", "bounding_box": {"x": 1, "y": 1, "w": -1, "h": 1}}, "bounding_box.w: found -1"),
        (
            {"name": "a", "polygon": {"paths": [[{"x": 1}]]}},
            r"paths\[0\]\[0\]: found no such key, expected the key 'y'",
        ),
        ({"name": "a", "bounding_box": {}, "inference": {"confidence": 3}}, "bounding_box"),
    ],
)
def test_an_annotation_of_darwin_that_cannot_be_is_refused(annotation, says):
    with pytest.raises(InputError, match=says):
        read(darwin(annotation), "darwin")


# --- Labelbox ------------------------------------------------------------------------------------------


def test_labelboxs_export_is_its_coco(shared_data):
    folder = shared_data / EXPORTS / "labelformat/object_detection"
    data = formats.read(folder / "Labelbox/export-result.ndjson")
    coco = formats.read(folder / "COCO/train.json")
    assert len(data) == len(coco) == 16
    assert [row[:2] for row in boxes(data)] == [row[:2] for row in boxes(coco)]
    assert np.allclose([row[2:] for row in boxes(data)], [row[2:] for row in boxes(coco)], rtol=0, atol=1e-9)
    larger = formats.read(shared_data / EXPORTS / "labelbox/export-result.ndjson")
    assert len(larger) == 16


def test_labelboxs_imports_are_read(shared_data):
    data = formats.read(shared_data / EXPORTS / "labelbox/rectangle_import.json")
    assert boxes(data) == [("ckrb1sf1i1g7i0ybcdc6oc8ct", "bbox", 38, 28, 43, 41)]
    data = formats.read(shared_data / EXPORTS / "labelbox/image_import_name_only.json")
    assert {note.rule for note in data.notes} <= {"labelbox-skipped"}
    assert "not fetched" in str(data.notes[0])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"dataRow": {"globalKey": "a"}, "name": "x", "bbox": {"left": 1}}', r"line\[1\].bbox: found no such key"),
        (b'{"dataRow": {"globalKey": "a"}, "name": "x", "mask": {"png": "?"}}', "a PNG of one channel in base64"),
        (b'{"dataRow": {"globalKey": "a"}, "bbox": \n', "json-syntax"),
        (b"", "json-empty"),
    ],
)
def test_a_line_of_labelbox_that_cannot_be_is_refused(line, says):
    with pytest.raises(FormatError, match=says):
        formats.read(line, "labelbox")


# --- Datumaro ------------------------------------------------------------------------------------------


def test_datumaros_labels_of_whole_images_are_told(shared_data):
    data = formats.read(shared_data / EXPORTS / "datumaro/datumaro_dataset/legacy/annotations")
    assert len(data.labels) >= 4
    assert {note.rule for note in data.notes} == {"datumaro-skipped"}
    assert {data.images.extras[row]["split"] for row in range(len(data.images))} == {"train", "test", "validation"}


def datumaro(*annotations):
    item = {"id": "a", "annotations": list(annotations), "image": {"path": "a.jpg", "size": [10, 20]}}
    return {"categories": {"label": {"labels": [{"name": "cat", "parent": "pet"}]}}, "items": [item]}


def test_polygons_of_a_group_of_datumaro_are_parts():
    polygon = {"type": "polygon", "label_id": 0, "group": 3, "attributes": {"is_crowd": True, "color": "red"}}
    one, other = polygon | {"points": [0, 0, 2, 0, 2, 2]}, polygon | {"points": [5, 5, 7, 5, 7, 7]}
    data = read(datumaro(one, other, polygon | {"group": 0, "points": [1, 1, 3, 1, 3, 3]}), "datumaro")
    assert [len(row.rings) for row in data] == [2, 1]
    assert data.annotations.crowd.all()
    assert data.annotations.extras[0] == {"color": "red"}
    assert data.labels[0].supercategory == "pet"


@pytest.mark.parametrize(
    ("annotation", "says"),
    [
        ({"type": "bbox", "label_id": 1, "bbox": [0, 0, 1, 1]}, "found 1, expected one of the 1 labels, from 0"),
        ({"type": "bbox", "label_id": 0, "bbox": [0, 0, -1, 1]}, "a width and height of 0 or more"),
        ({"type": "polygon", "label_id": 0, "points": [0, 0, 1]}, "found 3 numbers, expected x, y, x, y"),
        ({"type": "mask", "label_id": 0, "rle": {"size": [1, 2], "counts": [1]}}, "rle.counts"),
    ],
)
def test_an_annotation_of_datumaro_that_cannot_be_is_refused(annotation, says):
    with pytest.raises(InputError, match=says):
        read(datumaro(annotation), "datumaro")


# --- Scale ---------------------------------------------------------------------------------------------

BOX = {"label": "car", "type": "box", "geometry": {"x": 1, "y": 2, "width": 3, "height": 4}, "reference_id": "a.jpg"}


def test_nucleus_is_read_as_array_as_member_and_as_lines():
    texts = [json.dumps([BOX, BOX]), json.dumps({"predictions": [BOX, BOX]}), f"{json.dumps(BOX)}\n{json.dumps(BOX)}"]
    for text in texts:
        assert formats.detect(text.encode())[0].name == "scale-nucleus"
        assert formats.read(text.encode()).annotations.box.tolist() == [[1, 2, 3, 4]] * 2


def test_ids_of_nucleus_are_unique_within_an_image():
    data = Dataset(Images(["a.jpg"]), Labels(["x"]), Annotations([0, 0], [0, 0], [[0, 0, 1, 1]] * 2, [0.5, 0.25]))
    listed = json.loads(written(data, "scale-nucleus")[0])
    assert [item["annotation_id"] for item in listed] == ["a.jpg-0", "a.jpg-1"]
    assert [item["confidence"] for item in listed] == [0.5, 0.25]


def test_responses_of_tasks_are_read_and_hypotheses_written():
    box = {"label": "car", "left": 1, "top": 2, "width": 3, "height": 4, "type": "box", "uuid": "u"}
    response = {"annotations": [box]}
    task = {"task_id": "t", "params": {"attachment": "a.jpg"}, "response": response}
    data = formats.read(json.dumps([task]).encode())
    assert [(row.image, row.label, row.box) for row in data] == [("a.jpg", "car", (1, 2, 3, 4))]
    hypothesis = json.loads(written(data, "scale-tasks")[0])[0]
    assert hypothesis["hypothesis"]["annotations"] == [
        {"label": "car", "type": "box", "left": 1, "top": 2, "width": 3, "height": 4}
    ]


def test_what_scale_has_besides_is_told():
    line = BOX | {"type": "line", "geometry": {"vertices": []}}
    data = read([line, BOX, BOX | {"type": "category"}], "scale-nucleus")
    assert len(data) == 1
    assert {note.found.split(" × ")[1] for note in data.notes} == {"line: not read", "category: not read"}


def test_a_hole_is_joined_to_its_exterior_in_nucleus():
    polygons = Polygons.from_rings([[[[0, 0], [9, 0], [9, 9], [0, 9]], [[2, 2], [6, 2], [6, 6]]]], [[False, True]])
    data = Dataset(Images(["a"], sizes=[[10, 10]]), Labels(["x"]), Annotations([0], [0], None, polygons=polygons))
    text, lost = written(data, "scale-nucleus")
    assert lost.counts() == {"holes": 1, "image_sizes": 1}
    back = formats.read(text).annotations.polygons
    assert (back.rasterise([[10, 10]]).dense(0) == polygons.rasterise([[10, 10]]).dense(0)).all()
