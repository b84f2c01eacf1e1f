"""Joining predictions to ground truth: by image key and by label name, never by numbers that happen to agree."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.random_datasets import datasets, rows_of
from hypothesis import given
from hypothesis import strategies as st

from rapideval import Annotations, Dataset, Images, Labels
from rapideval.errors import InputError
from rapideval.model import align, image_tail, match_images

BOX = [[1, 2, 3, 4]]


def problem_of(make):
    with pytest.raises(InputError) as caught:
        make()
    return caught.value.problems[0]


def data_of(images, labels, *rows, scored=True):
    """A dataset with a row for each (image, label)."""
    places = np.array(rows, np.int64).reshape(-1, 2)
    scores = np.linspace(0.9, 0.1, len(rows)) if scored else None
    return Dataset(images, Labels(labels), Annotations(places[:, 0], places[:, 1], BOX * len(rows) or [], scores))


# --- tails -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "tail"),
    [
        ("a.jpg", "a.jpg"),
        ("folder/a.jpg", "a.jpg"),
        ("folder\\a.jpg", "a.jpg"),
        ("C:\\x\\a.jpg", "a.jpg"),
        ("folder/", "folder"),
        ("https://host/a/b%20c.jpg?width=3#top", "b c.jpg"),
        ("s3://bucket/x/y.png", "y.png"),
        ("gs://bucket", "bucket"),
        ("https://host", "host"),
        ("https://host/", ""),
        ("https://[broken/a.jpg", "a.jpg"),
        ("what?is=this.jpg", "what?is=this.jpg"),
        ("100%25.jpg", "100%25.jpg"),
        ("图/猫.jpg", "猫.jpg"),
    ],
)
def test_the_tail_is_the_last_part_of_a_path_or_address(key, tail):
    assert image_tail(key) == tail


@given(st.text())
def test_any_key_has_a_tail(key):
    assert "/" not in image_tail(key) or "%2f" in key.lower()


# --- images ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("have", "wanted", "by", "places", "used"),
    [
        (["a", "b"], ["b", "a"], "auto", [1, 0], "name"),
        (["a", "b"], ["a", "b"], "auto", [0, 1], "name"),
        (["a", "b"], ["b", "c"], "auto", [1, -1], "name"),
        (["a.jpg", "b.jpg"], ["s3://x/b.jpg", "https://h/a.jpg?w=1"], "auto", [1, 0], "tail"),
        (["x/a.jpg", "y/b.jpg"], ["a.jpg"], "auto", [0], "tail"),
        (["x/a.jpg", "b.jpg"], ["b.jpg", "a.jpg"], "auto", [1, 0], "name and tail"),
        (["x/a.jpg"], ["y/a.jpg"], "name", [-1], "name"),
        (["x/a.jpg"], ["y/a.jpg"], "tail", [0], "tail"),
        (["a"], ["b"], "auto", [-1], "name"),
        # names first: the other image of that tail is not given away a second time
        (["x/a.jpg"], ["x/a.jpg", "y/a.jpg"], "auto", [0, -1], "name"),
        # an empty tail is the tail of nothing
        (["https://h/?id=1"], ["https://k/?id=2"], "auto", [-1], "name"),
        ([], ["a"], "auto", [-1], "name"),
        (["a"], [], "auto", [], "name"),
    ],
)
def test_images_are_joined_by_name_then_by_tail(have, wanted, by, places, used):
    assert_matched(match_images(Images(have), Images(wanted), by), places, used)


def assert_matched(outcome, places, used):
    assert (outcome[0].tolist(), outcome[1]) == (places, used)
    assert outcome[0].dtype == np.int32


@pytest.mark.parametrize(
    ("have", "wanted", "by", "places"),
    [
        (Images(ids=[7, 3]), Images(ids=[3, 9, 7]), "auto", [1, -1, 0]),
        (Images(["a", "b"], [7, 3]), Images(ids=[3]), "auto", [1]),
        (Images(["a", "b"], [7, 3]), Images(["3"]), "id", [1]),
        (Images(ids=[17]), Images(["000000000017"]), "auto", [0]),
        (Images(["a", "b"], [1, 2]), Images(["b", "a"], [1, 2]), "id", [0, 1]),
        (Images(ids=[-5, 2**62]), Images(ids=[2**62, -5]), "auto", [1, 0]),
        (Images(ids=[]), Images(ids=[4]), "auto", [-1]),
    ],
)
def test_images_without_names_are_joined_by_id(have, wanted, by, places):
    assert_matched(match_images(have, wanted, by), places, "id")


def test_the_same_images_are_the_same():
    images = Images(["a", "a"], [1, 2])
    assert_matched(match_images(images, images), [0, 1], "same")


@pytest.mark.parametrize(
    ("have", "wanted", "by", "rule", "found"),
    [
        (Images(["x/a", "y/a"]), Images(["a"]), "auto", "image-ambiguous", "'a', which fits several images"),
        (Images(["x/a"]), Images(["y/a", "z/a"]), "auto", "image-ambiguous", "'a', which fits several images"),
        (Images(["a", "a"], [1, 2]), Images(["a"]), "auto", "image-ambiguous", "'a', which fits several images"),
        (Images(ids=[1]), Images(["a.jpg"]), "auto", "image-id", "names such as 'a.jpg' and no ids"),
        (Images(ids=[1]), Images(["1" * 30]), "auto", "image-id", f"names such as '{'1' * 30}' and no ids"),
        (Images(ids=[1]), Images(["--1"]), "auto", "image-id", "names such as '--1' and no ids"),
        (Images(ids=[1]), Images(["²"]), "auto", "image-id", "names such as '²' and no ids"),
        (Images(ids=[1]), Images(["1", "01"]), "auto", "image-id-duplicate", "1, as images[0]"),
        (Images(ids=[1]), Images(["a"]), "name", "image-name", "images known by id only"),
        (
            Images(["a"], [1]),
            Images(["b"], [1]),
            "auto",
            "image-id-conflict",
            "no shared name ('b' against 'a'), but 1 shared ids",
        ),
    ],
)
def test_where_only_a_person_can_say_which_image_is_meant_it_is_refused(have, wanted, by, rule, found):
    problem = problem_of(lambda: match_images(have, wanted, by))
    assert (problem.rule, problem.found) == (rule, found)


@given(st.lists(st.text(min_size=1, max_size=4), unique=True, max_size=8), st.data())
def test_names_in_any_order_are_found(names, data):
    wanted = data.draw(st.permutations(names))
    places, _ = match_images(Images(names), Images(wanted))
    assert [names[place] for place in places] == list(wanted)


@given(st.lists(st.integers(-(2**62), 2**62), unique=True, max_size=8), st.lists(st.integers(-9, 9), unique=True))
def test_ids_in_any_order_are_found(have, wanted):
    places, _ = match_images(Images(ids=have), Images(ids=wanted))
    assert places.tolist() == [have.index(number) if number in have else -1 for number in wanted]


# --- datasets --------------------------------------------------------------------------------------


def test_predictions_come_onto_the_images_and_labels_of_the_ground_truth():
    truth = data_of(Images(["a.jpg", "b.jpg", "c.jpg"]), ["cat", "dog"], (0, 0), scored=False)
    answer = data_of(Images(["s3://x/c.jpg", "s3://x/z.jpg", "s3://x/a.jpg"]), ["bird", "dog"], (0, 0), (1, 1), (2, 1))
    joined = align(truth, answer)
    assert joined.predictions.images is truth.images
    assert joined.predictions.labels == joined.ground_truth.labels == Labels(["cat", "dog", "bird"])
    assert [(row.image, row.label, row.score) for row in joined.predictions] == [
        ("c.jpg", "bird", 0.9),
        ("a.jpg", "dog", 0.1),
    ]
    assert joined.images_by == "tail"
    assert joined.unknown_images == ("s3://x/z.jpg",)
    assert joined.left_out == 1
    assert joined.unknown_labels == ("bird",)
    assert joined.images_without_answer.tolist() == [1]


def test_labels_are_never_joined_by_number():
    truth = Dataset(Images(["a"]), Labels(["cat", "dog"], [1, 2]), Annotations([0], [0], BOX))
    answer = Dataset(Images(["a"]), Labels(["dog", "cat"], [1, 2]), Annotations([0], [0], BOX, [0.5]))
    assert align(truth, answer).predictions[0].label == "dog"


def test_a_label_map_renames_predictions_and_may_speak_of_labels_they_do_not_have():
    truth = data_of(Images(["a"]), ["cat"], (0, 0), scored=False)
    answer = data_of(Images(["a"]), ["Cat", "kitten"], (0, 0), (0, 1))
    joined = align(truth, answer, labels={"Cat": "cat", "kitten": "cat", "lion": "cat"})
    assert joined.unknown_labels == ()
    assert {row.label for row in joined.predictions} == {"cat"}


def test_what_is_aligned_already_is_not_copied():
    images, labels = Images(["a"]), ["cat"]
    truth, answer = data_of(images, labels, (0, 0), scored=False), data_of(images, labels, (0, 0))
    joined = align(truth, answer)
    assert joined.ground_truth is truth
    assert np.shares_memory(joined.predictions.annotations.box, answer.annotations.box)
    assert joined.images_by == "same"


@given(datasets(scored=True), st.data())
def test_an_answer_in_any_order_aligns_to_the_same_rows(data, choice):
    images = np.array(choice.draw(st.permutations(range(len(data.images)))))
    labels = choice.draw(st.permutations(data.labels.names))
    shuffled = data.take_images(images).take_labels(labels)
    plain = Images(shuffled.images.keys, sizes=shuffled.images.sizes)
    joined = align(data, shuffled.replace(images=plain))
    assert rows_of(joined.predictions) == rows_of(shuffled)
    assert joined.left_out == 0
    assert not joined.unknown_labels
    assert not len(joined.images_without_answer)


@given(datasets(scored=True), datasets(scored=True))
def test_every_prediction_is_aligned_or_counted(truth, answer):
    joined = align(truth.replace(images=Images(truth.images.keys)), answer.replace(images=Images(answer.images.keys)))
    assert len(joined.predictions) + joined.left_out == len(answer)
    kept = [row for row in rows_of(answer) if row[0] not in joined.unknown_images]
    assert [row[1:] for row in rows_of(joined.predictions)] == [row[1:] for row in kept]
    answered = len(answer.images) - len(joined.unknown_images)
    assert len(joined.images_without_answer) == len(truth.images) - answered
