"""LabelMe 3.0: real exports, and what is refused."""

import pytest

from rapideval import formats
from rapideval.errors import FormatError

DOCUMENT = (
    "<annotation><filename>a.jpg</filename><folder>d</folder><imagesize><nrows>10</nrows><ncols>20</ncols></imagesize>"
    "<object><name>cat</name><deleted>{}</deleted><occluded>yes</occluded>{}</object></annotation>"
)
SQUARE = "<polygon>" + "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in [(1, 1), (5, 1), (5, 4)]) + "</polygon>"


def read(shape, deleted=0):
    return formats.read(DOCUMENT.format(deleted, shape).encode(), "labelme3")


def test_its_masks_are_those_of_cvats_coco_and_its_boxes_those_of_cvat(shared_data):
    folder = shared_data / "four-images-ten-tools"
    assert formats.detect(folder / "labelme3.0")[0].name == "labelme3"
    data, cvat = formats.read(folder / "labelme3.0"), formats.read(folder / "cvat1.1")
    coco = formats.read(folder / "coco1.0/annotations/instances_default.json").where(label="ellipse")
    ellipses = data.where(label="ellipse").annotations.masks
    assert (ellipses.iou(coco.annotations.masks).max(axis=1) == 1).all()
    for label in ("strawberry", "rectangle"):
        ours, theirs = (sorted(row.box for row in side.where(label=label)) for side in (data, cvat))
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert one == pytest.approx(other, abs=0.011)  # hundredths


def test_a_published_document_is_read_with_its_parts(shared_data):
    data = formats.read(shared_data / "tool-exports/datumaro/labelme_dataset/Annotations")
    assert data.images.names == ("subset1/img1.png",)
    assert [row.label for row in data] == ["window", "license plate", "o1", "q1", "b1", "m1", "hg"]
    assert data.annotations.masks.present.tolist() == [False, True, False, False, False, True, False]
    assert data.annotations.extras[2] == {"occluded": True, "attributes": "a1", "hasparts": "3,4", "id": "2"}
    assert data[4].box == (13, 19, 10, 11)
    assert not len(data[4].rings)


def test_what_was_deleted_is_told():
    data = read(SQUARE, deleted=1)
    assert (len(data), data.images.names) == (0, ("d/a.jpg",))
    assert [(note.rule, note.count) for note in data.notes] == [("labelme-deleted", 1)]
    assert read(SQUARE).annotations.box.tolist() == [[1, 1, 4, 3]]


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ("<polygon></polygon>", r"object\[0\].polygon: found no points"),
        (SQUARE.replace(">5<", ">x<"), "found 'x', expected a number"),
        ("<segm><mask>b.png</mask></segm>", "found 'b.png', expected a picture in the folder Masks"),
        ("", "found no <segm>"),
    ],
)
def test_an_object_that_cannot_be_is_refused(shape, says):
    with pytest.raises(FormatError, match=says):
        read(shape)
