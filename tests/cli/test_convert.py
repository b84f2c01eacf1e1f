"""rapideval convert: what is lost is said before anything is written."""

from __future__ import annotations

import json
import os

import pytest
from PIL import Image

from rapideval.cli.schemas import schema


def test_answers_become_coco_and_what_is_lost_is_said(run, folder):
    result = run("convert", "answers", "out.json", "--to", "coco-results")
    assert "Answers of Scale Rapid" in result.stdout
    assert "lost, as this format cannot hold it:" in result.stdout
    assert "the names of 2 labels" in result.stdout
    assert result.stdout.endswith("wrote out.json\n")
    rows = json.loads((folder / "out.json").read_text())
    assert [row["bbox"] for row in rows] == [[10, 10, 40, 40], [5, 5, 20, 30]]


def test_nothing_lost_is_said_too(run, folder):
    assert "nothing is lost" in run("convert", "truth.json", "out.json", "--to", "coco").stdout


def test_there_and_back_is_the_same_content(run, run_json, folder):
    run("convert", "answers", "a.jsonl")
    run("convert", "a.jsonl", "b.json", "--to", "coco")
    prints = {run_json("inspection", "inspect", path)["fingerprint"] for path in ("answers", "a.jsonl", "b.json")}
    assert len(prints) == 1


def test_fail_on_loss_writes_nothing_but_the_report(run, folder):
    (folder / "out.json").write_text("old")
    result = run(
        *["convert", "answers", "out.json", "--to", "coco-results", "--fail-on-loss", "--report", "loss.json"], code=1
    )
    assert "error: out.json was not written: something would be lost" in result.stderr
    assert (folder / "out.json").read_text() == "old"
    report = json.loads((folder / "loss.json").read_text())
    assert report["written"] is False
    assert {"kind": "label_names", "count": 2, "text": "the names of 2 labels"} in report["losses"]


def test_the_report_and_the_document_are_the_same(run, run_json, folder):
    document = run_json("conversion", "convert", "truth.json", "out.json", "--to", "coco", "--report", "loss.json")
    assert json.loads((folder / "loss.json").read_text()) == document
    assert document["counts"] == {"images": 2, "labels": 2, "annotations": 2}
    assert document["written"] is True
    assert schema("conversion")["$defs"]["Conversion"]["properties"]["written"]["description"]


def test_the_standard_streams_carry_data_only(run, folder):
    text = (folder / "truth.json").read_text()
    result = run("convert", "-", "-", "--to", "coco", stdin=text)
    assert json.loads(result.stdout)["categories"][1]["name"] == "dog"
    assert "nothing is lost" in result.stderr
    refused = run("convert", "-", "-", "--to", "coco", "--json", stdin=text, code=2)
    assert "--report FILE instead" in refused.stderr


def test_the_ground_truth_explains_the_numbers_of_results(run, folder):
    run("convert", "results.json", "out.json", "--to", "coco", "--ground-truth", "truth.json")
    document = json.loads((folder / "out.json").read_text())
    assert [category["name"] for category in document["categories"]] == ["cat", "dog"]
    assert [image["file_name"] for image in document["images"]] == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["truth.json", "out.json"], "which format? .json may be"),
        (["truth.json", "out.xyz"], "which format? no format has the suffix '.xyz'"),
        (["truth.json", "out.json", "--to", "cocoo"], "did you mean coco"),
        (["truth.json", "out.json", "--to", "coco", "--write", "depth=3"], "coco has no option 'depth' to write"),
        (["truth.json", "out.json", "--to", "coco", "--write", "rle"], "expected NAME=VALUE"),
        (["truth.json", "out.json", "--to", "coco", "--outline-iou", "2"], "--outline-iou"),
        (["truth.json", "nowhere/out.json", "--to", "coco"], "no such folder"),
        (["none.json", "out.json", "--to", "coco"], "no such file"),
    ],
)
def test_what_cannot_be_done_is_said(run, folder, arguments, message):
    before = sorted(os.listdir(folder))
    assert message in run("convert", *arguments, code=2).stderr
    assert sorted(os.listdir(folder)) == before


