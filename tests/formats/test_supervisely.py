"""Supervisely: what its files mean, how a project is laid out, and what is refused."""

import base64
import io
import json
import zlib

import numpy as np
import pytest
from helpers.written import mask_of, small
from PIL import Image

from rapideval import Annotations, Dataset, Images, Labels, Polygons, formats
from rapideval.errors import FormatError, InputError, UsageError

# The example of `Bitmap.data_2_base64` in Supervisely's own documentation: a square of 3 pixels around one that is out.
SQUARE = (
    "eJzrDPBz5+WS4mJgYOD19HAJAtLMIMwIInOeqf8BUmwBPiGuQPr///9Lb86/C2QxlgT5BTM4PLuRBuTwebo4hlTMSa44sKHhISMDuxpTYrr03F6g"
    "DIOnq5/LOqeEJgDM5ht6"
)


def document(*objects, **fields):
    return json.dumps({"size": {"height": 10, "width": 20}, "objects": list(objects), **fields}).encode()


def shape(kind, exterior=(), interior=(), **fields):
    points = {"exterior": list(exterior), "interior": list(interior)}
    return {"classTitle": "cat", "geometryType": kind, "points": points, **fields}


def bitmap(picture, origin=(2, 1), packed=True):
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    data = zlib.compress(stream.getvalue()) if packed else stream.getvalue()
    return {"data": base64.b64encode(data).decode(), "origin": list(origin)}


def test_the_last_pixel_of_a_rectangle_belongs_to_it():
    items = shape("rectangle", [[2, 1], [5, 3]]), shape("rectangle", [[5, 3], [2, 1]])
    assert formats.read(document(*items)).annotations.box.tolist() == [[2, 1, 4, 3]] * 2
    assert formats.read(document(*items), coordinates="edges").annotations.box.tolist() == [[2, 1, 3, 2]] * 2


def test_points_of_a_polygon_are_in_the_middle_of_their_pixels():
    item = shape("polygon", [[0, 0], [9, 0], [9, 9]], [[[5, 1], [8, 1], [8, 4]]])
    row = formats.read(document(item))[0]
    assert [ring.tolist() for ring in row.rings] == [
        [[0.5, 0.5], [9.5, 0.5], [9.5, 9.5]],
        [[5.5, 1.5], [8.5, 1.5], [8.5, 4.5]],
    ]
    polygons = formats.read(document(item), coordinates="edges").annotations.polygons
    assert polygons.holes(0).tolist() == [False, True]
    assert polygons.rings(0)[0].tolist() == [[0, 0], [9, 0], [9, 9]]


def test_parts_of_a_multipolygon_have_holes_of_their_own():
    ring, hole = [[0, 0], [4, 0], [4, 4]], [[2, 1], [3, 1], [3, 2]]
    parts = [{"exterior": ring, "interior": [hole]}, {"exterior": [[10, 0], [14, 0], [14, 4]], "interior": []}]
    data = formats.read(document({"classTitle": "cat", "geometryType": "multipolygon", "parts": parts}))
    assert data.annotations.polygons.holes(0).tolist() == [False, True, False]


def test_the_bitmap_of_superviselys_documentation_is_read():
    item = {"classTitle": "cat", "geometryType": "bitmap", "bitmap": {"data": SQUARE, "origin": [4, 2]}}
    masks = formats.read(document(item)).annotations.masks
    expected = np.zeros((10, 20), bool)
    expected[2:5, 4:7] = [[1, 1, 1], [1, 0, 1], [1, 1, 1]]
    assert (masks.dense(0) == expected).all()


@pytest.mark.parametrize("packed", [True, False])
def test_what_a_bitmap_shows_is_what_is_not_transparent(packed):
    seen = np.array([[255, 0], [3, 255]], np.uint8)
    white = np.full((2, 2), 255, np.uint8)
    pictures = [
        Image.fromarray(seen),
        Image.fromarray(np.dstack([white, white, white, seen])),
        Image.fromarray(np.dstack([white, seen])),
    ]
    for picture in pictures:
        item = {"classTitle": "cat", "geometryType": "bitmap", "bitmap": bitmap(picture, packed=packed)}
        masks = formats.read(document(item)).annotations.masks
        assert (masks.dense(0)[1:3, 2:4] == (seen > 0)).all()
        assert masks.area[0] == 3


def test_a_bitmap_is_written_as_supervisely_writes_it(tmp_path):
    dense = np.zeros((10, 20), bool)
    dense[2:5, 4:7] = [[1, 1, 1], [1, 0, 1], [1, 1, 1]]
    rows = Annotations([0], [0], None, masks=mask_of(dense))
    formats.write(Dataset(Images(["a.jpg"], sizes=[[10, 20]]), Labels(["cat"]), rows), tmp_path / "p", "supervisely")
    item = json.loads((tmp_path / "p/ds0/ann/a.jpg.json").read_bytes())["objects"][0]
    assert item["bitmap"]["origin"] == [4, 2]
    ours, its = (_colours(zlib.decompress(base64.b64decode(data))) for data in (item["bitmap"]["data"], SQUARE))
    assert ours.tolist() == its.tolist()


def _colours(png):
    with Image.open(io.BytesIO(png)) as picture:
        return np.asarray(picture.convert("RGBA"))


