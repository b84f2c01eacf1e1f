"""rapideval inspect and rapideval validate."""

from __future__ import annotations

import json

import pytest


def test_inspect_says_what_it_is_and_why(run, folder):
    text = run("inspect", "results.json").stdout
    assert text.startswith("results.json  COCO results: predictions as one JSON array\n")
    assert "a JSON array of objects with image_id, category_id, bbox" in text
    assert "predictions  3: 3 boxes" in text
    assert "from 0.5  2 of 3" in text


def test_inspect_counts(run_json, folder):
    seen = run_json("inspection", "inspect", "truth.json")
    assert seen["format"] == "coco"
    assert seen["predictions"] is False
    assert seen["counts"] == {
        "images": 2,
        "images_without_annotations": 0,
        "images_of_unknown_size": 0,
        "labels": 2,
        "labels_without_annotations": 0,
        "annotations": 2,
        "boxes": 2,
        "masks": 0,
        "outlines": 0,
        "crowds": 0,
    }
    assert seen["areas"] == {"small": 1, "medium": 1, "large": 0}
    assert seen["widths"] == {"least": 100.0, "median": 100.0, "most": 100.0}
    assert seen["scores"] is None
    assert seen["tasks"] is None
    assert seen["labels"][1] == {
        "label": "dog",
        "id": 2,
        "annotations": 1,
        "images": 1,
        "median_area": 600.0,
        "median_score": None,
    }


def test_inspect_spreads_the_scores(run_json, folder):
    scores = run_json("inspection", "inspect", "results.json")["scores"]
    assert scores["histogram"][18] == 1
    assert sum(scores["histogram"]) == 3
    assert (scores["least"], scores["most"], scores["at_least_half"], scores["distinct"]) == (0.3, 0.9, 2, 3)


def test_inspect_counts_the_tasks_of_answers(run, run_json, folder):
    (folder / "answers" / "later.json").write_text('{"state": "PENDING"}')
    assert "tasks        1 finished, 1 pending" in run("inspect", "answers").stdout
    assert run_json("inspection", "inspect", "answers")["tasks"]["pending"] == 1
    assert "not finished" in run("inspect", "answers/later.json", code=2).stderr


def test_inspect_shows_what_is_suspicious(run, folder):
    results = [row | {"bbox": [5, 5, -3, 4]} for row in json.loads((folder / "results.json").read_text())]
    (folder / "results.json").write_text(json.dumps(results))
    assert "error[box-negative]: results.json: $[0]" in run("inspect", "results.json").stdout


def test_inspect_of_nothing_known_says_what_is(run, folder):
    (folder / "a.bin").write_bytes(b"\x00\x01")
    assert "error[format-unknown]: a.bin" in run("inspect", "a.bin", code=2).stderr
    (folder / "empty").mkdir()
    assert "error[format-unknown]: empty" in run("inspect", "empty", code=2).stderr


def test_inspect_of_an_empty_dataset(run, folder):
    (folder / "none.json").write_text('{"images": [], "categories": [], "annotations": []}')
    assert "annotations  0" in run("inspect", "none.json").stdout


def test_a_label_cannot_drive_the_terminal(run, folder):
    document = json.loads((folder / "truth.json").read_text())
    document["categories"][0]["name"] = "cat\x1b[2J\u202egod"
    (folder / "truth.json").write_text(json.dumps(document))
    text = run("inspect", "truth.json").stdout
    assert "\x1b" not in text
    assert "cat\\x1b[2J\\u202egod" in text


@pytest.mark.parametrize("what", [["--boxes", "xywh"], ["--from", "scale-rapid"]])
def test_what_an_answer_leaves_open_can_be_said(run_json, folder, what):
    seen = run_json("inspection", "inspect", "answers/batch.json", *what)
    assert seen["format"] == "scale-rapid"


