"""What COCO documents become, and what is refused."""

import json

import numpy as np
import pytest

from rapideval import Images, Labels, formats
from rapideval.errors import FormatError


def dataset(**changes):
    """A small COCO dataset; a row, given by member, replaces the first of that member."""
    document = {
        "info": {"year": 2024},
        "images": [
            {"id": 7, "file_name": "a.jpg", "height": 10, "width": 20, "license": 3},
            {"id": 3, "file_name": "b.jpg", "height": 8, "width": 8},
        ],
        "categories": [{"id": 18, "name": "dog", "supercategory": "animal"}, {"id": 1, "name": "cat"}],
        "annotations": [
            {"id": 5, "image_id": 3, "category_id": 1, "bbox": [1, 2, 3.5, 4], "area": 14, "iscrowd": 0},
            {
                "id": 6, "image_id": 7, "category_id": 18, "bbox": [0, 0, 4, 3], "area": 12.5, "iscrowd": 1,
                "segmentation": {"size": [10, 20], "counts": [0, 3, 7, 3, 187]}, "color": "red",
            },
        ],
    }  # fmt: skip
    return document | changes


def read(document, kind="coco", **options):
    return formats.read(json.dumps(document).encode(), kind, **options)


def results(*rows):
    blank = {"image_id": 7, "category_id": 18, "bbox": [0, 0, 1, 1], "score": 0.5}
    return [blank | row for row in rows]


def test_a_dataset_becomes_columns():
    data = read(dataset())
    rows = data.annotations
    assert data.images.names == ("a.jpg", "b.jpg")
    assert data.images.ids.tolist() == [7, 3]
    assert data.images.sizes.tolist() == [[10, 20], [8, 8]]
    assert data.images.extras[0] == {"license": 3}
    assert data.labels.names == ("dog", "cat")
    assert data.labels.supercategories == ("animal", None)
    assert rows.image.tolist() == [1, 0]
    assert rows.label.tolist() == [1, 0]
    assert rows.box.tolist() == [[1, 2, 3.5, 4], [0, 0, 4, 3]]
    assert rows.area.tolist() == [14, 12.5]
    assert rows.crowd.tolist() == [False, True]
    assert rows.ids.tolist() == [5, 6]
    assert rows.score is None
    assert rows.masks.present.tolist() == [False, True]
    assert rows.extras[1] == {"color": "red"}
    assert rows.where(1) == "<bytes>: $.annotations[1]"
    assert rows.derived == frozenset()
    assert data.info == {"info": {"year": 2024}}
    assert data.notes == ()


def test_missing_area_crowd_and_id_are_derived_and_noted():
    outline = [[0, 0, 4, 0, 4, 3, 0, 3]]
    document = dataset(
        annotations=[
            {"image_id": 7, "category_id": 1, "bbox": [0, 0, 4, 3]},
            {"image_id": 7, "category_id": 1, "bbox": [0, 0, 4, 3.5], "segmentation": outline},
            {"image_id": 7, "category_id": 1, "segmentation": {"size": [10, 20], "counts": "5" + "3" + "c5"}},
        ]
    )
    document["annotations"][2]["segmentation"]["counts"] = [5, 3, 192]
    data = read(document)
    assert data.annotations.area.tolist() == [12, 12, 3]
    assert data.annotations.box[2].tolist() == [0, 5, 1, 3]
    assert data.annotations.ids is None
    assert data.annotations.derived == {"area", "crowd", "ids"}
    assert [(note.rule, note.count) for note in data.notes] == [("box-derived", 1), ("area-derived", 3)]


def test_ids_missing_from_some_annotations_are_the_next_free_numbers():
    document = dataset()
    del document["annotations"][0]["id"]
    data = read(document)
    assert data.annotations.ids.tolist() == [7, 6]
    assert "ids" in data.annotations.derived
    assert [note.rule for note in data.notes] == ["id-derived"]


def test_results_refer_to_the_ground_truth():
    truth = read(dataset())
    data = read(results({}, {"image_id": 3, "category_id": 1, "score": 1}), images=truth, labels=truth)
    assert data.images is truth.images
    assert data.labels is truth.labels
    assert data.annotations.image.tolist() == [0, 1]
    assert data.annotations.label.tolist() == [0, 1]
    assert data.annotations.score.tolist() == [0.5, 1]
    assert data.annotations.where(1) == "<bytes>: $[1]"
    assert data.notes == ()


def test_results_alone_name_images_and_labels_by_number_and_say_so():
    data = read(results({}, {"image_id": 3, "category_id": 1}))
    assert data.images.keys == ("3", "7")
    assert data.labels.names == ("1", "18")
    assert [note.rule for note in data.notes] == ["label-by-number"]


