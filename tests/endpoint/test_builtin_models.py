"""The built-in models answer in the form of a hosted endpoint, whatever the image."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rapideval.endpoint.builtin_models import LABELS, MODELS

VERSIONS_AND_TASKS = [(version, task) for version, tasks in MODELS.items() for task in tasks]


@pytest.mark.parametrize(("version", "task"), VERSIONS_AND_TASKS)
@given(
    image=arrays.arrays(
        np.uint8,
        st.one_of(
            st.tuples(st.integers(1, 40), st.integers(1, 40)),
            st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3)),
        ),
    )
)
def test_answer_is_well_formed_for_any_image(version: str, task: str, image: np.ndarray) -> None:
    height, width = image.shape[:2]
    answer = MODELS[version][task](image)
    json.dumps(answer, allow_nan=False)
    if task == "semantic":
        assert np.shape(answer["semantic_segmentation_mask"]) == (height, width)
        return
    things = answer["boxes"] if task == "detection" else answer["masks"]
    assert len(things) == len(answer["scores"]) == len(answer["labels"])
    assert all(0 <= score <= 1 for score in answer["scores"])
    assert set(answer["labels"]) <= set(LABELS)
    if task == "detection":
        assert all(0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height for x1, y1, x2, y2 in things)
    else:
        assert all(np.shape(mask) == (height, width) for mask in things)


@pytest.mark.parametrize(("version", "task"), VERSIONS_AND_TASKS)
def test_an_image_without_any_contrast_has_no_objects(version: str, task: str) -> None:
    for level in (0, 100, 255):
        answer = MODELS[version][task](np.full((30, 40), level, np.uint8))
        if task == "semantic":
            assert not np.any(answer["semantic_segmentation_mask"])
        else:
            assert answer["labels"] == []


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_boxes_are_those_of_the_masks(version: str) -> None:
    image = np.full((90, 120), 30, np.uint8)
    image[20:60, 10:50] = 220
    image[30:85, 60:115] = 200
    boxes = MODELS[version]["detection"](image)
    masks = MODELS[version]["instance"](image)
    assert boxes["labels"] == masks["labels"]
    assert sorted(boxes["labels"]) == ["large coin", "small coin"]
    for (x1, y1, x2, y2), mask in zip(boxes["boxes"], masks["masks"], strict=True):
        rows, columns = np.nonzero(mask)
        assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (x1, y1, x2, y2)


def test_an_array_that_is_no_image_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(H, W\) or \(H, W, 3\)"):
        MODELS["v1"]["detection"](np.zeros((4, 4, 2), np.uint8))
    with pytest.raises(ValueError, match=r"\(H, W\) or \(H, W, 3\)"):
        MODELS["v2"]["detection"](np.zeros((0, 4), np.uint8))
