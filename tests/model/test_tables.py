"""Datasets as pandas and Arrow tables: the same values, the numbers not copied."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.random_datasets import datasets, small_dataset
from hypothesis import given

from rapideval import Annotations, Dataset, Images, Labels, Masks


@given(datasets())
def test_a_data_frame_says_what_the_rows_say(data):
    frame = data.to_pandas()
    assert len(frame) == len(data)
    for row, item in zip(frame.itertuples(), data, strict=True):
        assert (row.image, row.label) == (item.image, item.label)
        assert (row.x, row.y, row.width, row.height) == item.box
        assert (row.area, row.crowd) == (item.area, item.crowd)
        assert item.score is None or row.score == item.score
        assert item.id is None or row.id == item.id
    assert ("score" in frame) == data.scored


def test_images_and_labels_of_a_data_frame_are_categories_even_without_rows():
    frame = small_dataset().to_pandas()
    assert frame["label"].value_counts().to_dict() == {"cat": 2, "bird": 2, "dog": 0}
    assert list(frame["image"].cat.categories) == ["a.jpg", "b.jpg"]


def test_images_of_one_name_are_different_categories():
    data = Dataset(Images(["a", "a"], [1, 2]), Labels(["x"]), Annotations([0, 1], [0, 0], [[0, 0, 1, 1]] * 2))
    assert list(data.to_pandas()["image"]) == ["a", "a [1]"]


@pytest.mark.parametrize(("name", "column"), [("area", "area"), ("score", "score"), ("x", "box"), ("crowd", "crowd")])
def test_the_numbers_of_a_data_frame_are_not_copied(name, column):
    data = small_dataset(scored=True)
    assert np.shares_memory(data.to_pandas()[name].to_numpy(), getattr(data.annotations, column))


@given(datasets())
def test_an_arrow_table_says_what_the_rows_say(data):
    table = data.to_arrow().to_pydict()
    for place, item in enumerate(data):
        assert (table["image"][place], table["label"][place]) == (item.image, item.label)
        assert tuple(table["box"][place]) == item.box
        assert (table["area"][place], table["crowd"][place]) == (item.area, item.crowd)
        assert item.score is None or table["score"][place] == item.score
        assert item.id is None or table["id"][place] == item.id
    masks = data.annotations.masks
    assert ("mask_counts" in table) == (masks is not None)
    for place in range(len(data) if masks is not None else 0):
        assert table["mask_counts"][place] == masks.runs(place).tolist()
        assert table["mask_size"][place] == masks.sizes[place].tolist()


def test_the_numbers_of_an_arrow_table_are_not_copied():
    rows = small_dataset(scored=True, masks=Masks.empty(4)).annotations
    table = Dataset(Images(["a", "b"]), Labels(["x", "y", "z"]), rows).to_arrow()
    for name, array in (
        ("area", rows.area),
        ("score", rows.score),
        ("box", rows.box),
        ("image", rows.image),
        ("label", rows.label),
    ):
        chunk = table[name].chunk(0)
        values = chunk.indices if name in ("image", "label") else chunk.flatten() if name == "box" else chunk
        assert values.buffers()[1].address == array.ctypes.data, name