def test_ids_the_ground_truth_does_not_have_are_counted_and_stay_apart():
    truth = read(dataset())
    rows = results({}, {"image_id": 99, "category_id": 5}, {"image_id": 98}, {"image_id": 99})
    data = read(rows, images=truth, labels=truth)
    assert data.images.keys == ("a.jpg", "b.jpg", "98", "99")
    assert data.labels.names == ("dog", "cat", "5")
    assert data.annotations.image.tolist() == [0, 3, 2, 3]
    notes = {note.rule: str(note) for note in data.notes}
    assert notes["image-unknown"] == (
        "<bytes>: $[1].image_id: found 99; 2 ids that the ground truth does not have: 98, 99, "
        "expected the id of one of its 2 images (3 times, this is the first) [image-unknown]"
    )
    assert "$[1].category_id: found 5" in notes["label-unknown"]


def test_image_ids_that_are_numbers_as_text_are_read_and_reported():
    truth = read(dataset())
    data = read(results({"image_id": "7"}, {"image_id": "3"}), images=truth, labels=truth)
    assert data.annotations.image.tolist() == [0, 1]
    assert [note.rule for note in data.notes] == ["id-text"]


def test_image_ids_that_are_file_names_are_joined_by_name():
    truth = read(dataset())
    rows = results({"image_id": "b.jpg"}, {"image_id": "s3://x/a.jpg"}, {"image_id": "c.jpg"})
    data = read(rows, images=truth, labels=truth)
    assert data.annotations.image.tolist() == [1, 0, 2]
    assert [note.rule for note in data.notes] == ["image-by-name", "image-unknown"]


def test_labels_without_ids_are_numbered_from_0_or_1_only_where_that_is_certain():
    names = ["dog", "cat", "owl"]
    data = read(results({"category_id": 0}, {"category_id": 2}), labels=names)
    assert [data[i].label for i in range(2)] == ["dog", "owl"]
    data = read(results({"category_id": 1}, {"category_id": 3}), labels=names)
    assert [data[i].label for i in range(2)] == ["dog", "owl"]
    with pytest.raises(FormatError, match=r"category_id from 1 to 2, and 3 labels without ids.*label-base"):
        read(results({"category_id": 1}, {"category_id": 2}), labels=names)
    data = read(results({"category_id": 1}, {"category_id": 2}), labels=names, label_base=1)
    assert [data[i].label for i in range(2)] == ["dog", "cat"]


def test_images_without_ids_cannot_serve_numbers():
    with pytest.raises(FormatError, match="the ground truth has no ids"):
        read(results({}), images=Images(["a.jpg"]), labels=Labels(["dog"], ids=[18]))


def test_a_result_keeps_its_box_and_its_mask_so_that_either_area_can_be_used():
    mask = {"size": [10, 20], "counts": [0, 3, 197]}
    both = read(results({"bbox": [0, 0, 5, 5], "segmentation": mask})).annotations
    assert both.derived >= {"area"}
    assert "box" not in both.derived
    assert (both.area.tolist(), both.box.tolist()) == ([3], [[0, 0, 5, 5]])
    row = results({"segmentation": mask})[0]
    del row["bbox"]
    alone = read([row]).annotations
    assert alone.derived >= {"area", "box"}
    assert alone.box.tolist() == [[0, 0, 1, 3]]


def test_results_of_keypoints_get_the_box_that_pycocotools_gives_them():
    from pycocotools.coco import COCO

    points = [3, 4, 2, 9, 1, 1, 5, 8, 0]
    row = {"image_id": 7, "category_id": 18, "keypoints": points, "score": 0.5}
    data = read([row], extras=False)
    truth = COCO()
    truth.dataset = dataset()
    truth.createIndex()
    assert data.annotations.box[0].tolist() == truth.loadRes([row]).anns[1]["bbox"]
    assert data.annotations.extras[0] == {"keypoints": points}
    assert "keypoints-kept" in [note.rule for note in data.notes]


def test_stuff_results_have_no_scores():
    data = read([{"image_id": 7, "category_id": 18, "segmentation": {"size": [2, 2], "counts": [1, 3]}}])
    assert not data.scored
    assert "score-missing" in [note.rule for note in data.notes]


def test_no_results_are_results():
    truth = read(dataset())
    data = read([], "coco-results", images=truth, labels=truth)
    assert len(data) == 0
    assert data.scored


def test_ignore_is_kept_and_said_not_to_be_heeded():
    document = dataset()
    document["annotations"][0]["ignore"] = 1
    data = read(document)
    assert data.annotations.extras[0] == {"ignore": 1}
    assert [note.rule for note in data.notes] == ["ignore-kept"]