def test_options_of_the_formats_reach_them(run, project_root, tmp_path):
    answer = project_root / "rapideval" / "demo_data" / "answers" / "v1-instance.json"
    for style, kind in (("compressed", str), ("counts", list)):
        target = tmp_path / f"{style}.json"
        run("convert", answer, target, "--to", "coco-results", "--write", f"rle={style}")
        assert isinstance(json.loads(target.read_text())[0]["segmentation"]["counts"], kind)


# --- image files -----------------------------------------------------------------------------------


@pytest.fixture
def photographs(folder):
    """The image files of truth.json, in photos/."""
    for name in ("a.jpg", "b.jpg"):
        (folder / "photos").mkdir(exist_ok=True)
        Image.new("RGB", (100, 80), (9, 99, 200)).save(folder / "photos" / name)
    return folder / "photos"


def test_image_files_are_copied_or_linked_into_the_folder(run, run_json, folder, photographs):
    place = ["--images", "copy", "--image-folder", "photos"]
    result = run("convert", "truth.json", "copied", "--to", "yolo", *place)
    assert result.stdout.endswith("wrote copied with image files: 2 copied\n")
    assert (folder / "copied/images/a.jpg").read_bytes() == (photographs / "a.jpg").read_bytes()
    place[1] = "link"
    document = run_json("conversion", "convert", "truth.json", "linked", "--to", "yolo", *place)
    assert document["image_files"] == {"how": "link", "copied": 0, "linked": 2, "symbolic": 0, "missing": []}
    assert (folder / "linked/images/a.jpg").samefile(photographs / "a.jpg")
    assert run_json("inspection", "inspect", "linked")["counts"]["images"] == 2


def test_image_files_are_looked_for_beside_the_source(run_json, run, folder, photographs):
    photographs.rename(folder / "images")
    document = run_json("conversion", "convert", "truth.json", "out", "--to", "yolo", "--images", "copy")
    assert document["image_files"]["copied"] == 2
    text = (folder / "truth.json").read_text()
    refused = run("convert", "-", "again", "--to", "yolo", "--images", "copy", stdin=text, code=2)
    assert "Give --image-folder" in refused.stderr


def test_missing_image_files_are_named_and_counted(run, run_json, folder, photographs):
    (photographs / "b.jpg").unlink()
    place = ["--to", "yolo", "--images", "copy", "--image-folder", "photos"]
    refused = run("convert", "truth.json", "out", *place, "--fail-on-loss", code=1)
    assert "the files of 1 image: b.jpg (no such file)" in refused.stdout
    assert not (folder / "out").exists()
    document = run_json("conversion", "convert", "truth.json", "out", *place)
    assert document["image_files"]["missing"] == ["b.jpg"]
    assert document["image_files"]["copied"] == 1
    assert {"missing_files": 1}.items() <= {loss["kind"]: loss["count"] for loss in document["losses"]}.items()


def test_image_files_are_for_folders_only(run, folder, photographs):
    arguments = ["convert", "truth.json", "out.json", "--to", "coco", "--images", "copy", "--image-folder", "photos"]
    refused = run(*arguments, code=2)
    assert "coco is one file, and image files go into a folder: those of yolo" in refused.stderr
    assert not (folder / "out.json").exists()


def test_sizes_that_a_format_needs_come_from_the_image_files(run, run_json, folder, photographs):
    refused = run("convert", "answers", "out", "--to", "yolo", code=2)
    assert "image-size" in refused.stderr
    result = run("convert", "answers", "out", "--to", "yolo", "--image-folder", "photos")
    assert "sizes read from the heads of files (2 times)" in result.stdout
    assert (folder / "out/labels/host/x/a.txt").read_text() == "0 0.3 0.375 0.4 0.5 0.9\n"
    (photographs / "b.jpg").unlink()
    arguments = ["answers", "sized.json", "--to", "coco", "--image-folder", "photos"]
    notes = {note["rule"]: note for note in run_json("conversion", "convert", *arguments)["notes"]}
    assert notes["image-size"]["count"] == 1
    assert notes["image-file"]["count"] == 1
    assert "https://host/x/b.jpg (no such file)" in notes["image-file"]["found"]
