"""Files that the verbs work on, and a way to run them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from rapideval.cli import main
from rapideval.cli.schemas import schema

TRUTH = {
    "images": [
        {"id": 1, "file_name": "a.jpg", "width": 100, "height": 80},
        {"id": 2, "file_name": "b.jpg", "width": 100, "height": 80},
    ],
    "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 40, 40], "area": 1600, "iscrowd": 0},
        {"id": 2, "image_id": 2, "category_id": 2, "bbox": [5, 5, 20, 30], "area": 600, "iscrowd": 0},
    ],
}
RESULTS = [
    {"image_id": 1, "category_id": 1, "bbox": [10, 10, 40, 40], "score": 0.9},
    {"image_id": 2, "category_id": 2, "bbox": [5, 5, 20, 15], "score": 0.8},
    {"image_id": 2, "category_id": 1, "bbox": [50, 50, 20, 15], "score": 0.3},
]
ANSWER = {
    "state": "SUCCESS",
    "result": json.dumps(
        [
            {"boxes": [[10, 10, 50, 50]], "scores": [0.9], "labels": ["cat"]},
            {"boxes": [[5, 5, 25, 35]], "scores": [0.8], "labels": ["dog"]},
        ]
    ),
}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with truth.json, results.json and answers/, which is also the working folder."""
    (tmp_path / "truth.json").write_text(json.dumps(TRUTH))
    (tmp_path / "results.json").write_text(json.dumps(RESULTS))
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "batch.json").write_text(json.dumps(ANSWER))
    request = {"args": {"image_urls": ["https://host/x/a.jpg", "https://host/x/b.jpg"]}}
    (tmp_path / "answers" / "batch.request.json").write_text(json.dumps(request))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(monkeypatch):
    """Run a command line; the exit code is what is expected, and no traceback is ever shown."""
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def run(*arguments, code=0, stdin=None):
        result = CliRunner().invoke(main, [str(part) for part in arguments], input=stdin)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture
def run_json(run):
    """Run a command line with --json; what it prints is valid by its schema."""

    def run_json(name, *arguments, **options):
        document = json.loads(run(*arguments, "--json", **options).stdout)
        jsonschema.Draft202012Validator(schema(name)).validate(document)
        return document

    return run_json