def test_of_two_categories_with_one_name_the_used_one_stays():
    categories = [{"id": 0, "name": "cat"}, {"id": 1, "name": "cat"}, {"id": 18, "name": "dog"}]
    data = read(dataset(categories=categories))
    assert data.labels.names == ("cat", "dog")
    assert data.labels.ids.tolist() == [1, 18]
    assert [data[i].label for i in range(2)] == ["cat", "dog"]
    assert [note.rule for note in data.notes] == ["label-duplicate"]
    categories[2]["name"] = "cat"
    with pytest.raises(FormatError, match="label-duplicate"):
        read(dataset(categories=categories))


def test_images_are_taken_from_the_annotations_where_there_are_none():
    document = dataset()
    del document["images"]
    data = read(document)
    assert data.images.keys == ("3", "7")
    assert [note.rule for note in data.notes] == ["coco-member"]


def test_text_ids_join_the_document():
    document = dataset(images=[{"id": "x", "file_name": "a.jpg"}])
    for row in document["annotations"]:
        row["image_id"] = "x"
    data = read(document)
    assert data.annotations.image.tolist() == [0, 0]
    assert data.images.ids is None
    assert [note.rule for note in data.notes] == ["id-text"]


def test_lenient_reading_mends_what_is_unmistakable_and_notes_it():
    document = dataset()
    document["annotations"][0] |= {"image_id": "3", "iscrowd": "false", "area": "14", "bbox": ["1", 2, 3.5, 4]}
    with pytest.raises(FormatError, match="lenient=True"):
        read(document)
    data = read(document, lenient=True)
    assert data.fingerprint() == read(dataset()).fingerprint()
    assert {(note.rule, note.where.split(".")[-1]) for note in data.notes} == {
        ("mended", key) for key in ("image_id", "iscrowd", "area", "bbox")
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": 99}, r"\$.annotations\[0\].image_id: found 99, expected the id of one of the 2 images"),
        ({"category_id": 9}, r"\$.annotations\[0\].category_id: found 9, expected the id of one of the 2 categories"),
        ({"bbox": [1, 2, 3]}, r"\$.annotations\[0\].bbox.*: found .*\[coco-bbox"),
        ({"bbox": None}, r"neither bbox nor segmentation.*box-missing"),
        ({"area": "big"}, r"\$.annotations\[0\].area.*: found .*big.*\[coco-number"),
        ({"score": 0.5}, r"\$.annotations\[1\].score: found no such key.*\[score-missing"),
        ({"segmentation": [[1, 2, 3, 4]]}, r"\$.annotations\[0\].segmentation\[0\].*\[coco-polygon"),
        ({"segmentation": {"size": [8, 8], "counts": [1, 2]}}, r"\$.annotations\[0\].segmentation.*\[rle-sum"),
        ({"segmentation": {"size": [4, 16], "counts": [64]}}, r"ions\[0\]: found a mask of height 4.*\[mask-size"),
    ],
)  # fmt: skip
def test_a_damaged_annotation_is_refused_with_its_place(change, message):
    document = dataset()
    document["annotations"][0] |= change
    with pytest.raises(FormatError, match=message):
        read(document)


def test_several_damages_are_told_at_once():
    document = dataset()
    document["annotations"][0]["bbox"] = [1]
    document["annotations"][1]["area"] = "x"
    with pytest.raises(FormatError) as error:
        read(document)
    assert [problem.rule for problem in error.value.problems] == ["coco-bbox", "coco-number"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b'[{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, NaN], "score": 1}]', "json-nan"),
        (b'{"images": [}', "json-syntax"),
        (b'{"info": {}}', "coco-member"),
        (b'{"images": [{"file_name": "a.jpg"}]}', "coco-key"),
        (b'{"images": [{"id": 1, "height": -5, "width": 4}]}', "image-size"),
        (b'{"images": [{"id": 1}, {"id": 1}]}', "image-id-duplicate"),
    ],
)
def test_a_damaged_document_is_refused(text, rule):
    with pytest.raises(FormatError) as error:
        formats.read(text, "coco")
    assert error.value.rule == rule
    assert str(error.value).startswith("<bytes>")


def test_documents_of_other_tasks_are_refused_with_their_name():
    with pytest.raises(FormatError, match="COCO captions"):
        read([{"image_id": 1, "caption": "a cat"}])
    panoptic = [{"image_id": 7, "file_name": "a.png", "segments_info": []}]
    with pytest.raises(FormatError, match="COCO panoptic"):
        read(dataset(annotations=panoptic))


def test_numbers_keep_their_bits():
    box = [0.1, 1 / 3, 1e-300, 123456.789]
    data = read(results({"bbox": box, "score": 0.30000000000000004}))
    assert data.annotations.box[0].tolist() == box
    assert data.annotations.score.tolist() == [0.30000000000000004]
    assert data.annotations.box.dtype == np.float64
