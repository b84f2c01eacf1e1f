"""Label Studio, labelme, VIA and CreateML: what only they have, and what they refuse."""

import base64
import io
import json

import numpy as np
import pytest
from helpers.written import written
from PIL import Image

from rapideval import Annotations, Dataset, Images, Labels, Masks, Polygons, formats
from rapideval.errors import InputError, UsageError
from rapideval.formats.tools.brush import packed, unpacked

SQUARE = [[1, 1], [5, 1], [5, 4], [1, 4]]
HOLE = [[2, 2], [3, 2], [3, 3]]


def read(document, name, **options):
    return formats.read(json.dumps(document).encode(), name, **options)


# --- Label Studio --------------------------------------------------------------------------------------


def task(*results, kind="annotations", **members):
    size = {"original_width": 200, "original_height": 100}
    return [{"data": {"image": "a.jpg"}, kind: [{"result": [size | result for result in results], **members}]}]


RECTANGLE = {
    "id": "x", "type": "rectanglelabels",
    "value": {"x": 10, "y": 20, "width": 5, "height": 10, "rotation": 90, "rectanglelabels": ["cat"]},
}  # fmt: skip


def test_a_rectangle_turns_about_its_corner():
    data = read(task(RECTANGLE), "label-studio")
    assert data.annotations.polygons.rings(0)[0].tolist() == [[20, 20], [20, 30], [10, 30], [10, 20]]
    assert data.annotations.box.tolist() == [[10, 20, 10, 10]]


def test_scores_are_written_as_predictions_and_read_again():
    data = Dataset(
        Images(["a.jpg", "b.jpg"], sizes=[[10, 20]] * 2), Labels(["cat"]), Annotations([0], [0], [[1, 2, 3, 4]], [0.75])
    )
    text, _ = written(data, "label-studio", model_version="v7")
    tasks = json.loads(text)
    assert [list(task) for task in tasks] == [["data", "predictions"]] * 2
    assert (tasks[0]["predictions"][0]["model_version"], tasks[0]["predictions"][0]["score"]) == ("v7", 0.75)
    assert formats.read(text).annotations.score.tolist() == [0.75]
    text, _ = written(data, "label-studio", kind="annotations")
    assert "annotations" in json.loads(text)[0]


def test_of_several_annotations_the_ground_truth_counts():
    several = task(RECTANGLE, ground_truth=True)
    other = RECTANGLE | {"value": RECTANGLE["value"] | {"rectanglelabels": ["dog"]}}
    several[0]["annotations"] += task(other)[0]["annotations"] + task(other, was_cancelled=True)[0]["annotations"]
    data = read(several, "label-studio")
    assert [row.label for row in data] == ["cat"]
    assert [(note.rule, note.count) for note in data.notes] == [("ls-others", 1)]


def test_which_member_is_the_image_is_asked_where_it_cannot_be_told():
    document = task(RECTANGLE)
    document[0]["data"] = {"left": "a.jpg", "right": "b.jpg"}
    with pytest.raises(InputError, match=r"found the texts left, right, expected the image.*image_key"):
        read(document, "label-studio")
    assert read(document, "label-studio", image_key="right").images.names == ("b.jpg",)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"image_rotation": 90}, r"\$\[0\].annotations\[0\].result\[0\]: found coordinates of the image turned"),
        ({"original_width": 0}, "found 0, expected a whole number of 1 or more"),
        ({"value": {"x": 1, "rectanglelabels": ["a"]}}, "found no such key, expected the key 'y'"),
        ({"type": "brushlabels", "value": {"rle": [1, 2], "brushlabels": ["a"]}}, "found a stream that ends early"),
        ({"type": "brushlabels", "value": {"rle": [256], "brushlabels": ["a"]}}, "from 0 to 255"),
        ({"score": 50}, "found 50, expected a score from 0 to 1; hint: scores in percent"),
    ],
)
def test_a_region_that_cannot_be_is_refused_with_its_place(change, says):
    document = task(RECTANGLE)
    document[0]["annotations"][0]["result"][0] |= change
    with pytest.raises(InputError, match=says):
        read(document, "label-studio")


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (40, 50), (300, 500)])
def test_a_brush_comes_back_whatever_its_runs(shape):
    chance = np.random.default_rng(shape[0])
    for mask in (np.zeros(shape, bool), np.ones(shape, bool), chance.random(shape) < 0.5, chance.random(shape) < 0.01):
        assert (unpacked(packed(mask), *shape) == mask).all()


