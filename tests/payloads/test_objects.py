"""Answers that are Python objects already: arrays, tuples, NumPy scalars, and what they cannot be."""

from __future__ import annotations

import enum

import numpy as np
import pytest

from rapideval.errors import InputError
from rapideval.payloads import parse


class Name(enum.StrEnum):
    CAR = "car"


class Number(enum.IntEnum):
    CAR = 1


MASKS = np.array([[[0, 1], [0, 1]], [[1, 1], [0, 0]]])


def answer(masks, count=2):
    return parse([{"masks": masks, "scores": [0.9, 0.8][:count], "labels": ["car"] * count}]).dataset


@pytest.mark.parametrize(
    "masks",
    [
        MASKS,
        MASKS.astype(bool),
        MASKS.astype(np.uint8),
        MASKS.astype(np.float32),
        MASKS[:, None],
        np.asfortranarray(MASKS),
        MASKS[::-1][::-1],
        list(MASKS),
        [mask.tolist() for mask in MASKS],
        tuple(tuple(map(tuple, mask)) for mask in MASKS.tolist()),
        [[list(map(bool, row)) for row in mask] for mask in MASKS],
        [[[np.int64(value) for value in row] for row in mask] for mask in MASKS],
        [MASKS[0], MASKS[1].tolist()],
    ],
)
def test_masks_in_every_writing_are_the_same(masks):
    assert answer(masks).fingerprint() == answer(MASKS.tolist()).fingerprint()


def test_masks_of_different_sizes_belong_to_different_images():
    payload = [{"masks": [np.ones(shape, bool)], "scores": [1], "labels": ["a"]} for shape in ((2, 3), (4, 1))]
    assert parse(payload).dataset.images.sizes.tolist() == [[2, 3], [4, 1]]


@pytest.mark.parametrize(
    ("masks", "rule", "where"),
    [
        (MASKS * 3, "M33", "answer: $[0].masks[0][0][1]"),
        (MASKS / 2, "M33", "answer: $[0].masks[0][0][1]"),
        ((MASKS * 3)[:, None], "M33", "answer: $[0].masks[0][0][0][1]"),
        (np.zeros((2, 0, 3)), "M34", "answer: $[0].masks"),
        (np.zeros(4), "M35", "answer: $[0].masks"),
        (np.zeros((2, 2, 2, 2)), "M35", "answer: $[0].masks"),
        (np.array([["a"]]), "M35", "answer: $[0].masks"),
        ([[[0, 1], [0]], [[1, 1], [1, 1]]], "M31", "answer: $[0].masks[0][1]"),
        ([[[0, 1], 5], [[1, 1], [1, 1]]], "M35", "answer: $[0].masks[0][1]"),
        ([[[0, 1], [0, [1]]], [[1, 1], [1, 1]]], "M35", "answer: $[0].masks[0]"),
        ([[[0, 1], [0, 10**30]], [[1, 1], [1, 1]]], "M33", "answer: $[0].masks[0][1][1]"),
        ([[[0, 1], [0, float("nan")]], [[1, 1], [1, 1]]], "M33", "answer: $[0].masks[0][1][1]"),
    ],
)
def test_a_bad_mask_is_refused_where_it_is(masks, rule, where):
    with pytest.raises(InputError) as caught:
        answer(masks)
    assert (caught.value.problems[0].rule, caught.value.problems[0].where) == (rule, where)


def test_arrays_and_scalars_count_as_lists_and_numbers():
    payload = {"boxes": np.array([[1, 2, 3, 4]]), "scores": np.array([0.5]), "labels": np.array(["car"])}
    scalars = {"boxes": [(np.float32(1), np.int64(2), 3, 4)], "scores": (np.float64(0.5),), "labels": [np.str_("car")]}
    assert parse(payload).dataset.fingerprint() == parse(scalars).dataset.fingerprint()


def test_members_of_enumerations_count_as_what_they_are():
    dataset = parse([{"boxes": [[1, 2, 3, 4]] * 2, "scores": [1, 1], "labels": [Name.CAR, Number.CAR]}]).dataset
    assert [row.label for row in dataset] == ["car", "1"]


def test_class_masks_may_be_arrays():
    payload = {"road_mask": MASKS[0], "scores": None, "note": "x"}
    assert [row.label for row in parse(payload, class_masks=True).dataset] == ["road"]


@pytest.mark.parametrize("value", [b"[]", {1}, object(), 1j])
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises(InputError, match=r"answer: \$.scores: found a Python object of type"):
        parse({"boxes": [], "scores": value, "labels": []})


def test_keys_are_text():
    with pytest.raises(InputError, match="the key 1 of type int"):
        parse({1: []})


def test_a_decoded_answer_is_not_changed():
    payload = [{"boxes": [[1, 2, 3, 4]], "scores": [0.9], "labels": [1]}]
    parse(payload, labels=["a", "b"], clip=True)
    assert payload == [{"boxes": [[1, 2, 3, 4]], "scores": [0.9], "labels": [1]}]
