"""Causes of errors and their cost, against tidecv."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapideval import Annotations, Dataset, Images, Labels, Masks
from rapideval.errors import EvaluationError
from rapideval.metrics.causes import CAUSES, explain

NAMES = {
    "localisation": "Loc",
    "label": "Cls",
    "both": "Both",
    "duplicate": "Dupe",
    "background": "Bkg",
    "missed": "Miss",
    "false positives": "FalsePos",
    "false negatives": "FalseNeg",
}


def random_pair(seed: int, images: int = 6, labels: int = 3, crowds: bool = True) -> tuple[Dataset, Dataset]:
    """Objects and detections near them, with scores that do not tie."""
    rng = np.random.default_rng(seed)
    table = Images([f"{i}.png" for i in range(images)], sizes=[[100, 100]] * images)
    names = Labels([f"label {k}" for k in range(labels)])
    count = int(rng.integers(1, 30))
    box = np.hstack([rng.uniform(0, 70, (count, 2)), rng.uniform(5, 30, (count, 2))])
    image = rng.integers(0, images, count)
    label = rng.integers(0, labels, count)
    crowd = rng.random(count) < (0.1 if crowds else 0)
    truth = Dataset(table, names, Annotations(image, label, box, crowd=crowd))
    near = rng.integers(0, count, int(rng.integers(1, 80)))
    moved = box[near] + rng.normal(0, rng.choice([0.5, 3, 10], (len(near), 1)), (len(near), 4))
    moved[:, 2:] = np.abs(moved[:, 2:]) + 1
    other = np.where(rng.random(len(near)) < 0.25, rng.integers(0, labels, len(near)), label[near])
    score = rng.permutation(len(near)) / len(near) + 0.001
    return truth, Dataset(table, names, Annotations(image[near], other, moved, score))


def by_tidecv(truth: Dataset, found: Dataset):
    tidecv = pytest.importorskip(
        "tidecv", reason="tidecv (or the libGL it loads) is not installed", exc_type=ImportError
    )
    data, answers = tidecv.Data("truth"), tidecv.Data("found")
    for i in range(len(truth.images)):
        data.add_image(i, str(i))
    for annotation in truth:
        add = data.add_ignore_region if annotation.crowd else data.add_ground_truth
        add(truth.images.index(annotation.image), truth.labels.index(annotation.label), list(annotation.box))
    for annotation in found:
        answers.add_detection(
            truth.images.index(annotation.image),
            truth.labels.index(annotation.label),
            annotation.score,
            list(annotation.box),
        )
    tide = tidecv.TIDE()
    run = tide.evaluate(data, answers, mode=tidecv.TIDE.BOX)
    costs = {kind.short_name: value for kind, value in run.fix_main_errors().items()}
    special = run.fix_special_errors()
    costs |= {kind.short_name: value for kind, value in special.items()}
    counts = {kind.short_name: len(errors) for kind, errors in run.error_dict.items()}
    return run.ap, costs, counts


@settings(max_examples=60)
@given(st.integers(0, 10**6))
def test_causes_and_costs_are_tidecvs(seed):
    truth, found = random_pair(seed)
    if truth.annotations.crowd.all():
        return
    causes = explain(truth, found)
    try:
        ap, costs, counts = by_tidecv(truth, found)
    except ZeroDivisionError:  # where a mended variant leaves nothing at all, tidecv has no mean
        return
    assert 100 * causes.ap() == pytest.approx(ap, abs=1e-6)
    mine = causes.cost()
    for name, short in NAMES.items():
        assert 100 * mine[name] == pytest.approx(max(0, costs[short]), abs=1e-6), name
    for code, name in enumerate(CAUSES[1:], start=1):
        assert int((causes.cause == code).sum()) == counts[NAMES[name]], name
    assert int(causes.missed.sum()) == counts["Miss"]


@pytest.mark.parametrize("threads", [2, 3])
def test_causes_do_not_depend_on_the_threads(threads):
    truth, found = random_pair(5, images=70)
    one, many = explain(truth, found, threads=1), explain(truth, found, threads=threads)
    for name in ("row", "cause", "ignored", "object", "iou", "found_by", "mended_by"):
        assert np.array_equal(getattr(one, name), getattr(many, name)), name


def test_counts_add_up_to_detections_and_objects():
    truth, found = random_pair(11, images=4)
    causes = explain(truth, found)
    table = causes.counts()
    assert table[list(CAUSES)].to_numpy().sum() == int((~causes.ignored).sum())
    assert table["missed"].sum() == causes.missed.sum()


def test_boxes_and_their_masks_have_the_same_causes():
    truth, found = random_pair(8, crowds=False)
    whole = []
    for dataset in (truth, found):
        rows = dataset.annotations
        box = np.round(rows.box.clip(0, 99))
        box[:, 2:] = np.maximum(1, np.minimum(box[:, 2:], 100 - box[:, :2]))
        dense = np.zeros((len(box), 100, 100), bool)
        for mask, (x, y, w, h) in zip(dense, box.astype(int), strict=True):
            mask[y : y + h, x : x + w] = True
        drawn = Annotations(rows.image, rows.label, box, rows.score, masks=Masks.from_dense(dense))
        whole.append(dataset.replace(annotations=drawn))
    by_box = explain(*whole)
    by_mask = explain(*whole, task="instance")
    assert by_box.cause.tolist() == by_mask.cause.tolist()
    assert by_box.cost() == by_mask.cost()


def test_ground_truth_as_predictions_is_refused():
    truth, _ = random_pair(1)
    with pytest.raises(EvaluationError, match="no scores"):
        explain(truth, truth)
