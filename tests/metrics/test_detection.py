"""The numbers of detection and instance segmentation against pycocotools, and what they mean where it has none."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import rapideval
from rapideval import Annotations, Dataset, Images, Labels, Masks, Protocol, evaluate
from rapideval.errors import EvaluationError, UsageError
from rapideval.metrics.guards import RULES
from tests.helpers.coco_oracle import AREAS, Problem, coco_eval, problems
from tests.helpers.datasets import datasets
from tests.helpers.masks import from_dense
from tests.helpers.rows import BOX, FAR, small

TASKS = {"bbox": "detection", "segm": "instance"}
SMALL = [(name, low, high) for name, (low, high) in zip(("all", "small", "medium", "large"), AREAS, strict=True)]


def assert_same(evaluation, reference):
    with contextlib.redirect_stdout(io.StringIO()):
        reference.summarize()
    numbers = np.array(list(evaluation.summary.values()))
    assert np.where(np.isnan(numbers), -1.0, numbers).tobytes() == reference.stats.tobytes()
    exported = evaluation.to_pycocotools()
    assert exported["counts"] == list(reference.eval["counts"])
    for name in ("precision", "recall", "scores"):
        assert exported[name].tobytes() == reference.eval[name].tobytes(), name


@pytest.mark.parametrize("kind", ["bbox", "segm"])
@settings(max_examples=40, deadline=None)
@given(problem=problems(), seed=st.integers(0, 2**32))
def test_twelve_numbers_and_curves_have_the_bits_of_pycocotools(kind, problem, seed):
    truth, found = datasets(problem, kind, np.random.default_rng(seed))
    evaluation = evaluate(truth, found, TASKS[kind], area_ranges=SMALL, allow=RULES)
    assert_same(evaluation, coco_eval(problem, kind))


@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_real_results(shared_data, kind):
    folder = shared_data / "coco-val2014-100"
    truth_file = folder / "instances_val2014_100.json"
    found_file = folder / f"instances_val2014_fake{kind}100_results.json"
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(truth_file)
        reference = COCOeval(truth, truth.loadRes(str(found_file)), kind)
        reference.evaluate()
        reference.accumulate()
    ours = rapideval.read(truth_file)
    found = rapideval.read(found_file, images=ours.images, labels=ours.labels)
    evaluation = evaluate(ours, found, TASKS[kind])
    assert_same(evaluation, reference)
    published = {"bbox": ("0.505", "0.697", "0.573"), "segm": ("0.320", "0.562", "0.299")}[kind]
    assert tuple(f"{evaluation.summary[name]:.3f}" for name in ("AP", "AP50", "AP75")) == published


def test_the_first_id_may_be_zero():
    """pycocotools takes object 0 for no match."""
    problem = Problem(1, 1, [{"image": 0, "label": 0, "bbox": BOX, "area": 100.0, "crowd": False}], [])
    truth, _ = datasets(problem, "bbox")
    truth = truth.replace(annotations=truth.annotations.replace(ids=[0]))
    found = truth.replace(annotations=truth.annotations.replace(score=[0.9]))
    assert evaluate(truth, found).summary["AP50"] == pytest.approx(1)


def test_limits_other_than_100_give_numbers_not_minus_one():
    rows = [(0, 0, BOX, 0.9 - 0.01 * i) for i in range(20)]
    evaluation = evaluate(*small([(0, 0, BOX)], rows), limits=(1, 10, 500))
    assert list(evaluation.summary)[6:9] == ["AR1", "AR10", "AR500"]
    assert evaluation.summary["AP"] == pytest.approx(1)
    assert evaluate(*small([(0, 0, BOX)], rows), limits=(7,)).summary["AP"] == pytest.approx(1)


def test_a_label_without_objects_is_undefined_and_stays_out_of_means():
    evaluation = evaluate(*small([(0, 0, BOX)], [(0, 0, BOX, 0.9), (0, 1, FAR, 0.8)]))
    assert evaluation.average_precision(label="cat") == pytest.approx(1)
    assert np.isnan(evaluation.average_precision(label="dog"))
    assert np.isnan(evaluation.curves.precision[:, :, 1]).all()
    assert evaluation.summary["AP"] == pytest.approx(1)


def test_detections_of_an_unknown_label_are_counted_and_said():
    truth, found = small([(0, 0, BOX)], [(0, 1, BOX, 0.9)], found_labels=("cat", "tiger"))
    evaluation = evaluate(truth, found, allow=["label-disjoint"])
    assert evaluation.labels.names == ("cat", "dog", "tiger")
    assert evaluation.matches.is_false().tolist() == [True]
    assert [note.rule for note in evaluation.notes] == ["label-disjoint"]
    assert "'tiger'" in repr(evaluation)
    assert evaluation.to_pycocotools()["counts"][2] == 2


def test_no_detections_at_all_is_zero_and_no_objects_at_all_is_undefined():
    nothing_found = evaluate(*small([(0, 0, BOX)], []))
    assert nothing_found.summary["AP"] == 0
    nothing_there = evaluate(*small([], [(0, 0, BOX, 0.5)]))
    assert all(np.isnan(value) for value in nothing_there.summary.values())


def test_labels_are_joined_by_name_and_images_by_tail():
    truth, found = small([(1, 1, BOX)], [(1, 0, BOX, 0.9)], found_labels=("dog", "cat"))
    found = found.replace(images=Images(["https://host/a/0.jpg?x=1", "s3://bucket/1.jpg"]))
    assert evaluate(truth, found).summary["AP"] == pytest.approx(1)


def test_predictions_on_other_images_are_left_out_and_said():
    truth, found = small([(0, 0, BOX)], [(0, 0, BOX, 0.9), (1, 0, BOX, 0.8)])
    found = found.replace(images=Images(["0.jpg", "other.jpg"]))
    with pytest.raises(EvaluationError, match=r"'other\.jpg'"):
        evaluate(truth, found)
    evaluation = evaluate(truth, found, allow=["image-unknown"])
    assert len(evaluation.matches) == 1
    assert [note.rule for note in evaluation.notes] == ["image-unknown", "image-unanswered"]


def test_ground_truth_as_predictions_is_refused():
    truth, found = small([(0, 0, BOX)], [(0, 0, BOX, 0.9)])
    with pytest.raises(EvaluationError, match="swapped"):
        evaluate(found, truth)


def test_boxes_in_a_mask_task_are_refused():
    with pytest.raises(EvaluationError, match="boxes only") as caught:
        evaluate(*small([(0, 0, BOX)], [(0, 0, BOX, 0.9)]), task="instance")
    assert [problem.rule for problem in caught.value.problems] == ["truth-mask-missing", "mask-missing"]


def test_a_kernels_refusal_names_the_row():
    truth, found = small([(0, 0, BOX)], [(0, 0, BOX, 0.9), (0, 0, BOX, 0.8)])
    huge = found.annotations.replace(box=[BOX, [0, 0, 1e200, 1e200]], area=[100.0, 100.0])
    with pytest.raises(EvaluationError, match=r"predictions: annotations\[1\]: box") as caught:
        evaluate(truth, found.replace(annotations=huge), area_source="given")
    assert caught.value.rule == "box-extent"


def test_the_size_of_a_mask_result_goes_by_box_or_mask():
    """An L of 10 x 10 has 19 pixels: under 30 by its mask, over it by its box."""
    dense = np.zeros((1, 16, 16), np.uint8)
    dense[0, :10, 0] = dense[0, 0, :10] = 1
    masks, rest = Masks(*from_dense(dense)), Masks(*from_dense(1 - dense))
    images, labels = Images(["a"], sizes=[[16, 16]]), Labels(["cat"])
    truth = Dataset(images, labels, Annotations([0], [0], [FAR], area=[100.0], masks=rest))
    bare = Dataset(images, labels, Annotations([0], [0], score=[0.9], masks=masks))
    boxed = Dataset(images, labels, Annotations([0], [0], [BOX], [0.9], masks=masks))

    def small_detections(found, source):
        made = evaluate(truth, found, "instance", area_ranges=SMALL, area_source=source)
        return int((~made.matches.is_ignored(area="small")).sum())

    assert [small_detections(bare, source) for source in ("coco", "mask", "box")] == [1, 1, 0]
    assert [small_detections(boxed, source) for source in ("coco", "mask", "box", "given")] == [0, 1, 0, 1]


def test_numbers_that_were_not_matched_are_refused_by_name():
    evaluation = evaluate(*small([(0, 0, BOX)], [(0, 0, BOX, 0.9)]))
    with pytest.raises(UsageError, match=r"no IoU threshold 0\.3"):
        evaluation.average_precision(iou=0.3)
    with pytest.raises(UsageError, match="no area range 'tiny'"):
        evaluation.average_precision(area="tiny")
    with pytest.raises(UsageError, match="no limit of 5"):
        evaluation.average_recall(limit=5)
    with pytest.raises(KeyError, match="did you mean 'cat'"):
        evaluation.average_precision(label="cats")


def test_ap_by_label_averages_to_ap():
    rng = np.random.default_rng(0)
    truth = [
        (int(rng.integers(2)), int(rng.integers(2)), [*rng.integers(0, 30, 2).tolist(), 10, 10]) for _ in range(20)
    ]
    found = [(i, k, [x + int(rng.integers(3)), y, w, h], float(rng.random())) for i, k, (x, y, w, h) in truth]
    evaluation = evaluate(*small(truth, found))
    assert np.nanmean(evaluation.curves.by_label("AP")) == pytest.approx(evaluation.summary["AP"])
    assert np.nanmean(evaluation.curves.by_label("AR", limit=1)) == pytest.approx(evaluation.summary["AR1"])


def test_class_agnostic_matching_ignores_labels():
    truth, found = small([(0, 0, BOX)], [(0, 1, BOX, 0.9)])
    assert evaluate(truth, found).summary["AP"] == 0
    assert evaluate(truth, found, class_agnostic=True).summary["AP"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"iou_thresholds": (0.5, 0.5)}, "rise"),
        ({"iou_thresholds": (1.5,)}, "from 0 to 1"),
        ({"limits": ()}, "0 values"),
        ({"area_ranges": (("all", 5, 1),)}, "no range"),
        ({"task": "boxes"}, "there are detection"),
    ],
)
def test_protocols_that_make_no_sense_are_refused(fields, message):
    with pytest.raises(UsageError, match=message):
        Protocol(**fields)


def test_a_protocol_survives_json_and_tells_its_differences():
    protocol = Protocol(task="instance", limits=(5, 50), area_ranges=(("all", 0, 1e9),), unlabelled="ignore")
    assert Protocol.from_dict(protocol.to_dict()) == protocol
    assert protocol.fingerprint() == Protocol.from_dict(protocol.to_dict()).fingerprint()
    assert set(protocol.differences(Protocol())) == {"task", "limits", "area_ranges", "unlabelled"}
    assert Protocol().fingerprint() != protocol.fingerprint()
