"""A recorded answer may say itself which images it speaks of: ``images`` beside its state."""

from __future__ import annotations

import json

import pytest

from rapideval import parse
from rapideval.errors import InputError

BOX = {"boxes": [[1, 2, 3, 4]], "scores": [0.5], "labels": ["car"]}
NONE = {"boxes": [], "scores": [], "labels": []}


def line(images, *items, **more):
    return json.dumps({"images": images, "state": "SUCCESS", "result": json.dumps(items), **more})


def test_each_line_names_its_images():
    text = "\n".join([line(["b.jpg", "a.jpg"], BOX, NONE), line(["c.jpg"], BOX)])
    answer = parse(text, name="answers.jsonl")
    assert answer.dataset.images.keys == ("b.jpg", "a.jpg", "c.jpg")
    assert [row.image for row in answer.dataset] == ["b.jpg", "c.jpg"]
    assert not answer.notes


def test_names_from_the_caller_come_first():
    answer = parse(line(["a.jpg"], BOX), images=["other.jpg"])
    assert answer.dataset.images.keys == ("other.jpg",)


def test_a_count_that_does_not_fit_is_refused():
    with pytest.raises(InputError) as caught:
        parse(line(["a.jpg", "b.jpg"], BOX))
    assert caught.value.rule == "M23"


@pytest.mark.parametrize("images", [[], [1], ["a", ""], "a.jpg", None, {"a": 1}])
def test_other_things_called_images_are_passed_over(images):
    assert parse(line(images, BOX)).dataset.images.keys == ("#0",)
