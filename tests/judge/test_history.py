"""A history of runs: what is added is found again, and nothing that changed underneath passes for it."""

import sqlite3

import pytest
from helpers.versions import detector, holdout

from rapideval import evaluate
from rapideval.errors import InputError, StorageError
from rapideval.judge.history import History, history_file


@pytest.fixture
def saved(tmp_path):
    truth = holdout(30)
    paths = []
    for seed in (1, 2):
        path = tmp_path / f"v{seed}.parquet"
        evaluate(truth, detector(truth, seed)).save(path)
        paths.append(path)
    return paths


def test_runs_are_listed_in_the_order_of_adding_and_load_their_evaluation(tmp_path, saved):
    path = tmp_path / "runs.sqlite"
    with History(path) as history:
        history.add("second", saved[1], "later version")
        history.add("first", saved[0])
    with History(path) as history:
        assert [run.name for run in history.runs()] == ["second", "first"]
        run = history.get("second")
        assert (run.note, run.images, run.task, run.path) == ("later version", 30, "detection", "v2.parquet")
        evaluation = history.load("second")
    assert evaluation.summary["AP"] == run.summary["AP"]
    assert dict(evaluation.fingerprints) == run.fingerprints


def test_a_history_moves_with_the_evaluations_beside_it(tmp_path, saved):
    with History(tmp_path / "runs.sqlite") as history:
        history.add("v1", saved[0])
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for path in (tmp_path / "runs.sqlite", saved[0]):
        path.rename(moved / path.name)
    with History(moved / "runs.sqlite") as history:
        assert history.load("v1").summary


def test_nothing_is_made_before_the_first_run_is_added(tmp_path):
    with History(tmp_path / "a" / "runs.sqlite") as history:
        assert history.runs() == []
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("call", "rule"),
    [
        (lambda h, saved: h.add("v1", saved[1]), "run-duplicate"),
        (lambda h, saved: h.add("", saved[1]), "run-name"),
        (lambda h, saved: h.add("a/b", saved[1]), "run-name"),
        (lambda h, saved: h.get("v2"), "run-unknown"),
        (lambda h, saved: h.remove("nothing"), "run-unknown"),
        (lambda h, saved: (saved[0].unlink(), h.load("v1")), "run-moved"),
        (lambda h, saved: (saved[1].replace(saved[0]), h.load("v1")), "run-changed"),
    ],
)
def test_what_is_wrong_is_said_and_the_history_stays(tmp_path, saved, call, rule):
    with History(tmp_path / "runs.sqlite") as history:
        history.add("v1", saved[0])
        with pytest.raises(InputError) as caught:
            call(history, saved)
        assert caught.value.problems[0].rule == rule
        assert [run.name for run in history.runs()] == ["v1"]


def test_a_run_can_be_replaced_and_removed(tmp_path, saved):
    with History(tmp_path / "runs.sqlite") as history:
        history.add("v1", saved[0])
        history.add("v1", saved[1], replace=True)
        assert history.get("v1").path == "v2.parquet"
        history.remove("v1")
        assert history.runs() == []
    assert saved[1].exists()


def test_a_file_that_is_no_history_is_refused_and_left_alone(tmp_path):
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("create table mine (x)")
    with pytest.raises(StorageError, match="another kind"):
        History(other)
    later = tmp_path / "later.sqlite"
    with History(later) as history:
        history._connection = history._open()
    with sqlite3.connect(later) as connection:
        connection.execute("pragma user_version = 9")
    with pytest.raises(StorageError, match="version 9"):
        History(later)
    (tmp_path / "text").write_text("no database at all, but long enough to be looked at" * 30)
    with pytest.raises(StorageError, match="not a database"):
        History(tmp_path / "text")


def test_where_the_history_is_can_be_said_once(monkeypatch, tmp_path):
    monkeypatch.delenv("RAPIDEVAL_RUNS", raising=False)
    assert history_file().as_posix() == ".rapideval/runs.sqlite"
    monkeypatch.setenv("RAPIDEVAL_RUNS", str(tmp_path / "r.sqlite"))
    assert history_file() == tmp_path / "r.sqlite"
    assert history_file("given.sqlite").as_posix() == "given.sqlite"
