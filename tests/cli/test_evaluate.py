"""rapideval evaluate: numbers, options, refusals, documents."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import rapideval


def test_the_numbers_and_the_labels_are_printed(run, folder):
    assert run("evaluate", "truth.json", "results.json").stdout == (
        "Detection: boxes  2 images · 2 labels · 2 objects · 3 detections\n"
        "\n"
        "     AP   AP50   AP75  AP small  AP medium  AP large\n"
        "  ──────────────────────────────────────────────────\n"
        "  0.550  1.000  0.500     0.100      1.000         –\n"
        "\n"
        "    AR1   AR10  AR100  AR small  AR medium  AR large\n"
        "  ──────────────────────────────────────────────────\n"
        "  0.550  0.550  0.550     0.100      1.000         –\n"
        "\n"
        "Labels  at score 0.5 and IoU 0.5\n"
        "  label  objects  detections     AP   AP50   AP75     AR  precision  recall     F1  best F1  at score\n"
        "  ───────────────────────────────────────────────────────────────────────────────────────────────────\n"
        "  cat          1           2  1.000  1.000  1.000  1.000      1.000   1.000  1.000    1.000     0.900\n"
        "  dog          1           1  0.100  1.000  0.000  0.100      1.000   1.000  1.000    1.000     0.800\n"
    )


def test_the_document_has_the_numbers_of_pycocotools(run_json, folder, capsys):
    truth = COCO("truth.json")
    reference = COCOeval(truth, truth.loadRes("results.json"), "bbox")
    reference.evaluate()
    reference.accumulate()
    reference.summarize()
    expected = [None if value < 0 else value for value in reference.stats.tolist()]
    document = run_json("evaluation", "evaluate", "truth.json", "results.json")
    assert list(document["summary"].values()) == expected
    assert document["counts"]["detections"] == 3
    assert [row["label"] for row in document["labels"]] == ["cat", "dog"]


def test_answers_of_an_endpoint_are_joined_by_url_tail_and_label_name(run_json, folder):
    document = run_json("evaluation", "evaluate", "truth.json", "answers")
    assert document["summary"]["AP"] == pytest.approx(1)


def test_a_single_answer_may_come_by_the_standard_input(run_json, folder):
    answer = (folder / "answers" / "batch.json").read_text()
    (folder / "names.txt").write_text("a.jpg\nb.jpg\n")
    document = run_json("evaluation", "evaluate", "truth.json", "-", "--image-names", "names.txt", stdin=answer)
    assert document["summary"]["AP"] == pytest.approx(1)


def test_both_from_the_standard_input_is_wrong_usage(run, folder):
    assert "only one of" in run("evaluate", "-", "-", code=2).stderr


def test_options_decide_what_is_counted(run_json, folder):
    document = run_json(
        "evaluation",
        "evaluate",
        "truth.json",
        "results.json",
        *["--iou", "0.4:0.6:0.1", "--areas", "tiny=0:1000,rest=1000:", "--max-dets", "1,5"],
        *["--class-agnostic", "--area-source", "box"],
    )
    protocol = document["protocol"]
    assert protocol["iou_thresholds"] == pytest.approx([0.4, 0.5, 0.6])
    assert [area["name"] for area in protocol["area_ranges"]] == ["all", "tiny", "rest"]
    assert protocol["area_ranges"][2] == {"name": "rest", "low": 1000.0, "high": 1e10}
    assert protocol["limits"] == [1, 5]
    assert protocol["class_agnostic"] is True
    assert protocol["area_source"] == "box"
    assert set(document["summary"]) == {"AP", "AP50", "AP_tiny", "AP_rest", "AR1", "AR5", "AR_tiny", "AR_rest"}


def test_thresholds_written_as_a_range_are_those_of_coco_to_the_bit(run_json, folder):
    plain = run_json("evaluation", "evaluate", "truth.json", "results.json")
    ranged = run_json("evaluation", "evaluate", "truth.json", "results.json", "--iou", "0.5:0.95:0.05")
    assert ranged["fingerprints"]["protocol"] == plain["fingerprints"]["protocol"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--iou", "half"], "--iou 'half': expected numbers with commas"),
        (["--iou", "0.5:0.9"], "expected FROM:TO:STEP"),
        (["--iou", "0.5:0.9:0"], "expected FROM:TO:STEP"),
        (["--iou", "0:1:0.00001"], "100,001 thresholds"),
        (["--iou", "0.9,0.5"], "expected values that rise"),
        (["--areas", "small"], "expected NAME=LOW:HIGH"),
        (["--areas", "small=1:2:3"], "expected NAME=LOW:HIGH"),
        (["--areas", "small=e:2"], "expected NAME=LOW:HIGH"),
        (["--max-dets", "ten"], "--max-dets 'ten'"),
        (["--max-dets", "0"], "limits"),
        (["--allow", "nonsense"], "no rule 'nonsense' to allow"),
        (["--label-map", "a="], "expected NAME=NAME"),
        (["--label-map", "a=b", "--label-map", "a=c"], "'a' is mapped to 'b' and to 'c'"),
        (["--from", "coca"], "did you mean coco"),
        (["--boxes", "xyxy"], "has no option 'boxes' to read"),
        (["--task", "classification"], "is not one of"),
        (["--score-threshold", "50"], "is not in the range"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(run, folder, arguments, message):
    assert message in run("evaluate", "truth.json", "results.json", *arguments, code=2).stderr


def test_a_label_map_joins_labels_of_other_names(run, run_json, folder):
    answer = json.loads((folder / "answers" / "batch.json").read_text())
    answer["result"] = answer["result"].replace("cat", "Cat")
    (folder / "answers" / "batch.json").write_text(json.dumps(answer))
    refused = run("evaluate", "truth.json", "answers", code=2).stderr
    assert "error[label-spelling]" in refused
    assert "--label-map" in refused
    for value in ("Cat=cat", "map.txt", "map.json"):
        (folder / "map.txt").write_text("Cat = cat\n\ncow=cow\n")
        (folder / "map.json").write_text('{"Cat": "cat"}')
        document = run_json("evaluation", "evaluate", "truth.json", "answers", "--label-map", value)
        assert document["summary"]["AP"] == pytest.approx(1)


def test_a_plausible_wrong_number_is_refused_and_may_be_allowed(run, run_json, folder):
    corners = [row | {"bbox": [200, 200, 250, 250]} for row in json.loads((folder / "results.json").read_text())]
    results = [row | {"score": 90.0} for row in corners]
    (folder / "results.json").write_text(json.dumps(results))
    refused = run("evaluate", "truth.json", "results.json", code=2)
    assert "error[score-percent]" in refused.stderr
    assert not refused.stdout
    document = run_json("refusal", "evaluate", "truth.json", "results.json", code=2)
    assert "score-percent" in {problem["rule"] for problem in document["problems"]}
    allowed = run("evaluate", "truth.json", "results.json", "--allow", "score-percent").stdout
    assert "warning[score-percent]" in allowed


def test_notes_of_reading_and_warnings_of_the_guards_are_told(run, run_json, folder):
    (folder / "answers" / "batch.json").write_text(
        json.dumps([{"boxes": [[10, 10, 50, 50]], "scores": [0.9], "labels": ["cat"]}])
    )
    (folder / "answers" / "batch.request.json").write_text('{"args": {"image_url": "a.jpg"}}')
    assert "warning[image-unanswered]" in run("evaluate", "truth.json", "answers").stdout
    document = run_json("evaluation", "evaluate", "truth.json", "answers")
    assert "image-unanswered" in {note["rule"] for note in document["notes"]}


def test_a_saved_evaluation_can_be_loaded(run, folder):
    assert "saved to v1.parquet" in run("evaluate", "truth.json", "results.json", "--save", "v1.parquet").stdout
    assert rapideval.Evaluation.load("v1.parquet").summary["AP"] == pytest.approx(0.55)


def test_masks_and_pixels_are_tasks(run_json, project_root):
    data = project_root / "rapideval" / "demo_data"
    masks = run_json(
        "evaluation",
        "evaluate",
        data / "ground_truth.json",
        data / "answers" / "v2-instance.json",
        "--task",
        "instance",
    )
    assert 0 < masks["summary"]["AP"] < 1
    pixels = run_json(
        "evaluation",
        "evaluate",
        data / "ground_truth_semantic.json",
        data / "answers" / "v2-semantic.json",
        "--task",
        "semantic",
    )
    assert 0 < pixels["summary"]["mIoU"] < 1
    assert pixels["task"] == "semantic"


def test_an_audit_by_the_reference_gives_the_same_numbers_and_says_so(run, folder):
    plain = run("evaluate", "truth.json", "results.json").stdout
    audit = run("evaluate", "truth.json", "results.json", "--engine", "pycocotools")
    assert audit.stdout == plain
    assert audit.stderr == "audit: precision, recall and scores of pycocotools are rapideval's, bit for bit\n"


def test_an_audit_that_finds_a_difference_fails(run, folder, monkeypatch):
    from rapideval.metrics import detection_evaluation

    real = detection_evaluation.accumulate
    monkeypatch.setattr(
        "rapideval.metrics.accumulate", lambda matches, threads: real(matches.replace(score=matches.score / 2), threads)
    )
    audit = run("evaluate", "truth.json", "results.json", "--engine", "pycocotools", code=1)
    assert "audit: scores of pycocotools differ" in audit.stderr


def test_fewer_rows_say_how_many_more_there_are(run, folder):
    assert "… 1 more labels: --rows -1" in run("evaluate", "truth.json", "results.json", "--rows", "1").stdout
    assert "Labels" not in run("evaluate", "truth.json", "results.json", "--rows", "0").stdout


def test_a_broken_file_is_refused_with_its_place(run, folder):
    (folder / "results.json").write_text('[{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3], "score": 0.5}]')
    assert "results.json: $[0].bbox" in run("evaluate", "truth.json", "results.json", code=2).stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["truth.json", "results.json"], 0),
        (["truth.json", "results.json", "--engine", "pycocotools"], 0),
        (["truth.json", "no.json"], 2),
        (["truth.json", "results.json", "--task", "nonsense"], 2),
        (["truth.json"], 2),
    ],
)
def test_the_real_command_exits_so(folder, project_root, arguments, code):
    done = subprocess.run(
        [sys.executable, "-m", "rapideval", "evaluate", *arguments],
        env={"PYTHONPATH": str(project_root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def test_operating_points_and_reliability_are_told_where_asked_for(run, run_json, folder):
    said = run("evaluate", "truth.json", "results.json", "--operating-points", "--reliability").stdout
    assert "Operating points" in said
    assert "ECE" in said
    document = run_json("evaluation", "evaluate", "truth.json", "results.json", "--target-precision", "0.9")
    assert [point["label"] for point in document["operating_points"]] == ["cat", "dog"]
    assert document["reliability"] is None
    assert (
        run_json("evaluation", "evaluate", "truth.json", "results.json", "--reliability")["reliability"]["count"] == 3
    )