def test_labels_that_are_numbers_get_names(run_json, folder):
    (folder / "n.json").write_text('[{"boxes": [[1, 2, 30, 40]], "scores": [0.9], "labels": [1]}]')
    (folder / "names.txt").write_text("cat\ndog\n")
    (folder / "names.json").write_text('{"1": "dog"}')
    for given in ("cat,dog", "names.txt", "names.json"):
        labels = run_json("inspection", "inspect", "n.json", "--labels", given)["labels"]
        assert [row["label"] for row in labels if row["annotations"]] == ["dog"]


@pytest.mark.parametrize(
    ("value", "expected"), [("80x100", [80, 100]), ("80,100", [80, 100]), ("truth.json", [80, 100])]
)
def test_sizes_are_given_or_those_of_a_dataset(run_json, folder, value, expected):
    seen = run_json("inspection", "inspect", "answers", "--sizes", value)
    assert [seen["heights"]["most"], seen["widths"]["most"]] == expected


def test_images_may_be_named_by_a_folder_of_pictures(run_json, run, folder):
    (folder / "pictures").mkdir()
    for name in ("b.jpg", "a.jpg", "notes.txt"):
        (folder / "pictures" / name).write_bytes(b"")
    (folder / "answers" / "batch.request.json").unlink()
    seen = run_json("inspection", "inspect", "answers/batch.json", "--image-names", "pictures")
    assert not [problem for problem in seen["problems"] if problem["rule"] == "image-keys"]
    (folder / "bare").mkdir()
    assert "a folder without pictures" in run("inspect", "answers", "--image-names", "bare", code=2).stderr


# --- validate --------------------------------------------------------------------------------------


def test_valid_files_exit_with_0(run, run_json, folder):
    assert run("validate", "truth.json", "answers").stdout.count("  valid\n") == 2
    document = run_json("validation", "validate", "truth.json")
    assert document["valid"] is True
    assert document["files"][0]["format"] == "coco"


def test_a_file_that_cannot_be_trusted_exits_with_1_and_all_its_problems(run, run_json, folder):
    rows = [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3], "score": "high"} for _ in range(3)]
    (folder / "results.json").write_text(json.dumps(rows))
    text = run("validate", "truth.json", "results.json", code=1).stdout
    assert "truth.json  coco  valid" in text
    assert "results.json: $[0].bbox" in text
    document = run_json("validation", "validate", "results.json", code=1)
    assert document["valid"] is False
    assert document["files"][0]["problem_count"] >= 6
    assert document["files"][0]["format"] is None


def test_warnings_count_only_where_asked(run, folder):
    results = [row | {"score": 0.5} for row in json.loads((folder / "results.json").read_text())]
    (folder / "results.json").write_text(json.dumps(results))
    assert "warning[score-constant]" in run("validate", "results.json").stdout
    run("validate", "results.json", "--strict", code=1)


def test_predictions_are_checked_against_their_ground_truth(run, run_json, folder):
    results = [
        row | {"score": 0.1 * row["score"], "image_id": 7} for row in json.loads((folder / "results.json").read_text())
    ]
    (folder / "results.json").write_text(json.dumps(results))
    run("validate", "results.json")
    document = run_json("validation", "validate", "results.json", "--ground-truth", "truth.json", code=1)
    assert "image-disjoint" in {problem["rule"] for problem in document["files"][0]["problems"]}
    run("validate", "results.json", "--ground-truth", "truth.json", "--allow", "image-disjoint")


def test_problems_as_annotations_of_github(run, folder):
    (folder / "results.json").write_text('[{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3], "score": 0.5}]')
    text = run("validate", "results.json", "--github", code=1).stdout
    assert text.startswith("::error file=results.json")
    assert "title=coco-bbox::" in text
    run("validate", "results.json", "--github", "--json", code=2)


@pytest.mark.parametrize("name", ["missing.json", "missing/"])
def test_a_file_that_is_not_there_exits_with_2(run, folder, name):
    run("validate", name, code=2)
