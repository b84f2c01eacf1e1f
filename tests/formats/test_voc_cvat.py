"""XML of Pascal VOC and CVAT: what only they have, and what they refuse."""

import pytest

from rapideval import Annotations, Dataset, Images, Labels, formats
from rapideval.errors import FormatError, InputError, UsageError
from rapideval.model import Extras

VOC = (
    "<annotation><filename>a.jpg</filename><size><width>20</width><height>10</height></size>"
    "<object><name>cat</name><bndbox>{}</bndbox></object></annotation>"
)
EDGES = "<xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax>"
CVAT = '<annotations><image id="0" name="a.jpg" width="20" height="10">{}</image></annotations>'


def test_boxes_of_the_challenges_count_from_one_and_end_within(tmp_path):
    text = VOC.format(EDGES.format(1, 1, 20, 10)).encode()
    assert formats.read(text, "voc").annotations.box.tolist() == [[1, 1, 19, 9]]
    data = formats.read(text, "voc", one_based=True)
    assert data.annotations.box.tolist() == [[0, 0, 20, 10]]
    formats.write(data, tmp_path / "out", "voc", one_based=True)
    assert "<xmin>1</xmin>" in (tmp_path / "out/Annotations/a.xml").read_text()
    assert formats.read(tmp_path / "out", one_based=True).annotations.box.tolist() == [[0, 0, 20, 10]]


def test_images_of_voc_are_of_the_split_that_they_were(tmp_path):
    extras = Extras.from_dicts([{"split": "train"}, {"split": "val"}])
    data = Dataset(Images(["a.jpg", "d/b.jpg"], sizes=[[1, 1]] * 2, extras=extras), Labels([]), Annotations.empty())
    assert not formats.write(data, tmp_path / "out", "voc")
    assert (tmp_path / "out/ImageSets/Main/val.txt").read_text() == "d/b\n"
    back = formats.read(tmp_path / "out", "voc").images
    assert [back.extras[back.index(name)]["split"] for name in ("a.jpg", "d/b.jpg")] == ["train", "val"]


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        (VOC.format(EDGES.format(5, 1, 2, 3)), "voc", "annotation.object[0].bndbox: found xmin 5, ymin 1, xmax 2"),
        (
            VOC.format(EDGES.format("x", 1, 2, 3)),
            "voc",
            "annotation.object[0].bndbox.xmin: found 'x', expected a number",
        ),
        (
            VOC.format("<xmin>1</xmin>"),
            "voc",
            "annotation.object[0].bndbox: found no <ymin>, expected an element <ymin>",
        ),
        (CVAT.format('<box label="a" xtl="1"/>'), "cvat", "image[0].box[0]: found no attribute ytl"),
        (CVAT.format('<box xtl="1" ytl="1" xbr="2" ybr="2"/>'), "cvat", "found no label"),
        (CVAT.format('<polygon label="a" points="1,2;3"/>'), "cvat", "polygon[0]@points: found '1,2;3'"),
        (CVAT.format('<ball label="a"/>'), "cvat", "image[0].ball[0]: found <ball>, expected box, polygon"),
        (
            CVAT.format('<mask label="a" left="0" top="0" width="2" height="2" rle="1, 2"/>'),
            "cvat",
            "expected run lengths of 4 pixels, not 3",
        ),
        (
            CVAT.format('<mask label="a" left="19" top="0" width="2" height="2" rle="0, 4"/>'),
            "cvat",
            "found a mask that ends at 21, 2, expected one within 20 × 10 pixels",
        ),
        ("<annotations>", "cvat", "xml-syntax"),
        ("<html/>", "cvat", "expected <annotations>"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><annotations>&b;</annotations>', "cvat", "xml-entities"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(text, name, says):
    with pytest.raises(FormatError) as caught:
        formats.read(text.encode(), name)
    assert says in str(caught.value)


def test_turned_boxes_are_outlines():
    text = CVAT.format('<box label="a" xtl="4" ytl="2" xbr="8" ybr="4" rotation="90"/>').encode()
    data = formats.read(text, "cvat")
    assert data.annotations.box.tolist() == [[5, 1, 2, 4]]
    assert data.annotations.polygons.rings(0)[0].tolist() == [[7, 1], [7, 5], [5, 5], [5, 1]]
    assert [note.rule for note in data.notes] == ["cvat-outline"]


def test_what_lies_between_keyframes_is_told():
    box = '<box frame="{}" outside="0" keyframe="1" xtl="1" ytl="1" xbr="2" ybr="2"/>'
    text = f'<annotations><track id="3" label="a">{box.format(0)}{box.format(5)}</track></annotations>'
    data = formats.read(text.encode(), "cvat")
    assert data.images.names == ("frame_000000", "frame_000005")
    assert [(note.rule, note.severity, note.count) for note in data.notes] == [("cvat-frames", "warning", 4)]


def test_a_character_that_xml_cannot_hold_is_refused(tmp_path):
    data = Dataset(Images(["a.jpg"]), Labels(["a\x00b"]), Annotations([0], [0], [[0, 0, 1, 1]]))
    for name in ("voc", "cvat"):
        with pytest.raises(UsageError, match="which XML cannot hold"):
            formats.write(data, tmp_path / f"out-{name}", name)
        assert not (tmp_path / f"out-{name}").exists()


def test_a_folder_without_documents_is_refused(tmp_path):
    with pytest.raises(InputError, match="folder-empty"):
        formats.read(tmp_path, "voc")
