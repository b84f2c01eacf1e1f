"""Parts of a dataset: disjoint, whole, of the asked shares, alike in their labels, the same for the same seed."""

import numpy as np
import pytest
from helpers.random_datasets import datasets
from hypothesis import given, settings
from hypothesis import strategies as st

from rapideval import Annotations, Dataset, Images, Labels
from rapideval.errors import UsageError


def many(images=200, seed=0):
    """Images of three labels, the last of which is rare, and some without any."""
    rng = np.random.default_rng(seed)
    of = rng.integers(0, images * 9 // 10, 600)
    label = rng.choice(3, 600, p=[0.6, 0.37, 0.03])
    return Dataset(
        Images([f"{n:03}.jpg" for n in range(images)]),
        Labels(["cat", "dog", "owl"]),
        Annotations(of, label, rng.uniform(0, 9, (600, 4))),
    )


def names(parts):
    return {name: set(part.images.keys) for name, part in parts.items()}


@settings(max_examples=40)
@given(data=datasets(min_images=3), seed=st.integers(0, 5), stratify=st.booleans())
def test_each_image_is_in_one_part_with_all_of_its_annotations(data, seed, stratify):
    parts = data.split({"train": 0.6, "val": 0.3, "test": 0.1}, seed=seed, stratify=stratify)
    found = names(parts)
    assert set.union(*found.values()) == set(data.images.keys)
    assert sum(map(len, found.values())) == len(data.images)
    assert all(found.values())
    assert sum(map(len, parts.values())) == len(data)
    for part in parts.values():
        assert part.labels == data.labels
        for key in part.images.keys:
            assert len(part.where(image=key)) == len(data.where(image=key))


def test_parts_have_their_share_of_images_and_of_every_label():
    data = many()
    parts = data.split({"train": 0.7, "test": 0.3}, seed=3)
    assert len(parts["train"].images) == 140
    for label in data.labels.names:
        whole = len(np.unique(data.where(label=label).annotations.image))
        part = len(np.unique(parts["test"].where(label=label).annotations.image))
        assert abs(part - 0.3 * whole) <= 1.5, label


def test_images_without_annotations_are_dealt_out_too():
    parts = many().split({"a": 0.5, "b": 0.5})
    empty = [len(part.images) - len(np.unique(part.annotations.image)) for part in parts.values()]
    assert min(empty) >= 5


def test_without_stratifying_the_shares_of_images_are_exact():
    parts = many().split({"a": 0.45, "b": 0.55}, stratify=False)
    assert [len(part.images) for part in parts.values()] == [90, 110]


@pytest.mark.parametrize("stratify", [True, False])
def test_the_seed_determines_the_parts_and_the_order_of_images_does_not(stratify):
    data = many()
    shares = {"a": 0.5, "b": 0.5}
    first = names(data.split(shares, seed=1, stratify=stratify))
    shuffled = data.take_images(np.random.default_rng(9).permutation(len(data.images)))
    assert names(shuffled.split(shares, seed=1, stratify=stratify)) == first
    assert names(data.split(shares, seed=2, stratify=stratify)) != first


def test_images_of_a_group_stay_together():
    data = many()
    groups = [key[:2] for key in data.images.keys]
    found = names(data.split({"a": 0.5, "b": 0.3, "c": 0.2}, groups=groups))
    for group in set(groups):
        assert sum(any(key.startswith(group) for key in keys) for keys in found.values()) == 1
    assert abs(len(found["a"]) - 100) <= 10


def test_a_sample_has_the_asked_number_of_images():
    data = many()
    for count in (1, 7, 50, 199, 200):
        assert len(data.sample(count).images) == count
        assert len(data.sample(count, stratify=False).images) == count


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: d.split({"a": 0.5, "b": 0.4}), "a=0.5, b=0.4"),
        (lambda d: d.split({"a": 1.5, "b": -0.5}), "above 0"),
        (lambda d: d.split({}), "of no part"),
        (lambda d: d.take_images([0]).split({"a": 0.5, "b": 0.5}), "2 parts of 1 images"),
        (lambda d: d.split({"a": 0.5, "b": 0.5}, groups=["x"]), "1 groups for 200 images"),
        (lambda d: d.sample(0), "a sample of 0 of 200"),
        (lambda d: d.sample(201), "a sample of 201 of 200"),
    ],
)
def test_what_cannot_be_divided_is_said(call, message):
    with pytest.raises(UsageError, match=message):
        call(many())