def test_a_project_has_its_datasets_in_each_other(tmp_path):
    keys = ["a.jpg", "train/b.jpg", "train/deep/c.jpg"]
    data = Dataset(
        Images(keys, sizes=[[10, 20]] * 3), Labels(["x"]), Annotations([2, 1, 0], [0, 0, 0], [[0, 0, 2, 2]] * 3)
    )
    assert not formats.write(data, tmp_path / "p", "supervisely").counts()
    files = sorted(str(path.relative_to(tmp_path / "p")) for path in (tmp_path / "p").rglob("*.json"))
    assert files == [
        "ds0/ann/a.jpg.json", "meta.json", "train/ann/b.jpg.json", "train/datasets/deep/ann/c.jpg.json",
    ]  # fmt: skip
    assert sorted(formats.read(tmp_path / "p").images.keys) == sorted(keys)
    assert formats.read(tmp_path / "p/ds0").images.keys == ("a.jpg",)
    assert formats.read(tmp_path / "p/train/ann/b.jpg.json").images.keys == ("b.jpg",)


def test_confidences_are_scores_where_all_have_one():
    tag = {"name": "confidence", "value": 0.25}
    one = shape("rectangle", [[2, 1], [5, 3]], tags=[{"name": "other"}, tag])
    data = formats.read(document(one, one))
    assert data.annotations.score.tolist() == [0.25, 0.25]
    assert data.annotations.extras[0] == {"tags": [{"name": "other"}]}
    mixed = formats.read(document(one, shape("rectangle", [[2, 1], [5, 3]])))
    assert not mixed.scored
    assert mixed.annotations.extras[0]["tags"] == [{"name": "other"}, tag]
    with pytest.raises(FormatError, match=r"objects\[0\].tags\[0\].value: found 25"):
        formats.read(document(shape("rectangle", [[2, 1], [5, 3]], tags=[tag | {"value": 25}])))


def test_what_supervisely_has_besides_is_told():
    data = formats.read(document(shape("point", [[1, 1]]), shape("line"), shape("line"), description="seen"))
    assert {note.found.split(":")[0]: note.count for note in data.notes} == {"1 × point": 1, "2 × line": 2}
    assert data.images.extras[0] == {"description": "seen"}


def test_losses_are_counted_before_writing():
    ring = [[0, 0], [4, 0], [4, 4]]
    polygons = Polygons.from_rings([[], [ring, [[10, 0], [14, 0], [14, 4]]], []], [[], [False, False], []])
    rows = Annotations([0, 0, 1], [0, 0, 0], [[1, 1, 0.5, 3], [0, 0, 14, 4], [0, 0, 1, 1]], polygons=polygons)
    data = Dataset(Images(["ds0/a.jpg", 'b"c.jpg'], sizes=[[10, 20]] * 2), Labels(["x"]), rows)
    assert formats.losses(data, "supervisely").counts() == {"parts": 1, "narrow_boxes": 1, "image_names": 2}
    edges = formats.losses(data, "supervisely", coordinates="edges").counts()
    assert edges == {"parts": 1, "image_names": 2}


@pytest.mark.parametrize(
    ("item", "says"),
    [
        (shape("rectangle", [[0, 0]]), r"objects\[0\].points.exterior: found 1 points, expected two corners"),
        (shape("polygon", [[0]]), r"exterior\[0\]: found an array of 1, expected 2 numbers"),
        ({"classTitle": "x", "geometryType": "bitmap"}, "expected the key 'bitmap'"),
        (
            {"classTitle": "x", "geometryType": "bitmap", "bitmap": {"data": SQUARE, "origin": [18, 0]}},
            "found a mask from 18, 0 to 21, 3, expected one of whole pixels within 20 × 10",
        ),
        (
            {"classTitle": "x", "geometryType": "bitmap", "bitmap": {"data": "eJw=", "origin": [0, 0]}},
            "expected a PNG, packed by zlib, in base64",
        ),
    ],
)
def test_an_object_that_cannot_be_is_refused(item, says):
    with pytest.raises(FormatError, match=says):
        formats.read(document(item), "supervisely")


def test_a_bitmap_that_would_fill_the_memory_is_refused():
    bomb = zlib.compress(b"\x89PNG\r\n\x1a\n" + bytes((1 << 28) + 1))
    data = {"data": base64.b64encode(bomb).decode(), "origin": [0, 0]}
    with pytest.raises(FormatError, match="more than 268,435,456 bytes"):
        formats.read(document({"classTitle": "x", "geometryType": "bitmap", "bitmap": data}), "supervisely")


def test_other_projects_are_refused(tmp_path):
    (tmp_path / "ds0/ann").mkdir(parents=True)
    (tmp_path / "ds0/ann/a.mp4.json").write_bytes(document())
    (tmp_path / "meta.json").write_bytes(b'{"classes": [], "tags": [], "projectType": "videos"}')
    assert formats.detect(tmp_path)[0].name == "supervisely"
    with pytest.raises(FormatError, match="projectType: found 'videos'"):
        formats.read(tmp_path)


def test_nothing_is_written_that_could_not_be_read(tmp_path):
    with pytest.raises(InputError, match=r"image 'weird .*: found no size, expected height and width"):
        formats.write(small(), tmp_path / "p", "supervisely")
    clash = Dataset(Images(["a.jpg", "ds0/A.jpg"], sizes=[[1, 1]] * 2), Labels([]), Annotations([], [], []))
    with pytest.raises(UsageError, match="would share the file"):
        formats.write(clash, tmp_path / "p", "supervisely")
    with pytest.raises(UsageError, match="pixels or edges"):
        formats.read(document(), "supervisely", coordinates="corners")
    assert not list(tmp_path.iterdir())
