"""Matching and accumulation against pycocotools, bit for bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapideval import _core
from tests.helpers.coco_oracle import AREAS, Problem, coco_eval, problems
from tests.helpers.masks import columns, runs_of

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)


def shapes(problem, side, kind):
    if kind == "bbox":
        return problem.boxes(side)
    masks = problem.masks(side)
    return columns([runs_of(mask) for mask in masks], [mask.shape for mask in masks])


def match(problem, kind, areas=AREAS, limit=100, thresholds=THRESHOLDS, **options):
    found_area = (
        [row["bbox"][2] * row["bbox"][3] for row in problem.found]
        if kind == "bbox"
        else [row["mask"].sum() for row in problem.found]
    )
    return _core.match(
        problem.column("found", "image", np.int32),
        problem.column("found", "label", np.int32),
        problem.column("found", "score", np.float64),
        np.array(found_area, np.float64),
        shapes(problem, "found", kind),
        problem.column("truth", "image", np.int32),
        problem.column("truth", "label", np.int32),
        problem.column("truth", "area", np.float64),
        shapes(problem, "truth", kind),
        problem.column("truth", "crowd", np.bool_),
        None,
        np.arange(problem.images, dtype=np.int32),
        problem.labels,
        np.asarray(thresholds, np.float64),
        np.asarray(areas, np.float64),
        limit,
        **options,
    )


def accumulate(problem, table, areas=AREAS, limits=(1, 10, 100), thresholds=THRESHOLDS, recalls=RECALLS, threads=0):
    blocks = len(table["label_offsets"]) - 1
    label = problem.column("truth", "label", np.int64) * (blocks > 1)
    positives = np.zeros((blocks, len(areas)), np.int64)
    for a in range(len(areas)):
        counts = (table["object_ignored"] >> np.uint64(a)) & np.uint64(1) == 0
        positives[:, a] = np.bincount(label[counts], minlength=blocks)
    names = ("label_offsets", "score", "rank", "matched", "ignored")
    precision, recall, scores = _core.accumulate(
        *(table[name] for name in names), len(thresholds), positives, recalls, np.array(limits, np.int64), threads
    )
    return precision.transpose(2, 3, 4, 0, 1), recall.transpose(2, 3, 0, 1), scores.transpose(2, 3, 4, 0, 1)


def assert_equal_to_the_reference(ours, reference):
    for name, values in zip(("precision", "recall", "scores"), ours, strict=True):
        assert values.shape == reference.eval[name].shape
        assert values.tobytes() == reference.eval[name].tobytes(), name


@pytest.mark.parametrize("kind", ["bbox", "segm"])
@settings(max_examples=60, deadline=None)
@given(problem=problems())
def test_curves_have_the_bits_of_pycocotools(kind, problem):
    table = match(problem, kind)
    assert_equal_to_the_reference(accumulate(problem, table), coco_eval(problem, kind))


@settings(max_examples=50, deadline=None)
@given(problem=problems(), limits=st.lists(st.integers(1, 7), min_size=3, max_size=3, unique=True).map(sorted))
def test_odd_limits_and_other_thresholds(problem, limits):
    thresholds, recalls = [0.0, 0.3, 0.55, 1.0], np.array([0.0, 0.1, 1 / 3, 0.35, 0.57, 0.99, 1.0])
    areas = [[0.0, 1e10], [10.0, 12.0], [10.0, 40.0]]
    table = match(problem, "bbox", areas, limits[-1], thresholds)
    ours = accumulate(problem, table, areas, limits, thresholds, recalls)
    assert_equal_to_the_reference(ours, coco_eval(problem, "bbox", areas, limits, thresholds, recalls))


@settings(max_examples=50, deadline=None)
@given(problem=problems())
def test_without_labels_all_are_one(problem):
    table = match(problem, "bbox", class_agnostic=True)
    assert table["label_offsets"].tolist() == [0, len(table["row"])]
    assert_equal_to_the_reference(accumulate(problem, table), coco_eval(problem, "bbox", use_cats=False))


@settings(max_examples=40, deadline=None)
@given(problem=problems())
def test_bits_of_each_detection_and_object_are_those_of_the_reference(problem):
    table = match(problem, "bbox")
    reference = coco_eval(problem, "bbox")
    images = {image_id: i for i, image_id in enumerate(problem.image_ids)}
    place = {int(row): at for at, row in enumerate(table["row"])}
    seen = 0
    for entry in reference.evalImgs:
        if entry is None:
            continue
        a = AREAS.index(list(entry["aRng"]))
        for d, row_id in enumerate(entry["dtIds"]):
            at = place[row_id - 1]
            assert table["image"][at] == images[entry["image_id"]]
            assert table["rank"][at] == d
            for t in range(len(THRESHOLDS)):
                bit = np.uint64(a * len(THRESHOLDS) + t)
                assert (table["matched"][at, 0] >> bit) & np.uint64(1) == (entry["dtMatches"][t, d] > 0)
                assert (table["ignored"][at, 0] >> bit) & np.uint64(1) == entry["dtIgnore"][t, d]
            if a == 0:
                assert table["matched_row"][at] == entry["dtMatches"][0, d] - 1
                seen += 1
        # the reference sorts objects for ignored ones last, so they are found again by id
        for g, row_id in enumerate(entry["gtIds"]):
            flags = table["object_ignored"][row_id - 1]
            assert (flags >> np.uint64(a)) & np.uint64(1) == entry["gtIgnore"][g]
            for t in range(len(THRESHOLDS)):
                bit = np.uint64(a * len(THRESHOLDS) + t)
                assert (table["object_matched"][row_id - 1, 0] >> bit) & np.uint64(1) == (entry["gtMatches"][t, g] > 0)
    assert seen == len(table["row"])


def random_problem(seed, images=40, labels=12, truth=400, found=6000):
    rng = np.random.default_rng(seed)
    made = Problem(images, labels)
    for side, count in (("truth", truth), ("found", found)):
        corner, size = rng.integers(0, 10, (count, 2)), rng.integers(1, 7, (count, 2))
        columns_of = (
            rng.integers(0, images, count),
            rng.integers(0, labels, count),
            np.hstack([corner, size]).astype(float),
            rng.random(count) < 0.1,
            rng.random(count) if side == "found" else rng.choice([10.0, 40.0, 90.0], count),
        )
        for image, label, box, crowd, number in zip(*columns_of, strict=True):
            name = "score" if side == "found" else "area"
            row = {"image": int(image), "label": int(label), "bbox": box.tolist(), "crowd": bool(crowd)}
            getattr(made, side).append(row | {name: float(number), "mask": None})
    return made


def test_many_detections_are_sorted_and_cut_as_the_reference_does(monkeypatch):
    problem = random_problem(1, images=3, labels=2, truth=60, found=5000)
    table = match(problem, "bbox", limit=900)
    ours = accumulate(problem, table, limits=(1, 500, 900))
    for row in problem.truth + problem.found:
        row["mask"] = np.zeros((1, 1), np.uint8)
    assert_equal_to_the_reference(ours, coco_eval(problem, "bbox", limits=(1, 500, 900)))


def test_the_number_of_threads_changes_nothing():
    problem = random_problem(2, images=3000, labels=300, truth=3000, found=40000)
    tables = [match(problem, "bbox", threads=threads) for threads in (1, 2, 5)]
    curves = [accumulate(problem, table, threads=threads) for table, threads in zip(tables, (1, 2, 5), strict=True)]
    for table, curve in zip(tables[1:], curves[1:], strict=True):
        assert all(table[name].tobytes() == tables[0][name].tobytes() for name in table)
        assert all(a.tobytes() == b.tobytes() for a, b in zip(curve, curves[0], strict=True))


def test_rows_stand_by_label_then_falling_score_then_image_rank():
    rows = [(0, 1, 0.5), (1, 0, 0.2), (1, 1, 0.5), (0, 0, 0.9), (1, 0, 0.9)]
    problem = Problem(
        2, 2, [], [{"image": i, "label": k, "score": s, "bbox": [0.0, 0.0, 1.0, 1.0]} for i, k, s in rows]
    )
    assert match(problem, "bbox")["row"].tolist() == [3, 4, 1, 0, 2]
    problem.found.reverse()
    assert match(problem, "bbox")["row"].tolist() == [1, 0, 3, 4, 2]


def test_a_row_tells_its_best_overlap_and_its_match():
    box = [0.0, 0.0, 10.0, 10.0]
    truth = [
        {"image": 0, "label": 0, "bbox": box, "area": 100.0, "crowd": False},
        {"image": 0, "label": 0, "bbox": [0.0, 0.0, 10.0, 8.0], "area": 80.0, "crowd": False},
        {"image": 0, "label": 0, "bbox": [40.0, 40.0, 50.0, 50.0], "area": 2500.0, "crowd": True},
    ]
    found = [
        {"image": 0, "label": 0, "bbox": box, "score": 0.9},  # exactly the first
        {"image": 0, "label": 0, "bbox": box, "score": 0.8},  # the first is taken: the second is left for it
        {"image": 0, "label": 0, "bbox": [45.0, 45.0, 9.0, 9.0], "score": 0.7},  # inside the crowd
        {"image": 0, "label": 0, "bbox": [9.0, 0.0, 10.0, 10.0], "score": 0.6},  # touches the first: below the floor
    ]
    table = match(Problem(1, 1, truth, found), "bbox")
    assert table["iou"].tolist() == [1.0, 1.0, 0.0, 0.0]
    assert table["iou_row"].tolist() == [0, 0, -1, -1]
    assert table["matched_row"].tolist() == [0, 1, 2, -1]
    assert table["matched_iou"].tolist() == [1.0, 0.8, 1.0, 0.0]
    assert (table["matched"][:, 0] & np.uint64(1)).tolist() == [1, 1, 1, 0]
    assert (table["ignored"][:, 0] & np.uint64(1)).tolist() == [0, 0, 1, 0]


def test_more_than_64_bits_spread_over_words():
    problem = random_problem(3, images=5, labels=2, truth=40, found=200)
    thresholds = np.linspace(0.05, 0.95, 37)
    areas = [[0.0, 1e10], [0.0, 20.0], [20.0, 50.0], [50.0, 1e10], [5.0, 45.0]]
    table = match(problem, "bbox", areas, 100, thresholds)
    assert table["matched"].shape == (200, 3)
    for row in problem.truth + problem.found:
        row["mask"] = np.zeros((1, 1), np.uint8)
    ours = accumulate(problem, table, areas, (1, 10, 100), thresholds)
    assert_equal_to_the_reference(ours, coco_eval(problem, "bbox", areas, (1, 10, 100), thresholds))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"image": 9}, "column-range"),
        ({"label": -1}, "column-range"),
        ({"score": float("nan")}, "not-finite"),
        ({"bbox": [0.0, 0.0, float("inf"), 1.0]}, "box-extent"),
        ({"bbox": [0.0, 0.0, 1e200, 1e200]}, "box-extent"),
        ({"bbox": [0.0, 0.0, 1e-200, 1e-200]}, "box-extent"),
    ],
)
def test_bad_rows_are_refused_by_number(change, rule):
    row = {"image": 0, "label": 0, "bbox": [0.0, 0.0, 1.0, 1.0], "score": 0.5}
    problem = Problem(1, 1, [], [row, row | change])
    with np.errstate(all="ignore"), pytest.raises(_core.CoreError) as caught:
        match(problem, "bbox")
    assert (caught.value.rule, caught.value.row) == (rule, 1)


def test_a_mask_of_another_size_is_refused():
    truth = [{"image": 0, "label": 0, "area": 4.0, "crowd": False, "mask": np.ones((2, 2), np.uint8), "bbox": [0] * 4}]
    found = [{"image": 0, "label": 0, "score": 0.5, "mask": np.ones((1, 4), np.uint8), "bbox": [0] * 4}]
    with pytest.raises(_core.CoreError, match="2 x 2") as caught:
        match(Problem(1, 1, truth, found), "segm")
    assert caught.value.rule == "mask-size"
