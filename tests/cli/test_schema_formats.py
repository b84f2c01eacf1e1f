"""rapideval schema, rapideval formats, rapideval version: the documents and what describes them."""

from __future__ import annotations

import json

import jsonschema
import pytest

from rapideval.cli.schemas import DOCUMENTS, schema, schema_text
from rapideval.formats import FORMATS
from rapideval.payloads import SERVICES


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_schema_is_one_and_describes_itself(name):
    made = schema(name)
    jsonschema.Draft202012Validator.check_schema(made)
    assert made["title"] == DOCUMENTS[name].title
    assert schema_text(name) == schema_text(name)
    for definition in made.get("$defs", {}).values():
        assert definition.get("description"), definition["title"]
        assert "\n" not in definition["description"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_schemas_in_the_repository_are_current(name, project_root):
    written = (project_root / "schemas" / f"{name}.json").read_text(encoding="utf-8")
    assert written == schema_text(name), "make schemas writes them anew"


def test_no_schema_is_left_over(project_root):
    assert {path.stem for path in (project_root / "schemas").glob("*.json")} == set(DOCUMENTS)


def test_fields_are_described_from_the_types():
    problem = schema("refusal")["$defs"]["Problem"]["properties"]
    assert problem["count"]["description"] == "How many times it was met; where is the first of them."
    assert problem["found"]["description"] == problem["expected"]["description"]
    counts = schema("inspection")["$defs"]["Counts"]["properties"]
    assert counts["boxes"]["description"].startswith("Boxes that the source gave")


def test_schemas_are_listed_printed_and_written(run, tmp_path):
    listed = run("schema").stdout
    assert all(name in listed for name in DOCUMENTS)
    assert json.loads(run("schema", "evaluation").stdout) == schema("evaluation")
    (tmp_path / "left-over.json").write_text("{}")
    paths = run("schema", "--write", tmp_path).stdout.split()
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.json" for name in DOCUMENTS}
    assert len(paths) == len(DOCUMENTS)


def test_a_schema_that_is_not_there_is_told_with_the_nearest(run):
    assert "did you mean evaluation" in run("schema", "evalution", code=2).stderr
    assert "give no name" in run("schema", "evaluation", "--write", "x", code=2).stderr


def test_formats_and_services_are_listed(run, run_json):
    text = run("formats").stdout
    assert all(name in text for name in (*FORMATS, *SERVICES))
    document = run_json("formats", "formats")
    assert [item["name"] for item in document["formats"]] == list(FORMATS)
    assert document["formats"][0]["holds"]["boxes"] is True


def test_a_format_says_what_it_holds(run):
    text = run("formats", "coco-results").stdout
    assert "does not hold" in text
    assert "label names" in text
    assert "did you mean coco" in run("formats", "cocoa", code=2).stderr


def test_a_folder_says_which_splits_it_holds(run, run_json):
    assert "train, val, valid, test, minival" in run("formats", "yolo").stdout
    assert "splits" not in run("formats", "coco").stdout
    known = {info["name"]: info for info in run_json("formats", "formats")["formats"]}
    assert known["coco"]["splits"] == []
    assert known["voc"]["splits"] == ["train", "val", "test", "trainval"]


def test_fields_of_a_document_that_another_one_has_too_are_described_in_both():
    for name, kind in (("conversion", "Conversion"), ("selection", "Selection"), ("merging", "Merging")):
        fields = schema(name)["$defs"][kind]["properties"]
        assert fields["losses"]["description"].startswith("What the target cannot hold")


def test_version_says_what_it_runs_on(run, run_json):
    import rapideval

    assert run("version").stdout.startswith(f"rapideval   {rapideval.__version__}\n")
    assert run_json("version", "version")["rapideval"] == rapideval.__version__


def test_a_saved_evaluation_has_the_metadata_of_its_schema(run, folder):
    import pyarrow.parquet as pq

    run("evaluate", "truth.json", "results.json", "--save", "e.parquet")
    document = json.loads(pq.read_metadata("e.parquet").metadata[b"rapideval"])
    jsonschema.Draft202012Validator(schema("saved-evaluation")).validate(document)


def test_what_the_formats_write_is_valid_by_its_schema(run, folder, project_root):
    run("convert", project_root / "rapideval" / "demo_data" / "answers" / "v1-instance.json", "m.jsonl")
    header, *lines = (folder / "m.jsonl").read_text().splitlines()
    jsonschema.Draft202012Validator(schema("rle-header")).validate(json.loads(header))
    for line in lines:
        jsonschema.Draft202012Validator(schema("rle-line")).validate(json.loads(line))


def test_recorded_answers_of_the_project_are_valid_by_their_schemas(project_root):
    answers = project_root / "rapideval" / "demo_data" / "answers"
    envelope = json.loads((answers / "v1-detection.json").read_text())
    jsonschema.Draft202012Validator(schema("result-envelope")).validate(envelope)
    jsonschema.Draft202012Validator(schema("result-payload")).validate(json.loads(envelope["result"]))
    request = json.loads((answers / "request.json").read_text())
    jsonschema.Draft202012Validator(schema("request")).validate(request)
