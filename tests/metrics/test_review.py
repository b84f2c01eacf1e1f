"""Likely errors of the ground truth: planted ones are found, sound labels are left alone."""

import numpy as np
import pytest
from helpers.versions import detector, holdout

from rapideval import Annotations, Dataset, Images, Labels
from rapideval.errors import UsageError
from rapideval.metrics.review import KINDS, as_dataset, review

IMAGES, LABELS = Images(["a.jpg", "b.jpg"], sizes=[[100, 100]] * 2), Labels(["cat", "dog"])


def answers(rows):
    image, label, box, score = zip(*rows, strict=True)
    return Dataset(IMAGES, LABELS, Annotations(image, label, box, score))


TRUTH = Dataset(
    IMAGES,
    LABELS,
    Annotations([0, 0, 1], [0, 1, 0], [[0, 0, 20, 20], [50, 50, 20, 20], [10, 10, 30, 30]]),
)


def test_each_kind_is_told_with_its_place():
    found = answers(
        [
            (0, 0, [0, 0, 20, 20], 0.9),  # right
            (0, 0, [50, 50, 20, 20], 0.8),  # cat on a dog
            (0, 1, [80, 0, 10, 10], 0.7),  # nothing there
            (1, 0, [10, 10, 30, 12], 0.6),  # sloppy outline
            (1, 1, [70, 70, 9, 9], 0.2),  # unsure: no witness
        ]
    )
    told = review(TRUTH, [found])
    assert [(one.kind, one.image, one.truth_label, one.predicted_label) for one in told.suspects] == [
        ("label", "a.jpg", "dog", "cat"),
        ("unlabelled", "a.jpg", None, "dog"),
        ("outline", "b.jpg", "cat", "cat"),
    ]
    assert told.suspects[2].iou == pytest.approx(0.4)
    assert [one.truth_row for one in told.suspects] == [1, None, 2]


def test_sound_labels_that_are_found_are_not_suspected():
    found = answers([(i, k, box, 0.9) for i, k, box in zip(
        TRUTH.annotations.image, TRUTH.annotations.label, TRUTH.annotations.box.tolist(), strict=True
    )])  # fmt: skip
    told = review(TRUTH, [found])
    assert told.total == 0
    assert told.counts == dict.fromkeys(KINDS, 0)


def test_what_versions_agree_on_comes_first_and_a_version_counts_once():
    twice = answers([(0, 1, [80, 0, 10, 10], 0.7), (0, 1, [80, 0, 10, 10], 0.69), (1, 1, [60, 60, 9, 9], 0.99)])
    once = answers([(0, 1, [81, 0, 10, 10], 0.6)])
    told = review(TRUTH, [twice, once])
    unlabelled = [one for one in told.suspects if one.kind == "unlabelled"]
    assert [one.versions for one in unlabelled] == [2, 1, 1]
    assert unlabelled[0].score == 0.7


def test_an_object_counts_as_not_found_only_where_no_version_sees_anything():
    blind = answers([(0, 0, [0, 0, 20, 20], 0.9)])
    seeing = answers([(1, 0, [10, 10, 30, 30], 0.9)])
    kinds = [(one.kind, one.image, one.truth_label) for one in review(TRUTH, [blind, seeing]).suspects]
    assert kinds == [("not found", "a.jpg", "dog")]


def test_planted_errors_come_before_the_rest():
    truth = holdout(80, seed=4)
    rows = truth.annotations
    found = [detector(truth, seed, recall=0.97, noise=0.02, spurious=0.2) for seed in (1, 2)]
    missing = np.arange(0, len(rows), 25)
    kept = np.setdiff1d(np.arange(len(rows)), missing)
    told = review(truth.take(kept), found)
    planted = {(truth.images.key(int(rows.image[row])), tuple(rows.box[row].round(-1))) for row in missing}
    first = [one for one in told.suspects if one.kind == "unlabelled"][: len(missing)]
    near = sum(
        any(image == one.image and np.abs(np.array(box) - one.box).max() < 25 for image, box in planted)
        for one in first
    )
    assert near >= 0.8 * len(first)


def test_suspects_are_annotations_that_a_tool_can_show():
    told = review(TRUTH, [answers([(0, 1, [80, 0, 10, 10], 0.7)])])
    data = as_dataset(told, TRUTH)
    assert len(data) == told.total
    assert data[0].label == "unlabelled: dog"
    assert data.annotations.extras[0]["kind"] == "unlabelled"
    assert (
        len(as_dataset(review(TRUTH, [TRUTH.replace(annotations=TRUTH.annotations.replace(score=[1, 1, 1]))]), TRUTH))
        == 0
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [({"task": "semantic"}, "of objects"), ({"min_score": 2}, "from 0 to 1"), ({"predictions": []}, "at least one")],
)
def test_what_cannot_be_reviewed_is_said(options, message):
    predictions = options.pop("predictions", [TRUTH])
    with pytest.raises(UsageError, match=message):
        review(TRUTH, predictions, **options)