def test_values_of_a_brush_may_stand_one_by_one():
    # 8 values of 8 bits, in one packet of literals, as Label Studio packs short changes: two pixels, the second painted
    header = f"{8:032b}{7:05b}{2:04b}{3:04b}{7:04b}{15:04b}"
    bits = header + "0" + "00" + f"{7:03b}" + "00000000" * 4 + "11111111" * 4
    bits += "0" * (-len(bits) % 8)
    stream = list(int(bits, 2).to_bytes(len(bits) // 8, "big"))
    assert unpacked(stream, 1, 2).tolist() == [[False, True]]


# --- labelme -------------------------------------------------------------------------------------------


def labelme(*shapes, **members):
    return {
        "version": "5.0", "flags": {}, "shapes": list(shapes), "imagePath": "a.jpg", "imageData": None,
        "imageHeight": 10, "imageWidth": 20, **members,
    }  # fmt: skip


def test_polygons_of_a_group_are_one_object():
    shape = {"label": "cat", "points": SQUARE, "group_id": 3, "shape_type": "polygon", "flags": {}}
    other = shape | {"points": HOLE, "label": "dog"}
    data = read(labelme(shape, shape | {"points": HOLE}, other), "labelme")
    assert [(row.label, len(row.rings)) for row in data] == [("cat", 2), ("dog", 1)]
    assert data.annotations.extras[1] == {"group_id": 3}


def test_circles_and_rectangles_in_any_order_are_read():
    circle = {"label": "ball", "points": [[10, 5], [13, 5]], "shape_type": "circle"}
    rectangle = {"label": "box", "points": [[8, 4], [2, 1]], "shape_type": "rectangle"}
    line = {"label": "edge", "points": [[8, 4], [2, 1]], "shape_type": "line"}
    data = read(labelme(circle, rectangle, line), "labelme")
    assert data.annotations.box[1].tolist() == [2, 1, 6, 3]
    assert data.annotations.box[0] == pytest.approx([7, 2, 6, 6], abs=0.01)
    assert [(note.rule, note.count) for note in data.notes] == [("labelme-skipped", 1)]


def test_an_outline_with_a_hole_is_written_as_a_mask(tmp_path):
    polygons = Polygons.from_rings([[SQUARE, HOLE]], [[False, True]])
    data = Dataset(
        Images(["d/a.jpg"], sizes=[[10, 20]]), Labels(["cat"]), Annotations([0], [0], None, polygons=polygons)
    )
    assert formats.write(data, tmp_path / "out", "labelme").counts() == {"holes": 1}
    back = formats.read(tmp_path / "out")
    assert (back.annotations.masks.dense(0) == polygons.rasterise([[10, 20]]).dense(0)).all()
    assert back.images.names == ("d/a.jpg",)


def png(mode, size=(2, 2)):
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ({"shape_type": "mask", "points": [[1, 1], [2, 2]], "mask": "?"}, "base64"),
        ({"shape_type": "mask", "points": [[1, 1], [2, 2]], "mask": png("RGB")}, "a PNG of mode RGB"),
        (
            {"shape_type": "mask", "points": [[19, 1], [20, 2]], "mask": png("1")},
            "from 19, 1 to 21, 3, expected one",
        ),
        ({"shape_type": "rectangle", "points": [[1, 1]]}, "found 1 points, expected 2 points"),
        ({"shape_type": "blob", "points": [[1, 1]]}, "found 'blob', expected polygon"),
        ({"shape_type": "polygon", "points": [[1, "x"]]}, r"\$.shapes\[0\].points\[0\]\[1\]: found 'x'"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(shape, says):
    with pytest.raises(InputError, match=says):
        read(labelme({"label": "a", **shape}), "labelme")


# --- VIA -----------------------------------------------------------------------------------------------


def via(shape, attributes):
    region = {"shape_attributes": shape, "region_attributes": attributes}
    return {"a.jpg1": {"filename": "a.jpg", "size": 1, "regions": [region], "file_attributes": {}}}


RECT = {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}


@pytest.mark.parametrize(
    ("attributes", "options", "label"),
    [
        ({"class": "cat", "color": "red"}, {}, "cat"),
        ({"thing": "cat"}, {}, "cat"),
        ({"name": "tom", "thing": "cat"}, {"label_attribute": "thing"}, "cat"),
        ({"type": {"cat": True, "dog": False}}, {}, "cat"),
    ],
)
def test_one_attribute_is_the_label(attributes, options, label):
    assert [row.label for row in read(via(RECT, attributes), "via", **options)] == [label]
    project = {"_via_settings": {}, "_via_img_metadata": via(RECT, attributes), "_via_attributes": {}}
    assert [row.label for row in read(project, "via", **options)] == [label]


@pytest.mark.parametrize(
    ("shape", "attributes", "says"),
    [
        (RECT, {"a": "x", "b": "y"}, "found the attributes a, b, expected one that is the label"),
        (RECT, {}, "found no attributes"),
        (RECT, {"label": {"cat": True, "dog": True}}, "found 2 labels, expected one"),
        (RECT | {"width": -1}, {"label": "a"}, "found -1, expected a number 0 or more"),
        ({"name": "polygon", "all_points_x": [1, 2], "all_points_y": [1]}, {"label": "a"}, "found 2 x and 1 y"),
        ({"name": "cloud"}, {"label": "a"}, "found 'cloud'"),
    ],
)
def test_a_region_of_via_that_cannot_be_is_refused(shape, attributes, says):
    with pytest.raises(InputError, match=says):
        read(via(shape, attributes), "via")


def test_csv_says_the_line():
    head = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"
    with pytest.raises(InputError, match=r"line\[2\].region_shape_attributes: found '\{x', expected a JSON object"):
        formats.read((head + 'a.jpg,1,{},1,0,{x,"{}"\n').encode(), "via-csv")
    with pytest.raises(InputError, match="found no column file_attributes"):
        formats.read(b"filename,region_shape_attributes\n", "via-csv")


def test_several_parts_and_masks_become_one_ring():
    polygons = Polygons.from_rings([[SQUARE, [[10, 1], [12, 1], [12, 3]]], []])
    masks = Masks.from_dense(np.ones((2, 3), bool))
    data = Dataset(
        Images(["a.jpg", "b.jpg"], sizes=[[10, 20], [2, 3]]),
        Labels(["cat"]),
        Annotations([0, 1], [0, 0], None, polygons=polygons, masks=masks.spread(np.array([1]), 2)),
    )
    text, lost = written(data, "via")
    assert lost.counts() == {"masks": 1, "parts": 1, "image_sizes": 2}
    back = formats.read(text).annotations.polygons
    assert (back.take([0]).rasterise([[10, 20]]).dense(0) == polygons.take([0]).rasterise([[10, 20]]).dense(0)).all()
    with pytest.raises(UsageError, match="holes='burn': one of bridge, fill, refuse"):
        written(data, "via", holes="burn")
