"""The page and charts of ``gate`` and ``compare``, through the real commands."""

from __future__ import annotations

import pytest
from helpers.versions import detector, holdout

from rapideval import evaluate
from rapideval.judge.policy import TEMPLATE

pytest.importorskip("altair")
pytest.importorskip("vl_convert")


@pytest.fixture
def saved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    truth = holdout(40, labels=2, seed=2)
    for name, recall in (("v1", 0.8), ("v2", 0.5)):
        evaluate(truth, detector(truth, 1, recall=recall)).save(f"{name}.parquet")
    (tmp_path / "gate.toml").write_text(TEMPLATE)
    return tmp_path


def test_a_gate_writes_page_charts_and_markdown_that_shows_them(saved, run):
    pages = ("--html", "r.html", "--charts", "out/charts", "--markdown", "out/c.md")
    run("gate", "v1.parquet", "v2.parquet", *pages, code=1)
    assert "<!doctype html>" in (saved / "r.html").read_text()
    shown = [line for line in (saved / "out/c.md").read_text().splitlines() if line.startswith("![")]
    assert len(shown) == len(list((saved / "out/charts").glob("*.svg"))) >= 3
    for line in shown:
        assert (saved / "out" / line.split("(")[1].rstrip(")")).is_file()


def test_a_comparison_counts_from_its_own_score_in_the_page(saved, run):
    run("compare", "v1.parquet", "v2.parquet", "--score", "0.3", "--html", "r.html", "--draws", "200")
    assert "at score 0.3 and more" in (saved / "r.html").read_text()
