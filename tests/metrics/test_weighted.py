"""Weighted draws over one match table, against evaluating the drawn images anew."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapideval import Annotations, Dataset, Images, Labels, _core
from rapideval.metrics import Matches, Protocol, accumulate, match

IMAGES = 5


def random_pair(seed: int) -> tuple[Dataset, Dataset]:
    rng = np.random.default_rng(seed)
    images = Images([f"{i}.png" for i in range(IMAGES)], ids=np.arange(IMAGES))
    labels = Labels(["a", "b", "c"])
    count = int(rng.integers(1, 40))
    box = np.hstack([rng.uniform(0, 300, (count, 2)), rng.uniform(5, 120, (count, 2))])
    image = np.sort(rng.integers(0, IMAGES, count))
    label = rng.integers(0, 2, count)
    truth = Dataset(images, labels, Annotations(image, label, box, crowd=rng.random(count) < 0.1))
    near = rng.integers(0, count, int(rng.integers(1, 90)))
    moved = box[near] + rng.normal(0, rng.choice([0.5, 5], (len(near), 1)), (len(near), 4))
    moved[:, 2:] = np.abs(moved[:, 2:]) + 1
    score = np.round(rng.random(len(near)), 2)
    return truth, Dataset(images, labels, Annotations(image[near], rng.integers(0, 3, len(near)), moved, score))


def draws(matches: Matches, weights: np.ndarray, threads: int = 0) -> tuple[np.ndarray, np.ndarray]:
    protocol, objects = matches.protocol, matches.objects
    return _core.accumulate_weighted(
        matches.label_offsets,
        matches.score,
        matches.rank,
        matches.matched,
        matches.ignored,
        len(protocol.iou_thresholds),
        len(protocol.area_ranges),
        matches.image,
        objects.image,
        objects.label,
        objects.ignored,
        np.array(protocol.recall_thresholds),
        np.array(protocol.limits, np.int64),
        weights.astype(np.uint16),
        threads,
    )


def check_equal(matches: Matches, precision: np.ndarray, recall: np.ndarray) -> None:
    """One draw against plain accumulation: (K, A, T) and (K, A + M - 1, T)."""
    curves = accumulate(matches)
    ap = curves.precision.mean(axis=1)[..., -1].transpose(1, 2, 0)
    assert np.allclose(precision, ap, rtol=0, atol=1e-12, equal_nan=True)
    areas = len(matches.protocol.area_ranges)
    assert np.array_equal(recall[:, :areas], curves.recall[..., -1].transpose(1, 2, 0), equal_nan=True)
    assert np.array_equal(recall[:, areas:], curves.recall[:, :, 0, :-1].transpose(1, 2, 0), equal_nan=True)


def repeated(dataset: Dataset, times: np.ndarray) -> Dataset:
    """The dataset with each image as often as it was drawn."""
    rows, images = [], []
    for image, count in enumerate(times):
        mine = np.flatnonzero(dataset.annotations.image == image)
        for _ in range(count):
            rows.append(dataset.annotations.take(mine).replace(image=np.full(len(mine), len(images), np.int32)))
            images.append(image)
    table = Images([f"{i}" for i in range(len(images))], ids=np.arange(len(images)))
    return Dataset(table, dataset.labels, Annotations.concat(rows))


@settings(max_examples=80)
@given(st.integers(0, 10**6))
def test_all_weights_one_is_plain_accumulation(seed):
    matches = match(*random_pair(seed), Protocol(limits=(1, 3, 10)))
    precision, recall = draws(matches, np.ones((1, IMAGES)))
    check_equal(matches, precision[0], recall[0])


@settings(max_examples=80)
@given(st.integers(0, 10**6))
def test_a_draw_is_the_evaluation_of_the_drawn_images(seed):
    truth, found = random_pair(seed)
    times = np.random.default_rng(seed).integers(0, 4, IMAGES)
    if not times.sum():
        return
    # Without ties: the copies of an image stand beside each other only where nothing else has their score.
    scores = (np.random.default_rng(seed).permutation(len(found)) + 1) / (len(found) + 1)
    found = found.replace(annotations=found.annotations.replace(score=scores))
    precision, recall = draws(match(truth, found), times[None])
    check_equal(match(repeated(truth, times), repeated(found, times)), precision[0], recall[0])


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_bits_do_not_depend_on_threads_or_on_what_is_drawn_beside(threads):
    matches = match(*random_pair(4))
    weights = _core.bootstrap_weights(7, 0, 21, IMAGES)
    whole = draws(matches, weights, threads)
    for b in (0, 8, 20):
        alone = draws(matches, weights[b : b + 1], 1)
        assert all(np.array_equal(w[b], a[0], equal_nan=True) for w, a in zip(whole, alone, strict=True))


def test_plain_and_vector_loops_give_the_same_bits():

    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import hashlib, test_weighted as t\n"
        "m = t.match(*t.random_pair(9)); w = t._core.bootstrap_weights(1, 0, 40, t.IMAGES)\n"
        "print(hashlib.sha256(b''.join(a.tobytes() for a in t.draws(m, w))).hexdigest())"
    )

    digests = {
        subprocess.run(
            [sys.executable, "-c", program], env=os.environ | {"RAPIDEVAL_SIMD": level}, capture_output=True, check=True
        ).stdout
        for level in ("plain", "avx2")
    }
    assert len(digests) == 1


def test_bootstrap_weights_are_draws_with_replacement():
    weights = _core.bootstrap_weights(3, 0, 4000, 50)
    assert (weights.sum(axis=1) == 50).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(50), abs=0.08)
    assert weights.astype(float).var() == pytest.approx(1 - 1 / 50, abs=0.02)
    assert abs(np.corrcoef(weights[:-1].ravel(), weights[1:].ravel())[0, 1]) < 0.02


def test_draws_are_the_same_whatever_is_asked_for_at_once():
    whole = _core.bootstrap_weights(5, 0, 30, 11)
    assert np.array_equal(_core.bootstrap_weights(5, 10, 20, 11, threads=3), whole[10:])
    assert not np.array_equal(_core.bootstrap_weights(6, 0, 30, 11), whole)
    flips = _core.coin_flips(5, 0, 300, 40)
    assert np.array_equal(_core.coin_flips(5, 100, 200, 40, threads=2), flips[100:])
    assert set(np.unique(flips)) == {0, 1}
    assert flips.mean() == pytest.approx(0.5, abs=0.02)


def test_columns_that_do_not_fit_are_refused():
    matches = match(*random_pair(2))
    with pytest.raises(_core.CoreError, match="a place below 3"):
        draws(matches, np.ones((1, 3)))
