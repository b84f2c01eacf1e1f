"""COCO documents that are written: read back equal, read by pycocotools, the same bytes each time."""

import contextlib
import io
import json

import numpy as np
import pytest
from helpers.written import assert_same, datasets, mask_of, small, written
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from rapideval import Annotations, Dataset, Images, Labels, Polygons, formats
from rapideval.errors import UsageError


@pytest.mark.parametrize("rle", ["compressed", "counts"])
@pytest.mark.parametrize("scored", [False, True])
def test_a_dataset_reads_back_as_it_was(scored, rle):
    data = small(scored)
    text, lost = written(data, rle=rle)
    assert not lost
    back = formats.read(text, "coco")
    assert back.fingerprint() == data.fingerprint()
    assert back.info == data.info
    assert back.labels.supercategories == data.labels.supercategories
    assert [back.annotations.extras[i] for i in range(3)] == [data.annotations.extras[i] for i in range(3)]
    assert written(back, rle=rle)[0] == text


def test_results_read_back_against_their_ground_truth():
    data = small(scored=True)
    text, lost = written(data, "coco-results")
    back = formats.read(text, "coco-results", images=data, labels=data)
    assert "area" in back.annotations.derived  # as it was in the source, so it is not written
    assert_same(data, back.replace(annotations=back.annotations.replace(area=data.annotations.area)))
    assert set(lost.counts()) == {"image_names", "image_sizes", "label_names", "label_order", "supercategories", "info"}


def test_losses_are_counted_before_anything_is_written(tmp_path):
    data = small()
    told = formats.losses(data, "coco-results")
    assert told.counts()["crowd"] == 1
    assert "the crowd flag of 1 annotation" in str(told)
    assert formats.write(data, tmp_path / "a.json", "coco-results") == told


def test_numbers_are_written_short_and_whole_numbers_whole():
    text, _ = written(small())
    document = json.loads(text)
    assert b'"bbox":[0.1,0.2,0.3333333333333333,4]' in text
    assert [type(v) for v in document["annotations"][0]["bbox"]] == [int] * 4
    assert document["annotations"][0]["iscrowd"] == 1


def test_members_stand_in_lines_that_a_diff_can_show():
    text, _ = written(small())
    lines = text.decode().splitlines()
    assert [line[:8] for line in lines] == [
        '{"info":', '"license', '"images"', '{"id":7,', '{"id":3,', "],", '"categor', '{"id":18', '{"id":1,', "],",
        '"annotat', '{"id":5,', '{"id":9,', '{"id":2,', "]}",
    ]  # fmt: skip


def test_ids_are_made_from_1_where_there_are_none():
    data = Dataset(Images(["a", "b"]), Labels(["x"]), Annotations([1, 1], [0, 0], [[0, 0, 1, 1], [0, 0, 2, 2]]))
    document = json.loads(written(data)[0])
    assert [image["id"] for image in document["images"]] == [1, 2]
    assert [row["id"] for row in document["annotations"]] == [1, 2]
    assert [row["image_id"] for row in document["annotations"]] == [2, 2]


def test_an_empty_dataset_is_a_document():
    data = Dataset(Images(), Labels(), Annotations.empty())
    assert json.loads(written(data)[0]) == {"images": [], "categories": [], "annotations": []}
    assert written(data, "coco-results")[0] == b"[]\n"


def test_an_outline_with_holes_is_written_as_its_mask():
    outline = Polygons.from_rings([[[0, 0, 8, 0, 8, 8, 0, 8], [2, 2, 6, 2, 6, 6, 2, 6]]], [[False, True]])
    data = Dataset(Images(["a"], sizes=[[9, 9]]), Labels(["x"]), Annotations([0], [0], polygons=outline))
    back = formats.read(written(data)[0], "coco")
    assert back.annotations.masks == data.with_masks().annotations.masks
    assert back.annotations.polygons is None
    assert formats.losses(data, "coco").counts() == {"holes": 1}


def test_an_unknown_form_of_runs_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(UsageError, match="no form 'png'"):
        formats.write(small(), tmp_path / "a.json", "coco", rle="png")
    assert list(tmp_path.iterdir()) == []


def opened(path):
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(path)


def test_pycocotools_reads_what_is_written(tmp_path):
    truth, predictions = small(), small(scored=True)
    formats.write(truth, tmp_path / "truth.json", "coco")
    formats.write(predictions, tmp_path / "found.json", "coco-results")
    coco = opened(str(tmp_path / "truth.json"))
    with contextlib.redirect_stdout(io.StringIO()):
        found = coco.loadRes(str(tmp_path / "found.json"))
    assert sorted(coco.anns) == [2, 5, 9]
    assert coco.cats[18] == {"id": 18, "name": "dog", "supercategory": "animal"}
    drawn = coco.annToMask(coco.anns[5])
    np.testing.assert_array_equal(drawn, truth[0].mask)
    assert [found.anns[i]["score"] for i in (1, 2, 3)] == [0.5, 0.25, 1]
    assert found.anns[1]["area"] == 6


def test_the_area_of_a_result_means_the_same_to_pycocotools_after_a_round_trip(tmp_path):
    masks = mask_of(np.pad(np.tri(4, dtype=bool), ((1, 5), (2, 14))))
    images, labels = Images(ids=[7], sizes=[[10, 20]]), Labels(["x"], ids=[1])
    truth = COCO()
    truth.dataset = {"images": [{"id": 7, "height": 10, "width": 20}], "categories": [{"id": 1}], "annotations": []}
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
    for box, area in ((None, 10), ([[2, 1, 4, 4]], 16)):
        data = Dataset(images, labels, Annotations([0], [0], box, [0.5], masks=masks))
        found = truth.loadRes(json.loads(written(data, "coco-results")[0]))
        assert found.anns[1]["area"] == area


@settings(max_examples=60, deadline=None)
@given(datasets(), st.sampled_from(["compressed", "counts"]))
def test_any_dataset_reads_back_as_it_was(data, rle):
    text, lost = written(data, rle=rle)
    back = formats.read(text, "coco")
    assert_same(data, back)
    assert not lost
    if data.annotations.ids is not None and len(data):
        assert back.annotations.ids.tolist() == data.annotations.ids.tolist()


@settings(max_examples=30, deadline=None)
@given(datasets())
def test_pycocotools_decodes_every_mask_that_is_written(data):
    document = json.loads(written(data)[0])
    for row, annotation in enumerate(document["annotations"]):
        if isinstance(annotation["segmentation"], dict):
            np.testing.assert_array_equal(coco_mask.decode(annotation["segmentation"]).astype(bool), data[row].mask)
