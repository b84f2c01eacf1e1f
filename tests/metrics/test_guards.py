"""What would give a plausible wrong number is found before scoring; honest data pass."""

import json

import numpy as np
import pytest

from rapideval import Annotations, Dataset, Images, Labels, Masks, Polygons, formats
from rapideval.errors import EvaluationError, UsageError
from rapideval.metrics.guards import RULES, check
from rapideval.model import Source, align

WIDTH, HEIGHT = 640, 480


def boxes(count, seed=0):
    """Boxes of all sizes anywhere in an image, as labelled objects are."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.uniform(np.log(6), np.log(300), (count, 2)))
    return np.hstack([rng.random((count, 2)) * ([WIDTH, HEIGHT] - size), size])


def dataset(box, scored=True, images=None, labels=("cat", "dog"), **columns):
    box = np.asarray(box, float)
    rng = np.random.default_rng(1)
    images = images or Images([f"{i}.jpg" for i in range(10)], sizes=[[HEIGHT, WIDTH]] * 10)
    labels = labels if isinstance(labels, Labels) else Labels(labels)
    columns.setdefault(
        "source", Source(["found.json: $[{row}]" if scored else "truth.json: $.annotations[{row}]"], range(len(box)))
    )
    columns.setdefault("score", rng.random(len(box)) if scored else None)
    columns.setdefault("label", rng.integers(0, len(labels), len(box)))
    return Dataset(images, labels, Annotations(image=np.arange(len(box)) % len(images), box=box, **columns))


def look(truth, found, task="detection", allow=()):
    return check(truth, found, align(truth, found), task, allow)


def refused(truth, found, task="detection"):
    """Messages of a refusal, which also must give way to `allow`."""
    with pytest.raises(EvaluationError) as error:
        look(truth, found, task)
    rules = {problem.rule for problem in error.value.problems if problem.severity == "error"}
    warned = look(truth, found, task, allow=rules)
    assert rules <= {problem.rule for problem in warned}
    assert {problem.severity for problem in warned if problem.rule in rules} == {"warning"}
    return rules, str(error.value)


TRUTH = dataset(boxes(200), scored=False)


def test_honest_data_pass_without_a_word():
    assert look(TRUTH, dataset(boxes(400, 2))) == ()
    assert look(TRUTH, dataset(boxes(3, 2))) == ()
    assert look(TRUTH, dataset(np.empty((0, 4)))) == ()
    assert look(dataset(np.empty((0, 4)), scored=False), dataset(boxes(10))) == ()


def test_boxes_that_are_corners_are_refused():
    box = boxes(50, 2)
    box[:, 2:] += box[:, :2]
    rules, text = refused(TRUTH, dataset(box))
    assert rules == {"box-corners"}
    assert text.startswith("found.json: $[0]: found box [")
    assert "on an image 640 wide and 480 high (then $[1], $[2]), expected x, y, width, height (50 times" in text
    assert (
        "hint: boxes look like x1, y1, x2, y2: subtract x1, y1 from x2, y2, or allow 'box-corners' if it is meant"
        in text
    )


def test_corners_are_seen_where_image_sizes_are_not_known():
    names = Images([f"{i}.jpg" for i in range(10)])
    box = boxes(50, 2)
    truth = dataset(boxes(200), scored=False, images=names)
    assert look(truth, dataset(box, images=names)) == ()
    box[:, 2:] += box[:, :2]
    assert refused(truth, dataset(box, images=names))[0] == {"box-corners"}


def test_corners_in_the_ground_truth_are_refused_too():
    box = boxes(50, 2)
    box[:, 2:] += box[:, :2]
    rules, text = refused(dataset(box, scored=False), dataset(boxes(50)))
    assert rules == {"box-corners"}
    assert "truth.json: $.annotations[0]" in text


def test_boxes_from_the_corner_that_fill_the_image_are_no_corners():
    rng = np.random.default_rng(0)
    box = np.hstack([rng.random((50, 2)) * 20, [[600, 440]] * 50])
    assert look(TRUTH, dataset(box)) == ()


@pytest.mark.parametrize("known", [True, False])
def test_normalised_boxes_are_refused(known):
    images = None if known else Images([f"{i}.jpg" for i in range(10)])
    box = boxes(50, 2) / [WIDTH, HEIGHT, WIDTH, HEIGHT]
    rules, text = refused(TRUTH, dataset(box, images=images))
    assert rules == {"box-normalised"}
    assert "expected pixels (50 times, this is the first)" in text
    assert "hint: boxes look like fractions of the image: multiply them by its width and height" in text


def test_small_boxes_are_not_taken_for_normalised_ones():
    box = boxes(50, 2)
    box[:, 2:] = 1.5
    assert look(TRUTH, dataset(box)) == ()


def test_negative_sizes_are_refused_and_empty_ones_said():
    box = boxes(50, 2)
    box[7, 2] = -3
    box[9, 3] = -1
    box[11, 3] = 0
    rules, text = refused(TRUTH, dataset(box))
    assert rules == {"box-negative"}
    assert "found.json: $[7]: found box [" in text
    assert "(then $[9]), expected width and height above 0 (2 times, this is the first)" in text
    assert "found.json: $[11]: found box" in text
    assert [p.rule for p in look(TRUTH, dataset(box), allow={"box-negative"})] == ["box-negative", "box-empty"]


def test_boxes_beyond_their_images_are_said_only_where_they_are_many():
    box = boxes(400, 2)
    box[5, 0] += 5000
    assert look(TRUTH, dataset(box)) == ()
    box[:20, 0] += 5000
    (warning,) = look(TRUTH, dataset(box))
    assert (warning.rule, warning.count) == ("box-outside", 20)
    assert "on an image 640 wide and 480 high" in warning.found


def test_predictions_of_a_smaller_resolution_are_said():
    (warning,) = look(TRUTH, dataset(boxes(400, 2) * 0.5))
    assert warning.rule == "box-scale"
    assert str(warning).startswith(
        "found.json: $[0]: found predictions that reach 50% of the width and 50% of the height"
    )


def test_scores_in_percent_are_refused():
    rules, text = refused(TRUTH, dataset(boxes(20), score=np.linspace(3, 97, 20)))
    assert rules == {"score-percent"}
    assert "found.json: $[0]: found score 3, and up to 97 (then $[1], $[2]), expected confidences from 0 to 1" in text
    assert "divide them by 100" in text


def test_scores_out_of_range_are_refused():
    rules, text = refused(TRUTH, dataset(boxes(20), score=np.linspace(-4, 4, 20)))
    assert rules == {"score-range"}
    assert "found.json: $[0]: found score -4" in text
    assert "logits" in text
    rules, text = refused(TRUTH, dataset(boxes(20), score=[*np.linspace(0, 1, 19), 1.5]))
    assert "found.json: $[19]: found score 1.5" in text


def test_rounding_above_1_is_no_finding():
    assert look(TRUTH, dataset(boxes(20), score=np.linspace(0, 1.0000002, 20))) == ()


def test_missing_scores_are_refused_but_not_where_masks_are_compared_as_classes():
    found = dataset(boxes(20), score=None)
    rules, text = refused(TRUTH, found)
    assert rules == {"score-missing"}
    assert "found predictions without scores, expected a score each" in text


def test_one_score_for_all_is_said():
    (warning,) = look(TRUTH, dataset(boxes(20), score=np.ones(20)))
    assert warning.rule == "score-constant"
    assert "found the score 1 for every prediction" in str(warning)


def test_swapped_arguments_are_refused():
    rules, text = refused(dataset(boxes(20)), TRUTH)
    assert rules == {"truth-scored", "score-missing"}
    assert "ground truth and predictions look swapped" in text


def test_labels_that_never_meet_are_refused():
    rules, text = refused(TRUTH, dataset(boxes(20), labels=["person", "car"]))
    assert rules == {"label-disjoint"}
    assert "2 such labels: 'person', 'car', expected a label of the ground truth (20 times" in text
    assert "the ground truth has 'cat', 'dog': give a label map" in text


def test_labels_named_by_number_get_the_hint_to_read_them_with_names():
    text = refused(TRUTH, dataset(boxes(20), labels=["17", "18"]))[1]
    assert "predictions name their labels by number: read them with the labels of the ground truth" in text


def test_unknown_labels_are_said_with_their_count():
    label = [0] * 18 + [2, 2]
    (warning,) = look(TRUTH, dataset(boxes(20), labels=["cat", "dog", "owl"], label=label))
    assert (warning.rule, warning.count, warning.where) == ("label-unknown", 2, "found.json: $[18]")
    assert look(TRUTH, dataset(boxes(20), labels=["cat", "dog", "owl"], label=[0, 1] * 10)) == ()


def test_labels_that_differ_in_spelling_are_refused():
    rules, text = refused(TRUTH, dataset(boxes(20), labels=["cat", "Dog "]))
    assert rules == {"label-spelling"}
    assert "'Dog ' looks like 'dog': map it (labels={'Dog ': 'dog'}, --label-map)" in text


def test_labels_that_match_by_id_but_not_by_name_are_refused():
    truth = dataset(boxes(20), scored=False, labels=Labels(["cat", "tv"], ids=[1, 2]))
    found = dataset(boxes(20), labels=Labels(["cat", "television"], ids=[1, 2]))
    rules, text = refused(truth, found)
    assert rules == {"label-renamed"}
    assert "'television' looks like 'tv'" in text


def test_shifted_label_ids_are_said():
    truth = dataset(boxes(20), scored=False, labels=Labels(["cat", "dog"], ids=[1, 2]))
    (warning,) = look(truth, dataset(boxes(20), labels=Labels(["dog", "cat"], ids=[1, 2])))
    assert warning.rule == "label-ids"
    assert "predictions: labels: found 'dog' with the id 1, expected 2, as in the ground truth" in str(warning)
    assert look(truth, dataset(boxes(20), labels=Labels(["cat", "dog"], ids=[0, 7]))) == ()


def test_images_that_never_meet_are_refused():
    rules, text = refused(TRUTH, dataset(boxes(20), images=Images(["x.jpg", "y.jpg"])))
    assert rules == {"image-disjoint"}
    assert "no image of the ground truth: 'x.jpg', 'y.jpg', expected images such as '0.jpg'" in text


def test_unknown_images_are_refused_with_their_predictions_counted():
    images = Images([*TRUTH.images.names, "x.jpg"])
    rules, text = refused(TRUTH, dataset(boxes(22), images=images))
    assert rules == {"image-unknown"}
    assert "found.json: $[10]: found 1 images that the ground truth does not have: 'x.jpg'" in text
    assert "(2 times, this is the first)" in text


def test_images_without_an_answer_are_said():
    (warning,) = look(TRUTH, dataset(boxes(20), images=Images(TRUTH.images.names[:8])))
    assert (warning.rule, warning.count) == ("image-unanswered", 2)
    assert "no answer for '8.jpg', '9.jpg'" in warning.found


def test_box_only_predictions_in_a_mask_task_are_refused():
    ring = [[10, 10, 50, 10, 50, 50]]
    truth = dataset(boxes(4), scored=False, polygons=Polygons.from_rings([ring] * 4))
    rules, text = refused(truth, dataset(boxes(20)), "instance")
    assert rules == {"mask-missing"}
    assert "found.json: $[0]: found boxes only (then $[1], $[2]), expected a mask (20 times" in text
    found = dataset(boxes(4), polygons=Polygons.from_rings([ring, ring, [], ring]))
    rules, text = refused(truth, found, "instance")
    assert "found.json: $[2]: found a box only, expected a mask" in text
    assert look(truth, found, "detection") == ()
    assert refused(
        dataset(boxes(4), scored=False),
        truth.replace(annotations=truth.annotations.replace(score=[0.1, 0.2, 0.3, 0.4])),
        "instance",
    )[0] == {"truth-mask-missing"}


def test_masks_of_another_size_are_refused_where_images_have_none():
    images = Images([f"{i}.jpg" for i in range(10)])

    def masks(height):
        return Masks.from_counts([[1, 5, height * 4 - 6]] * 4, [[height, 4]] * 4)

    truth = dataset(boxes(4), scored=False, images=images, masks=masks(5))
    rules, text = refused(truth, dataset(boxes(4), images=images, masks=masks(6)), "instance")
    assert rules == {"mask-size"}
    assert "found.json: $[0]: found a mask of height 6, width 4" in text
    assert look(truth, dataset(boxes(4), images=images, masks=masks(5)), "instance") == ()


def test_outlines_beyond_their_images_are_said():
    ring = [[10, 10, 5000, 10, 50, 50]]
    truth = dataset(boxes(4), scored=False, polygons=Polygons.from_rings([[[10, 10, 50, 10, 50, 50]]] * 4))
    (warning,) = look(truth, dataset(boxes(4), polygons=Polygons.from_rings([ring] * 4)), "instance")
    assert (warning.rule, warning.count) == ("outline-outside", 4)


def test_repeated_and_zero_ids_of_ground_truth():
    rules, text = refused(dataset(boxes(5), scored=False, ids=[1, 2, 3, 2, 3]), dataset(boxes(20)))
    assert rules == {"id-duplicate"}
    assert (
        "truth.json: $.annotations[3]: found id 2 once more (then $.annotations[4]), expected unique ids (2 times"
        in text
    )
    (warning,) = look(dataset(boxes(5), scored=False, ids=[0, 1, 2, 3, 4]), dataset(boxes(20)))
    assert warning.rule == "id-zero"
    assert "truth.json: $.annotations[0]: found id 0" in str(warning)


def test_all_refusals_are_told_at_once():
    found = dataset(boxes(20) / 700, labels=["Cat", "dog"], score=np.linspace(3, 97, 20))
    rules, text = refused(TRUTH, found)
    assert rules == {"box-normalised", "label-spelling", "score-percent"}
    assert text.count("[box-normalised]") == 1


def test_allowing_an_unknown_rule_is_wrong_usage():
    with pytest.raises(UsageError, match="no rule 'box-corner' to allow: there are box-corners, "):
        look(TRUTH, TRUTH, allow={"box-corner"})


def test_an_allowed_warning_is_only_told():
    (told,) = look(TRUTH, dataset(boxes(20), score=np.ones(20)), allow={"score-constant"})
    assert told.severity == "info"


def test_every_rule_says_why():
    assert all(rule.reason and rule.id == name for name, rule in RULES.items())
    assert {rule.severity for rule in RULES.values()} == {"refuse", "warn"}


def test_honest_results_of_coco_pass(shared_data):
    folder = shared_data / "coco-val2014-100"
    truth = formats.read(folder / "instances_val2014_100.json")
    for name, task in (("bbox", "detection"), ("segm", "instance")):
        path = folder / f"instances_val2014_fake{name}100_results.json"
        assert look(truth, formats.read(path, images=truth, labels=truth), task) == ()


def test_coco_boxes_turned_into_corners_or_fractions_are_refused(shared_data):
    folder = shared_data / "coco-val2014-100"
    truth = formats.read(folder / "instances_val2014_100.json")
    rows = json.loads((folder / "instances_val2014_fakebbox100_results.json").read_bytes())
    sizes = dict(zip(truth.images.ids.tolist(), truth.images.sizes.tolist(), strict=True))
    corners, fractions = [], []
    for row in rows:
        (x, y, w, h), (height, width) = row["bbox"], sizes[row["image_id"]]
        corners.append(row | {"bbox": [x, y, x + w, y + h]})
        fractions.append(row | {"bbox": [x / width, y / height, w / width, h / height]})
    for changed, rule in ((corners, "box-corners"), (fractions, "box-normalised")):
        found = formats.read(json.dumps(changed).encode(), images=truth, labels=truth)
        assert refused(truth, found)[0] == {rule}


def test_honest_detections_of_voc_pass(shared_data):
    truth = formats.read(shared_data / "voc2007-100/gts/coco_format_v2/instances_v2.json")
    found = formats.read(shared_data / "voc2007-100/dets/coco_format/coco_dets.json")
    assert [p.rule for p in look(truth, found)] == ["image-unanswered", "label-ids"]
