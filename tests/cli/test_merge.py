"""rapideval merge: several datasets as one."""

from __future__ import annotations

import json

import pytest
from PIL import Image


def coco(path, names, label="cat", first=1):
    """A file with one annotation an image; numbers from `first`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = range(first, first + len(names))
    images = [{"id": n, "file_name": name, "width": 40, "height": 30} for n, name in zip(numbers, names, strict=True)]
    boxes = [
        {"id": n, "image_id": n, "category_id": 1, "bbox": [n, 2, 3, 4], "area": 12, "iscrowd": 0} for n in numbers
    ]
    document = {"images": images, "categories": [{"id": 1, "name": label}], "annotations": boxes}
    path.write_text(json.dumps(document))


@pytest.fixture
def sources(folder):
    coco(folder / "one" / "truth.json", ["a.jpg", "b.jpg"])
    coco(folder / "two" / "truth.json", ["c.jpg"], "dog")
    return ["one/truth.json", "two/truth.json"]


def test_sources_become_one_and_what_was_done_is_said(run, folder, sources):
    result = run("merge", *sources, "all.json")
    assert "images       3 from 2 + 1" in result.stdout
    assert "ids of labels that an earlier source gives to others: they are renumbered" in result.stdout
    document = json.loads((folder / "all.json").read_text())
    assert [image["file_name"] for image in document["images"]] == ["a.jpg", "b.jpg", "c.jpg"]
    assert [(one["id"], one["name"]) for one in document["categories"]] == [(1, "cat"), (2, "dog")]
    assert [row["category_id"] for row in document["annotations"]] == [1, 1, 2]


def test_the_document_names_all_sources(run_json, folder, sources):
    document = run_json("merging", "merge", *sources, "all.json", "--report", "report.json")
    assert json.loads((folder / "report.json").read_text()) == document
    assert [source["source"] for source in document["sources"]] == sources
    assert [source["counts"]["images"] for source in document["sources"]] == [2, 1]
    assert document["counts"] == {"images": 3, "labels": 2, "annotations": 3}
    assert {note["rule"] for note in document["notes"]} == {"image-ids", "label-ids", "annotation-ids"}


def test_images_of_one_name_are_refused_with_both_sources(run, folder, sources):
    coco(folder / "two" / "truth.json", ["b.jpg"])
    refused = run("merge", *sources, "all.json", code=2)
    assert "two/truth.json: image 'b.jpg'" in refused.stderr
    assert "the name of an image of one/truth.json" in refused.stderr
    assert not (folder / "all.json").exists()


@pytest.mark.parametrize(
    ("meaning", "names"), [("join", ["a.jpg", "b.jpg"]), ("rename", ["a.jpg", "b.jpg", "b-2.jpg"])]
)
def test_what_images_of_one_name_are_can_be_said(run, folder, sources, meaning, names):
    coco(folder / "two" / "truth.json", ["b.jpg"], "dog", first=2)
    run("merge", *sources, "all.json", "--same-images", meaning)
    document = json.loads((folder / "all.json").read_text())
    assert [image["file_name"] for image in document["images"]] == names
    assert len(document["annotations"]) == 3


def test_the_ground_truth_says_which_images_are_the_same(run, folder):
    rows = json.loads((folder / "results.json").read_text())
    for name, part in (("r1.json", rows[:1]), ("r2.json", rows[1:])):
        (folder / name).write_text(json.dumps(part))
    run("merge", "r1.json", "r2.json", "all.json", "--to", "coco-results", "--ground-truth", "truth.json")
    assert json.loads((folder / "all.json").read_text()) == rows
    refused = run(
        *["merge", "r1.json", "r2.json", "again.json", "--ground-truth", "truth.json", "--same-images", "refuse"],
        code=2,
    )
    assert "image-twice" in refused.stderr


def test_image_files_follow_their_images_under_new_names(run_json, folder, sources):
    coco(folder / "two" / "truth.json", ["b.jpg", "d.jpg"], "dog")
    for name, colour in (("one/a.jpg", "red"), ("one/b.jpg", "green"), ("two/b.jpg", "blue")):
        Image.new("RGB", (40, 30), colour).save(folder / name)
    arguments = ["merge", *sources, "all", "--to", "yolo", "--same-images", "rename", "--images", "copy"]
    document = run_json("merging", *arguments)
    assert document["image_files"]["copied"] == 3
    assert document["image_files"]["missing"] == ["d.jpg"]
    assert (folder / "all/images/b.jpg").read_bytes() == (folder / "one/b.jpg").read_bytes()
    assert (folder / "all/images/b-2.jpg").read_bytes() == (folder / "two/b.jpg").read_bytes()
    assert sorted(path.name for path in (folder / "all/labels").iterdir()) == ["a.txt", "b-2.txt", "b.txt", "d.txt"]


def test_the_format_is_that_of_the_first_source_where_nothing_says_it(run, folder, sources):
    run("merge", *sources, "all.json")
    assert "categories" in json.loads((folder / "all.json").read_text())
    refused = run("merge", *sources, "all.xyz", code=2)
    assert "which format? no format has the suffix '.xyz'" in refused.stderr
    refused = run("merge", "answers", "all.json", code=2)
    assert "which format? .json may be" in refused.stderr


def test_the_standard_streams_carry_data_only(run, folder, sources):
    result = run("merge", *sources, "-", "--to", "coco")
    assert len(json.loads(result.stdout)["images"]) == 3
    assert "images       3 from 2 + 1" in result.stderr
