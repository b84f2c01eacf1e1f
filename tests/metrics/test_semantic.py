"""Semantic metrics against dense arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapideval import Annotations, Dataset, Images, Labels, Masks
from rapideval.errors import EvaluationError, InputError
from rapideval.metrics.semantic import match_semantic

NAMES = ["road", "sky", "tree"]


def dataset(maps: list[np.ndarray], names=NAMES, crowd=()) -> Dataset:
    """Label maps (H, W), -1 without label, as a dataset: one mask per label and image."""
    image, label, masks, flags = [], [], [], []
    for i, labels in enumerate(maps):
        for k in range(len(names)):
            if (labels == k).any():
                image.append(i)
                label.append(k)
                masks.append(Masks.from_dense(labels == k))
                flags.append((i, k) in crowd)
    images = Images([f"{i}.png" for i in range(len(maps))], sizes=[m.shape for m in maps])
    return Dataset(images, Labels(names), Annotations(image, label, masks=Masks.concat(masks), crowd=flags))


label_maps = st.integers(0, 2**32 - 1).map(
    lambda seed: [
        np.random.default_rng(seed + i).integers(-1, 3, np.random.default_rng(seed * 7 + i).integers(1, 9, 2))
        for i in range(3)
    ]
)


def other_side(maps: list[np.ndarray], seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [np.where(rng.random(m.shape) < 0.5, m, rng.integers(-1, 3, m.shape)) for m in maps]


def dense_counts(truth, predicted, keep):
    confusion = np.zeros((4, 4), np.int64)
    for t, p, k in zip(truth, predicted, keep, strict=True):
        np.add.at(confusion, (np.where(t < 0, 3, t)[k], np.where(p < 0, 3, p)[k]), 1)
    return confusion


@settings(max_examples=60)
@given(label_maps, st.integers(0, 2**31), st.booleans())
def test_counts_are_those_of_dense_arrays(truth, seed, leave_out):
    predicted = other_side(truth, seed)
    matches = match_semantic(dataset(truth), dataset(predicted), unlabelled="ignore" if leave_out else "background")
    keep = [t >= 0 if leave_out else np.ones(t.shape, bool) for t in truth]
    confusion = dense_counts(truth, predicted, keep)
    assert matches.confusion.tolist() == confusion.tolist()
    assert int(matches.ignored.sum()) == sum(int((~k).sum()) for k in keep)
    rows, columns, diagonal = confusion.sum(1)[:3], confusion.sum(0)[:3], np.diag(confusion)[:3]
    with np.errstate(invalid="ignore"):
        iou = diagonal / (rows + columns - diagonal)
    assert np.allclose(matches.iou(), iou, equal_nan=True)
    if not np.isnan(iou).all():
        assert matches.summary()["mIoU"] == pytest.approx(np.nanmean(iou))
    assert matches.summary()["pixel accuracy"] == pytest.approx(
        np.trace(confusion) / max(confusion.sum(), 1) if confusion.sum() else np.nan, nan_ok=True
    )


@given(label_maps, st.integers(0, 2**31))
def test_weights_are_the_same_as_repeating_images(truth, seed):
    predicted = other_side(truth, seed)
    times = np.random.default_rng(seed).integers(0, 3, len(truth))
    repeated = match_semantic(
        dataset([t for t, n in zip(truth, times, strict=True) for _ in range(n)] or [np.full((1, 1), 0)]),
        dataset([p for p, n in zip(predicted, times, strict=True) for _ in range(n)] or [np.full((1, 1), 0)]),
    )
    if not times.sum():
        return
    weighted = match_semantic(dataset(truth), dataset(predicted)).summary(np.stack([times, times]).astype(float))
    for name, value in repeated.summary().items():
        assert np.allclose(weighted[name], value, equal_nan=True), name


@pytest.mark.parametrize("threads", [2, 5])
def test_the_counts_do_not_depend_on_the_threads(threads):
    rng = np.random.default_rng(0)
    truth = [rng.integers(-1, 3, (30, 20)) for _ in range(7)]
    predicted = other_side(truth, 1)
    one = match_semantic(dataset(truth), dataset(predicted), threads=1)
    many = match_semantic(dataset(truth), dataset(predicted), threads=threads)
    for name in ("image", "label", "truth", "predicted", "intersection", "confusion", "ignored", "covered"):
        assert np.array_equal(getattr(one, name), getattr(many, name)), name


def test_crowd_regions_of_the_ground_truth_are_left_out():
    truth = np.array([[0, 0, 1, 1]])
    matches = match_semantic(dataset([truth], crowd={(0, 1)}), dataset([np.array([[0, 1, 0, 1]])]))
    assert int(matches.ignored[0]) == 2
    assert matches.confusion[:2, :2].tolist() == [[1, 1], [0, 0]]


def test_the_surest_prediction_is_seen_and_covered_pixels_are_counted():
    masks = Masks.from_dense(np.ones((2, 2, 2), bool))
    images, labels = Images(["a"], sizes=[[2, 2]]), Labels(["cat", "dog"])
    found = Dataset(images, labels, Annotations([0, 0], [0, 1], score=[0.9, 0.4], masks=masks))
    truth = Dataset(images, labels, Annotations([0], [0], masks=masks.take(slice(0, 1))))
    matches = match_semantic(truth, found)
    assert matches.summary()["pixel accuracy"] == 1.0
    assert matches.covered.tolist() == [[0, 4]]


def test_a_label_that_stands_nowhere_is_undefined_and_in_no_mean():
    matches = match_semantic(dataset([np.zeros((2, 2), int)]), dataset([np.zeros((2, 2), int)]))
    assert np.isnan(matches.iou()[1])
    assert matches.summary()["mIoU"] == 1.0
    table = matches.per_label()
    assert table["label"].tolist() == NAMES
    assert table["IoU"][0] == 1.0
    assert np.isnan(table["IoU"][1])


def test_a_label_only_the_predictions_have_counts_as_zero():
    matches = match_semantic(dataset([np.zeros((2, 2), int)]), dataset([np.array([[0, 0], [0, 1]])]))
    assert matches.iou()[:2].tolist() == [0.75, 0.0]


def test_rows_without_masks_and_masks_of_another_size_are_refused():
    images, labels = Images(["a"], sizes=[[2, 2]]), Labels(["cat"])
    boxes = Dataset(images, labels, Annotations([0], [0], [[0, 0, 1, 1]], [0.5]))
    truth = Dataset(images, labels, Annotations([0], [0], masks=Masks.from_dense(np.ones((2, 2), bool))))
    with pytest.raises(EvaluationError, match="no mask in the predictions"):
        match_semantic(truth, boxes)
    nameless = Images(["a"])
    wrong = Dataset(nameless, labels, Annotations([0], [0], masks=Masks.from_dense(np.ones((3, 2), bool))))
    with pytest.raises(InputError, match="mask-size"):
        match_semantic(truth, wrong)
