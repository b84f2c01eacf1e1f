"""Open Images and Segment Anything: real files, what only they have, and what they refuse."""

import csv
import io
import json
from contextlib import nullcontext
from unittest import mock

import numpy as np
import pytest
from helpers.written import assert_same
from hypothesis import given
from hypothesis import strategies as st

import rapideval.formats.training.open_images as open_images_module
from rapideval import Annotations, Dataset, Images, Labels, Masks, formats
from rapideval.errors import FormatError, InputError, UsageError

HEAD = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n"


def open_images(lines, **options):
    return formats.read((HEAD + lines).encode(), "open-images", **options)


def test_open_images_of_a_published_folder_is_read(shared_data):
    folder = shared_data / "tool-exports/datumaro/open_images_dataset/v6"
    assert formats.detect(folder)[0].name == "open-images"
    data = formats.read(folder)
    assert [(row.image, row.label, row.crowd) for row in data if row.label == "Generic label #3"] == [
        ("c", "Generic label #3", True)
    ]
    masked = next(row for row in data if row.mask is not None)
    assert (masked.image, masked.label) == ("b", "Generic label #0")
    assert masked.box == pytest.approx((0.2 * 8, 0.3 * 2, 0.8 * 8, 0.2 * 2))
    assert data.labels.extras[data.labels.index("Generic label #0")] == {"mid": "/m/0"}


def test_voc_as_open_images_is_voc_as_coco(shared_data):
    gts = shared_data / "voc2007-100/gts"
    coco = formats.read(gts / "coco_format_v1/instances_default.json")
    # written by a spreadsheet with commas for points
    data = formats.read(gts / "openimages_format/all_bounding_boxes.csv", images=coco.images)
    assert len(data) == len(coco) == 273
    for key in coco.images.keys:
        ours, theirs = (sorted(row.box for row in side.where(image=key)) for side in (data, coco))
        assert np.allclose(ours, theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("a.jpg,,cat,1,0.5,0.25,0,1,0,0,0,0,0\n", "line 2: found edges 0.5, 0.25, 0, 1, expected ends behind starts"),
        ("a.jpg,,cat,1,x,0.25,0,1,0,0,0,0,0\n", "line 2.XMin: found 'x', expected a number"),
        ("b.jpg,,cat,1,0,0.25,0,1,0,0,0,0,0\n", "line 2: found edges relative to an image of unknown size"),
        ("a.jpg,,cat,1\n", "line 2: found 4 values, expected 13"),
        ("a.jpg,prediction,cat,7,0,0.25,0,1,0,0,0,0,0\n", "found 7.0, expected a score from 0 to 1"),
    ],
)
def test_a_line_of_open_images_that_cannot_be_is_refused(lines, says):
    with pytest.raises(FormatError) as caught:
        open_images(lines, images=Images(["a.jpg"], sizes=[[10, 20]]))
    assert says in str(caught.value)


def test_flags_and_scores_of_open_images_are_kept():
    lines = "a.jpg,prediction,cat,0.5,0,0.5,0,1,1,-1,1,0,0\n"
    data = open_images(lines, images=Images(["a.jpg"], sizes=[[10, 20]]))
    assert data.annotations.extras[0] == {"IsOccluded": True}
    assert data.annotations.crowd.tolist() == [True]
    assert data.annotations.score.tolist() == [0.5]
    assert data.annotations.box.tolist() == [[0, 0, 10, 10]]


# --- Segment Anything ----------------------------------------------------------------------------------


def test_segment_anything_of_a_published_folder_is_read(shared_data):
    folder = shared_data / "tool-exports/datumaro/segment_anything_dataset"
    assert formats.detect(folder)[0].name == "segment-anything"
    with pytest.raises(FormatError, match="height and width look swapped"):  # of b.json, which contradicts itself
        formats.read(folder)
    data = formats.read(folder / "a.json", labels=Labels(["thing"]))
    assert data.images.names == ("a.jpg",)
    assert {row.label for row in data} == {"thing"}
    assert "predicted_iou" in data.annotations.extras[0]
    with pytest.raises(UsageError, match="2 labels for masks that have none"):
        formats.read(folder / "a.json", labels=Labels(["a", "b"]))


def test_masks_without_labels_lose_them_counted(tmp_path):
    rows = Annotations([0, 0], [0, 1], [[0, 0, 2, 2], [0, 0, 1, 1]],
                       masks=Masks.concat([Masks.from_dense(np.ones((2, 2), bool)), Masks.empty(1)]))  # fmt: skip
    data = Dataset(Images(["a.jpg"], sizes=[[2, 2]]), Labels(["cat", "dog"]), rows)
    assert formats.write(data, tmp_path / "out", "segment-anything").counts() == {
        "boxes": 1, "label_names": 2, "label_order": 2,
    }  # fmt: skip
    assert [row.label for row in formats.read(tmp_path / "out")] == ["object"]


