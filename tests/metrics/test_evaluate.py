"""The one call, whatever the task, and the document it gives."""

import json

import jsonschema
import msgspec
import numpy as np
import pytest

from rapideval import Annotations, Dataset, Evaluation, Images, Labels, Masks, Polygons, Protocol, evaluate
from rapideval.errors import UsageError
from rapideval.metrics import DetectionEvaluation, SemanticEvaluation
from rapideval.metrics.document import EvaluationDocument
from tests.helpers.rows import BOX, FAR, small
from tests.metrics.test_per_label import random_evaluation
from tests.metrics.test_semantic import NAMES, dataset


def semantic_pair(seed=0):
    rng = np.random.default_rng(seed)
    truth = [rng.integers(-1, 3, (6, 7)) for _ in range(3)]
    return dataset(truth), dataset(
        [np.where(rng.random(m.shape) < 0.6, m, rng.integers(-1, 3, m.shape)) for m in truth]
    )


def test_a_semantic_task():
    evaluation = evaluate(*semantic_pair(), "semantic")
    assert isinstance(evaluation, SemanticEvaluation)
    assert list(evaluation.summary) == ["mIoU", "mDice", "fwIoU", "pixel accuracy", "mean accuracy"]
    assert evaluation.counts["pixels"] == 3 * 42
    assert repr(evaluation).startswith("Evaluation of pixels: 3 labels, 3 images\n  mIoU 0.")
    assert evaluation.per_label()["label"].tolist() == NAMES


def test_pixels_of_ignored_labels_do_not_count():
    truth, found = semantic_pair()
    whole = evaluate(truth, found, "semantic")
    part = evaluate(truth, found, "semantic", ignore_labels=["sky", "not there"])
    sky = int(whole.matches.confusion[1].sum())
    assert part.counts["ignored pixels"] == sky
    assert part.counts["pixels"] == whole.counts["pixels"] - sky


def test_unlabelled_pixels_may_be_left_out():
    truth, found = semantic_pair()
    whole = evaluate(truth, found, "semantic")
    part = evaluate(truth, found, "semantic", unlabelled="ignore")
    assert part.counts["ignored pixels"] == int(whole.matches.confusion[3].sum()) > 0


def test_a_saved_semantic_evaluation_comes_back(tmp_path):
    evaluation = evaluate(*semantic_pair(), "semantic", unlabelled="ignore")
    evaluation.save(tmp_path / "e.parquet")
    loaded = Evaluation.load(tmp_path / "e.parquet")
    assert isinstance(loaded, SemanticEvaluation)
    assert loaded.summary == evaluation.summary
    assert loaded.counts == evaluation.counts
    assert loaded.protocol == evaluation.protocol
    assert loaded.fingerprints == evaluation.fingerprints
    assert np.array_equal(loaded.matches.confusion, evaluation.matches.confusion)


@pytest.mark.parametrize("task", ["detection", "semantic"])
def test_the_document_fits_its_schema_and_survives_json(task):
    evaluation = random_evaluation(0) if task == "detection" else evaluate(*semantic_pair(), "semantic")
    text = evaluation.to_json()
    document = json.loads(text)
    jsonschema.validate(document, msgspec.json.schema(EvaluationDocument))
    assert msgspec.json.decode(text, type=EvaluationDocument) == evaluation.document()
    assert document == json.loads(json.dumps(evaluation.to_dict()))
    assert Protocol.from_dict(document["protocol"]) == evaluation.protocol
    assert document["fingerprints"].keys() == {"ground_truth", "predictions", "protocol"}
    assert b"NaN" not in text


def test_undefined_numbers_are_null():
    truth, found = small([(0, 0, BOX)], [(0, 0, BOX, 0.9), (0, 1, FAR, 0.5)])
    document = evaluate(truth, found).to_dict()
    assert document["summary"]["AP_large"] is None
    assert document["labels"][1]["AP"] is None
    assert document["labels"][1]["false_positives"] == 1


def test_notebooks_get_tables():
    assert "<th>AP50</th>" in random_evaluation(0)._repr_html_()
    assert "<th>mIoU</th>" in evaluate(*semantic_pair(), "semantic")._repr_html_()


def test_fingerprints_tell_what_differs():
    one, other = random_evaluation(0), random_evaluation(1)
    assert one.fingerprints == random_evaluation(0).fingerprints
    assert one.fingerprints["ground_truth"] != other.fingerprints["ground_truth"]
    assert one.fingerprints["protocol"] == other.fingerprints["protocol"]


def test_causes_of_errors_need_the_objects(tmp_path):
    truth, found = small([(0, 0, BOX)], [(0, 0, BOX, 0.9), (0, 1, BOX, 0.5)])
    evaluation = evaluate(truth, found)
    assert isinstance(evaluation, DetectionEvaluation)
    assert evaluation.causes().cause.tolist() == [0, 2]
    evaluation.save(tmp_path / "e.parquet")
    loaded = Evaluation.load(tmp_path / "e.parquet")
    with pytest.raises(UsageError, match="causes of errors need ground truth"):
        loaded.causes()


def test_contradictions_are_refused():
    truth, found = small([(0, 0, BOX)], [(0, 0, BOX, 0.9)])
    with pytest.raises(UsageError, match="both a protocol and limits"):
        evaluate(truth, found, protocol=Protocol(), limits=(1,))
    with pytest.raises(UsageError, match="task 'instance', but a protocol of task 'detection'"):
        evaluate(truth, found, "instance", protocol=Protocol())


def test_masks_of_ground_truth_polygons():
    images, labels = Images(["a"], sizes=[[10, 10]]), Labels(["cat"])
    square = np.zeros((1, 10, 10), bool)
    square[0, 2:6, 3:8] = True
    outline = Polygons.from_rings([[[3, 2, 8, 2, 8, 6, 3, 6]]])
    truth = Dataset(images, labels, Annotations([0], [0], polygons=outline))
    found = Dataset(images, labels, Annotations([0], [0], score=[0.9], masks=Masks.from_dense(square)))
    assert evaluate(truth, found, "instance").matches.iou.tolist() == [1.0]
