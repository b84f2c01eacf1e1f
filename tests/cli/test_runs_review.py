"""rapideval runs, rapideval review, and evaluations named in three ways."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def history(run, folder, monkeypatch):
    monkeypatch.delenv("RAPIDEVAL_RUNS", raising=False)
    run("evaluate", "truth.json", "results.json", "--save", "v1.parquet")
    run("evaluate", "truth.json", "answers", "--save", "v2.parquet")
    run("runs", "add", "v1", "v1.parquet")
    run("runs", "add", "v2", "v2.parquet", "--note", "better")
    return folder


def test_runs_are_added_listed_shown_and_removed(run, run_json, history):
    assert "better" in run("runs").stdout
    listed = run_json("runs", "runs")
    assert [one["name"] for one in listed["runs"]] == ["v1", "v2"]
    assert run_json("run", "runs", "show", "v2")["summary"]["AP"] == listed["runs"][1]["summary"]["AP"]
    assert "removed v1" in run("runs", "remove", "v1").stdout
    assert (history / "v1.parquet").exists()
    assert [one["name"] for one in run_json("runs", "runs")["runs"]] == ["v2"]


def test_a_metric_is_drawn_over_the_runs(run, history):
    said = run("runs", "plot", "AP50", "--out", "ap50.svg").stdout
    assert "█" in said
    assert (history / "ap50.svg").read_text().startswith("<svg")
    run("runs", "plot", "AP50", "--out", "ap50.png")
    assert (history / "ap50.png").read_bytes()[:4] == b"\x89PNG"
    assert "did you mean" in run("runs", "plot", "AP5", code=2).stderr
    assert ".svg or .png" in run("runs", "plot", "AP50", "--out", "a.gif", code=2).stderr


def test_no_runs_is_no_error(run, folder):
    assert "no runs" in run("runs").stdout


def test_evaluations_are_named_by_file_by_run_and_by_their_predictions(run_json, run, history):
    by_file = run_json("comparison", "compare", "v1.parquet", "v2.parquet", "--draws", "200")
    by_name = run_json("comparison", "compare", "v1", "v2", "--draws", "200")
    fresh = run_json(
        *["comparison", "compare", "results.json", "answers", "--ground-truth", "truth.json", "--draws", "200"]
    )
    assert by_file == by_name == fresh


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["v1", "v9"], "no run 'v9'"),
        (["results.json", "answers"], "give --ground-truth"),
        (["v1", "v2", "--runs", "none.sqlite"], "no such file, and there is no history"),
    ],
)
def test_what_is_no_evaluation_is_said(run, history, arguments, message):
    assert message in run("compare", *arguments, code=2).stderr
    run("gate", "init")
    assert message in run("gate", *arguments, code=2).stderr


def test_likely_errors_are_listed_and_written_for_review(run, run_json, folder):
    document = run_json("review", "review", "truth.json", "results.json", "--min-score", "0.2")
    kinds = [one["kind"] for one in document["suspects"]]
    assert kinds == ["unlabelled"]
    said = run("review", "truth.json", "results.json", "--min-score", "0.2", "--out", "s.csv").stdout
    assert "Likely errors of the ground truth" in said
    lines = (folder / "s.csv").read_text().splitlines()
    assert len(lines) == 1 + document["total"]
    run("review", "truth.json", "results.json", "--min-score", "0.2", "--out", "s.json", "--to", "coco")
    assert len(json.loads((folder / "s.json").read_text())["annotations"]) == document["total"]
