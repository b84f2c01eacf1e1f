"""What is gathered one by one becomes columns, or an error that names the place."""

import numpy as np
import pytest

from rapideval import Images, Labels, Masks
from rapideval.errors import FormatError
from rapideval.formats.gather import Gathered
from rapideval.formats.notes import Place, Report

AT = Place("a.xml")
OBJECT = Place("a.xml", "object 2")
SQUARE = [[0, 0], [4, 0], [4, 3], [0, 3]]


def gathered(**context):
    return Gathered(Report("a.xml"), **context)


def test_boxes_that_are_not_given_are_those_of_outlines_and_masks():
    found = gathered()
    image, label = found.image("a.jpg", (5, 6)), found.label("cat")
    found.add(image, label, box=(1, 1, 2, 2), at=AT)
    found.add(image, label, rings=[SQUARE], at=AT)
    mask = np.zeros((5, 6), bool)
    mask[1:3, 2:5] = True
    found.add(image, label, mask=Masks.from_dense(mask), at=AT)
    rows = found.dataset().annotations
    assert rows.box.tolist() == [[1, 1, 2, 2], [0, 0, 4, 3], [2, 1, 3, 2]]
    assert "box" not in rows.derived
    assert rows.masks.present.tolist() == [False, False, True]
    assert rows.polygons.present.tolist() == [False, True, False]


def test_a_document_without_boxes_has_derived_ones():
    found = gathered()
    found.add(found.image("a.jpg"), found.label("cat"), rings=[SQUARE], at=AT)
    assert "box" in found.dataset().annotations.derived


def test_given_images_and_labels_keep_their_places_and_numbers():
    found = gathered(images=Images(["dir/a.jpg", "b.jpg"], [7, 9]), labels=Labels(["dog", "cat"], [3, 4]))
    found.add(found.image("a.jpg", (3, 4)), found.label("cat"), box=(0, 0, 1, 1), at=AT)
    data = found.dataset()
    assert data.images.names == ("dir/a.jpg", "b.jpg")
    assert data.images.sizes.tolist() == [[3, 4], [0, 0]]
    assert data.labels.ids.tolist() == [3, 4]
    assert (data[0].image, data[0].label) == ("dir/a.jpg", "cat")


def test_a_last_part_that_two_given_images_share_finds_neither():
    found = gathered(images=Images(["x/a.jpg", "y/a.jpg"]))
    assert found.image("a.jpg") == 2


def test_the_place_of_an_annotation_is_kept():
    found = gathered()
    found.add(found.image("a.jpg"), found.label("cat"), box=(0, 0, 1, 1), at=Place("a.xml", "object {row}", 3))
    assert found.dataset().annotations.where(0) == "a.xml: object 3"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda f: f.image("a.jpg", (4, 4)), "a.xml: a.jpg: found height 4, width 4, expected height 3, width 4"),
        (
            lambda f: f.add(0, 0, at=OBJECT),
            "a.xml: object 2: found neither box nor outline nor mask",
        ),
        (lambda f: f.add(0, 0, box=(0, 0, 1, 1), at=OBJECT), "a.xml: object 2: found no score"),
        (
            lambda f: f.add(0, 0, box=(0, 0, np.nan, 1), score=0.5, at=OBJECT),
            "a.xml: object 2: found [ 0.",
        ),
    ],
)
def test_what_cannot_be_trusted_is_refused_with_its_place(wrong, message):
    found = gathered()
    found.add(found.image("a.jpg", (3, 4)), found.label("cat"), box=(0, 0, 1, 1), score=0.5, at=AT)
    wrong(found)
    with pytest.raises(FormatError) as caught:
        found.dataset()
    assert message in str(caught.value)


def test_ids_that_only_some_have_are_dropped_and_noted():
    found = gathered()
    image, label = found.image("a.jpg"), found.label("cat")
    found.add(image, label, box=(0, 0, 1, 1), id=5, at=AT)
    found.add(image, label, box=(0, 0, 1, 1), at=AT)
    data = found.dataset()
    assert data.annotations.ids is None
    assert [note.rule for note in data.notes] == ["annotation-ids"]