def test_run_lengths_of_another_size_are_refused():
    image = {"image_id": 1, "file_name": "a.jpg", "height": 2, "width": 2}
    item = {"id": 1, "segmentation": {"size": [2, 2], "counts": [1, 2]}, "bbox": [0, 0, 1, 1]}
    with pytest.raises(InputError, match=r"annotations\[0\].segmentation.counts"):
        formats.read(json.dumps({"image": image, "annotations": [item]}).encode(), "segment-anything")


# --- Open Images as columns ----------------------------------------------------------------------------

WORDS = st.sampled_from(["a.jpg", "b.jpg", "c d.jpg", "é'.jpg"])
EDGE = st.sampled_from(["0", "0.25", ".5", "5e-1", "0.123456789012345678", "1"])
ODD = st.sampled_from(["", "x", "nan", "-inf", "1_0", " 0.5", "0,5", "1e999", "0x1"])
FLAG = st.sampled_from(["0", "1", "-1", ""])


@st.composite
def box_files(draw):
    """A file of boxes, of which some have something odd."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator=draw(st.sampled_from(["\n", "\r\n"])))
    writer.writerow(HEAD.strip().split(","))
    kind = draw(st.sampled_from(["prediction", "xclick", ""]))
    for _ in range(draw(st.integers(0, 5))):
        left, top, score = (draw(st.sampled_from(["0", "0.1"])) for _ in range(3))
        line = [draw(WORDS), kind, draw(st.sampled_from(["/m/1", "cat", "dog big"])), score]
        writer.writerow([*line, left, draw(EDGE), top, draw(EDGE), *(draw(FLAG) for _ in range(5))])
    text = stream.getvalue()
    if draw(st.integers(0, 2)) == 0:  # a value that is none, a line too many, a quote that does not end
        place = draw(st.integers(len(HEAD), max(len(HEAD), len(text))))
        text = text[:place] + draw(ODD | st.sampled_from(["\n", "\r", '"', ",", "\n\n"])) + text[place:]
    return text.encode()


@given(box_files())
def test_reading_columns_is_reading_lines(data):
    known = Images(["b.jpg", "a.jpg", "c d.jpg", "é'.jpg"], sizes=[[10, 20], [7, 9], [3, 5], [100, 1]])

    def outcome(by_line):
        with mock.patch.object(open_images_module, "table_of", return_value=None) if by_line else nullcontext():
            try:
                return formats.read(data, "open-images", images=known)
            except FormatError as error:
                return str(error)

    lines, columns = outcome(True), outcome(False)
    if isinstance(lines, str):
        assert columns == lines
        return
    assert_same(columns, lines)
    assert columns.scored == lines.scored
    assert columns.annotations.derived == lines.annotations.derived
    for row in range(len(lines)):
        assert columns.annotations.where(row) == lines.annotations.where(row)
    if lines.annotations.extras is None:
        assert columns.annotations.extras is None
    else:
        assert columns.annotations.extras.data == lines.annotations.extras.data
        assert columns.annotations.extras.offsets.tolist() == lines.annotations.extras.offsets.tolist()


def test_of_two_boxes_alike_the_one_that_had_the_mask_has_it(tmp_path):
    masks = Masks.from_dense(np.ones((1, 2, 2), bool)).spread(np.array([1]), 2)
    data = Dataset(
        Images(["a.jpg"], sizes=[[2, 2]]), Labels(["cat"]), Annotations([0, 0], [0, 0], [[0, 0, 2, 2]] * 2, masks=masks)
    )
    formats.write(data, tmp_path / "out", "open-images")
    assert formats.read(tmp_path / "out").annotations.masks.present.tolist() == [False, True]


def test_an_ordinary_file_is_read_as_columns(tmp_path):
    count = 1000
    random = np.random.default_rng(3)
    boxes = random.integers(1, 50, (count, 4)) / 3
    data = Dataset(
        Images(["a b.jpg", "é.jpg"], sizes=[[480, 640], [99, 333]]),
        Labels(["cat", "big dog"]),
        Annotations(random.integers(0, 2, count), random.integers(0, 2, count), boxes, random.random(count),
                    crowd=random.random(count) < 0.5),
    )  # fmt: skip
    formats.write(data, tmp_path / "out", "open-images")
    with mock.patch.object(open_images_module._Reading, "boxes", side_effect=AssertionError("read line by line")):
        back = formats.read(tmp_path / "out")
    assert back.images.keys == data.images.keys
    assert back.labels.names == data.labels.names
    np.testing.assert_allclose(back.annotations.box, boxes, rtol=0, atol=1e-12)
    for name in ("image", "label", "score", "crowd"):
        np.testing.assert_array_equal(getattr(back.annotations, name), getattr(data.annotations, name))
