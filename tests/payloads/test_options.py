"""What a caller can say of an answer: labels, conventions, which result to use."""

from __future__ import annotations

import pytest

from rapideval import Labels
from rapideval.errors import EndpointError, InputError, UsageError
from rapideval.payloads import parse

NUMBERED = [{"boxes": [[1, 2, 3, 4]] * 2, "scores": [0.9, 0.8], "labels": [2, 0]}]
SEMANTIC = {"semantic_segmentation_mask": [[0, 1]]}


def labels_of(source, **options):
    dataset = parse(source, **options).dataset
    return [row.label for row in dataset], list(dataset.labels.names)


@pytest.mark.parametrize(
    "labels",
    [
        ["cat", "dog", "cow"],
        {0: "cat", 1: "dog", 2: "cow"},
        {"0": "cat", "1": "dog", "2": "cow"},
        Labels(["cat", "dog", "cow"]),
    ],
)
def test_integer_labels_are_numbered_from_0(labels):
    assert labels_of(NUMBERED, labels=labels) == (["cow", "cat"], ["cat", "dog", "cow"])


def test_labels_with_ids_are_numbered_by_them():
    assert labels_of(NUMBERED, labels=Labels(["cow", "cat"], ids=[2, 0]))[0] == ["cow", "cat"]


def test_a_label_list_may_repeat_a_name_for_numbers_that_are_not_used():
    assert labels_of(NUMBERED, labels=["cat", "N/A", "cow", "N/A"])[0] == ["cow", "cat"]


def test_text_labels_stay_and_come_after_the_given_ones():
    payload = [{"boxes": [[1, 2, 3, 4]] * 2, "scores": [0.9, 0.8], "labels": ["bus", "car"]}]
    assert labels_of(payload, labels=["car", "van"]) == (["bus", "car"], ["car", "van", "bus"])


def test_a_mapping_renames_text_labels():
    payload = [{"boxes": [[1, 2, 3, 4]], "scores": [0.9], "labels": ["automobile"]}]
    assert labels_of(payload, labels={"automobile": "car"})[0] == ["car"]


def test_text_and_integers_may_be_mixed():
    payload = [{"boxes": [[1, 2, 3, 4]] * 2, "scores": [0.9, 0.8], "labels": ["bus", 1]}]
    assert labels_of(payload, labels=["cat", "car"])[0] == ["bus", "car"]


@pytest.mark.parametrize("labels", ["car", {1.5: "car"}, [None], {"1": ""}])
def test_bad_labels_are_a_wrong_call(labels):
    with pytest.raises(UsageError, match="labels"):
        parse(NUMBERED, labels=labels)


def test_a_semantic_mask_is_named_by_the_caller():
    assert labels_of(SEMANTIC)[0] == ["foreground"]
    assert labels_of(SEMANTIC, semantic_label="road")[0] == ["road"]
    assert labels_of(SEMANTIC, labels=["coin"])[0] == ["coin"]
    assert labels_of(SEMANTIC, labels=["coin", "word"]) == (["foreground"], ["coin", "word", "foreground"])


def test_an_empty_semantic_mask_is_a_row():
    dataset = parse({"semantic_segmentation_mask": [[0, 0]]}).dataset
    assert (len(dataset), dataset[0].area, dataset.images.sizes.tolist()) == (1, 0.0, [[1, 2]])


@pytest.mark.parametrize(
    ("order", "box"),
    [
        ("xyxy", [1, 2, 4, 7]),
        ("xywh", [1, 2, 3, 5]),
        ("cxcywh", [2.5, 4.5, 3, 5]),
        ("yxyx", [2, 1, 7, 4]),
        ("xxyy", [1, 4, 2, 7]),
    ],
)
def test_every_order_of_coordinates(order, box):
    payload = [{"boxes": [box], "scores": [0.9], "labels": ["a"]}]
    assert parse(payload, boxes=order).dataset[0].box == (1, 2, 3, 5)


@pytest.mark.parametrize("order", ["xyxy", "yxyx", "xxyy", "xywh", "cxcywh"])
def test_relative_coordinates_of_every_order(order):
    box = {"xyxy": [0.25, 0.5, 0.75, 1], "yxyx": [0.5, 0.25, 1, 0.75], "xxyy": [0.25, 0.75, 0.5, 1]}
    box |= {"xywh": [0.25, 0.5, 0.5, 0.5], "cxcywh": [0.5, 0.75, 0.5, 0.5]}
    payload = [{"boxes": [box[order]], "scores": [0.9], "labels": ["a"]}]
    assert parse(payload, boxes=order, relative=True, sizes=(100, 200)).dataset[0].box == (50, 50, 100, 50)


@pytest.mark.parametrize(
    "options", [{"boxes": "ltrb"}, {"prefer": "both"}, {"semantic_label": ""}, {"payload": "roboflw"}]
)
def test_an_unknown_option_is_a_wrong_call(options):
    with pytest.raises(UsageError):
        parse(SEMANTIC, **options)


def test_an_unknown_service_is_told_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'roboflow'"):
        parse(SEMANTIC, payload="roboflw")


def test_require_gives_the_dataset_once_all_is_finished():
    assert len(parse(SEMANTIC).require()) == 1
    with pytest.raises(EndpointError, match="not finished"):
        parse({"state": "PENDING"}).require()
    with pytest.raises(EndpointError, match="failed: ValueError: x"):
        parse({"state": "FAILURE", "traceback": "...\nValueError: x"}).require()
    with pytest.raises(EndpointError, match="1 of 2 tasks failed"):
        parse([{"state": "FAILURE"}, {"state": "SUCCESS", "result": [SEMANTIC]}]).require()
    with pytest.raises(EndpointError, match="refused by the server: Too many requests"):
        parse({"error": "Too many requests"}).require()


def test_lenient_mode_mends_nothing_that_is_json():
    payload = [{"boxes": [[1, 2, 3, 4]], "scores": [0.9], "labels": ["it’s, ]"]}]
    answer = parse(payload, lenient=True)
    assert (answer.dataset[0].label, [note.rule for note in answer.notes]) == ("it’s, ]", ["image-keys"])


def test_lenient_mode_keeps_quotes_within_text():
    source = "[{'boxes': [[1, 2, 3, 4]], 'scores': [0.9], 'labels': ['it’s (\"a\", None,]']}]"
    assert parse(source, lenient=True).dataset[0].label == 'it’s ("a", None,]'


def test_lenient_mode_does_not_mend_what_it_cannot():
    with pytest.raises(InputError, match="M1"):
        parse("{state: SUCCESS}", lenient=True)


def test_lenient_masks_of_0_and_255_only_where_lenient():
    payload = [{"masks": [[[0, 255]]], "scores": [0.9], "labels": ["a"]}]
    assert parse(payload, lenient=True).dataset[0].area == 1
    with pytest.raises(InputError, match="lenient"):
        parse(payload)
