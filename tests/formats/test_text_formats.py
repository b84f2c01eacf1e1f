"""KITTI, WIDER FACE, VoTT and plain text boxes: what only they have, and what they refuse."""

import json

import pytest

from rapideval import Annotations, Dataset, Images, Labels, formats
from rapideval.errors import InputError, UsageError
from rapideval.model import Extras

KITTI = "Car 0.5 1 1.25 10 20 30 50 1.5 1.6 3.9 2 1 20 0.1"


def kitti(text):
    return formats.read(text.encode(), "kitti")


def test_kitti_keeps_what_is_known_of_objects_in_space(tmp_path):
    data = kitti(f"{KITTI}\nDontCare -1 -1 -10 0 0 5 5 -1 -1 -1 -1000 -1000 -1000 -10\n")
    assert data.annotations.box.tolist() == [[10, 20, 20, 30], [0, 0, 5, 5]]
    assert data.annotations.crowd.tolist() == [False, True]
    assert data.annotations.extras[0] == {
        "truncated": 0.5, "occluded": 1, "alpha": 1.25,
        "dimensions": [1.5, 1.6, 3.9], "location": [2, 1, 20], "rotation_y": 0.1,
    }  # fmt: skip
    assert data.annotations.extras[1] == {}
    data = Dataset(Images(["a"]), data.labels, data.annotations)
    assert formats.losses(data, "kitti").counts() == {"label_order": 2}
    formats.write(data, tmp_path / "out", "kitti")
    back = formats.read(tmp_path / "out")
    assert back.annotations.extras[0] == data.annotations.extras[0]
    assert back.annotations.crowd.tolist() == [False, True]


def test_what_kitti_cannot_hold_is_counted():
    rows = Annotations([0], [0], [[0, 0, 1, 1]], crowd=[True], extras=Extras.from_dicts([{"color": "red"}]))
    data = Dataset(Images(["a.png"]), Labels(["fire truck"]), rows)
    counts = formats.losses(data, "kitti").counts()
    assert counts == {"attributes": 1, "crowd": 1, "image_names": 1, "label_names": 1}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("Car 1 2 3", "line 1: found 4 words, expected 15, or 16 with a score"),
        (KITTI.replace("30 50", "5 50"), "line 1: found edges 10 20 5 50, expected ends behind starts"),
        (KITTI + " 7", "line 1: found 7, expected a score from 0 to 1"),
        (KITTI.replace("1.25", "x"), "line 1: found"),
    ],
)
def test_a_line_of_kitti_that_cannot_be_is_refused(line, says):
    with pytest.raises(InputError) as caught:
        kitti(line)
    assert says in str(caught.value)


def test_what_the_numbers_of_plain_text_are_is_asked_for():
    with pytest.raises(UsageError, match="order='xywh', 'xyxy' or 'cxcywh'"):
        formats.read(b"cat 1 2 3 4\n", "boxes-text")
    with pytest.raises(UsageError, match="nothing says what they are"):  # no xyxy, but a corner or a centre
        formats.read(b"cat 10 20 3 4\n", "boxes-text")
    # a centre would reach beyond the image's edge, two corners would be the wrong way round
    assert formats.read(b"cat 1 20 8 4\n", "boxes-text").annotations.box.tolist() == [[1, 20, 8, 4]]
    narrow = Images(["<bytes>"], sizes=[[30, 12]])  # a corner and a size would end behind the image
    assert formats.read(b"cat 9 20 6 4\n", "boxes-text", images=narrow).annotations.box.tolist() == [[6, 18, 6, 4]]
    assert formats.read(b"cat 10 20 3 4\n", "boxes-text", order="cxcywh").annotations.box.tolist() == [[8.5, 18, 3, 4]]
    data = formats.read(
        b"cat 0.9 0.1 0.2 0.3 0.4\n", "boxes-text", order="xyxy", images=Images(["<bytes>"], sizes=[[10, 20]])
    )
    assert data.annotations.box[0] == pytest.approx([2, 2, 4, 2])
    assert data.annotations.score.tolist() == [0.9]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cat 1 2 3\n", "line 1: found cat 1 2 3, expected a label, a score or none, and four numbers"),
        ("cat 0.5 1 2 3 4\ncat 1 2 3 4\n", "line 2: found no score, expected a score, as other lines have"),
        ("cat 1 2 -3 4\n", "line 1: found 1 2 -3 4 as xywh, expected a width and height of 0 or more"),
        ("cat 2 1 2 3 4\n", "line 1: found 2, expected a score from 0 to 1"),
        ("cat 0.1 0.1 0.2 0.2\n", "line 1: found shares of an image of unknown size"),
    ],
)
def test_a_line_of_plain_text_that_cannot_be_is_refused(text, says):
    with pytest.raises(InputError) as caught:
        formats.read(text.encode(), "boxes-text", order="xywh")
    assert says in str(caught.value)


WIDER = """\
0--Parade/a.jpg
2
1 2 3 4 0 0 0 0 2 0
5 6 7 8 1 0 0 1 0 0
0--Parade/b.jpg
0
0 0 0 0 0 0 0 0 0 0
c.jpg
1
1 1 2 2 0 0 0 0 0 0
"""


def test_faces_are_read_and_images_without_any():
    data = formats.read(WIDER.encode())
    assert data.images.names == ("0--Parade/a.jpg", "0--Parade/b.jpg", "c.jpg")
    assert data.annotations.box.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8], [1, 1, 2, 2]]
    assert data.annotations.extras[1] == {"blur": 1, "invalid": 1}
    assert data.annotations.where(1) == "<bytes>: line 4"
    with pytest.raises(UsageError, match="widerface is only read"):
        formats.write(data, "x.txt", "widerface")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (WIDER.replace("\n2\n", "\n200\n"), "line 2: found '200', with 8 lines behind it"),
        (WIDER.replace("1 2 3 4", "1 2 x 4"), "line 3: found '1 2 x 4"),
        (WIDER.replace("1 2 3 4", "1 2 -3 4"), "line 3: found '1 2 -3 4"),
    ],
)
def test_faces_that_cannot_be_are_refused(text, says):
    with pytest.raises(InputError) as caught:
        formats.read(text.encode(), "widerface")
    assert says in str(caught.value)


def test_regions_of_vott_may_be_polygons_of_several_tags():
    region = {
        "type": "POLYGON", "tags": ["cat", "pet"], "points": [{"x": 1, "y": 1}, {"x": 5, "y": 1}, {"x": 5, "y": 4}],
        "boundingBox": {"left": 1, "top": 1, "width": 4, "height": 3},
    }  # fmt: skip
    asset = {
        "asset": {"name": "a.jpg", "size": {"width": 20, "height": 10}},
        "regions": [region, region | {"tags": []}],
    }
    data = formats.read(json.dumps({"assets": {"x": asset}}).encode())
    assert [(row.label, row.box) for row in data] == [("cat", (1, 1, 4, 3)), ("pet", (1, 1, 4, 3))]
    assert [(note.rule, note.count) for note in data.notes] == [("vott-skipped", 1)]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('"a.jpg",1,2,3,"cat"', "found 5 values, expected 6"),
        ('"a.jpg",5,2,3,4,"cat"', "ends behind starts"),
        ('"a.jpg",x,2,3,4,"cat"', "line 2.xmin: found 'x', expected a number"),
    ],
)
def test_a_line_of_votts_csv_that_cannot_be_is_refused(line, says):
    with pytest.raises(InputError, match=says):
        formats.read(f"image,xmin,ymin,xmax,ymax,label\n{line}\n".encode(), "vott-csv")
