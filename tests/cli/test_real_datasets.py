"""The verbs on datasets that other people made: nothing is lost between formats, image files and all."""

from __future__ import annotations

import numpy as np
import pytest

from rapideval import read
from rapideval.model import Dataset


@pytest.fixture
def cells(shared_data):
    return shared_data / "blood-cells"


def rows_of(data):
    """Image, label and box of each annotation, in order; what rounding made differ is not told apart."""
    return sorted(
        (row.image.rsplit("/", 1)[-1], row.label, *(round(value, 6) + 0.0 for value in row.box)) for row in data
    )


def same(one, other):
    assert rows_of(one) == rows_of(other)


def test_a_folder_with_its_image_files_goes_to_another_layout_and_back(run, run_json, cells, tmp_path):
    pictures = len(list((cells / "JPEGImages").iterdir()))
    there = run_json("conversion", "convert", cells, tmp_path / "yolo", "--to", "yolo", "--images", "copy")
    assert there["image_files"]["copied"] == pictures == there["counts"]["images"]
    back = run_json("conversion", "convert", tmp_path / "yolo", tmp_path / "voc", "--to", "voc", "--images", "link")
    assert back["image_files"]["linked"] + back["image_files"]["symbolic"] == pictures
    same(read(cells), read(tmp_path / "yolo"))
    same(read(cells), read(tmp_path / "voc"))


def test_parts_of_a_folder_are_the_whole_again(run, run_json, cells, tmp_path):
    shares = ["--share", "train=0.7", "--share", "val=0.2", "--share", "test=0.1"]
    arguments = ["split", cells, tmp_path / "yolo", "--to", "yolo", *shares, "--images", "link"]
    parts = run_json("splitting", *arguments)["parts"]
    assert [part["counts"]["images"] for part in parts] == [28, 8, 4]
    assert not any(part["missing_labels"] for part in parts)
    for part in parts:
        target = tmp_path / f"{part['name']}.json"
        run("filter", tmp_path / "yolo", target, "--to", "coco", "--field", f"split={part['name']}")
        assert len(read(target)) == part["counts"]["annotations"]
    run("merge", *(tmp_path / f"{part['name']}.json" for part in parts), tmp_path / "whole.json")
    same(read(cells), read(tmp_path / "whole.json"))


def test_a_sample_has_the_labels_in_their_proportions(run, shared_data, tmp_path):
    source = shared_data / "coco-val2014-100" / "instances_val2014_100.json"
    run("sample", source, tmp_path / "half.json", "--count", "50%")
    run("relabel", tmp_path / "half.json", tmp_path / "people.json", "--map", "person=someone", "--drop", "*")
    whole, half = read(source), read(tmp_path / "half.json")
    people = read(tmp_path / "people.json")

    def share(data: Dataset, label: str) -> float:
        rows = data.where(label=label).annotations
        return len(np.unique(rows.image)) / len(data.images)

    assert share(half, "person") == pytest.approx(share(whole, "person"), abs=0.02)
    assert len(people) == len(half.where(label="person"))
    assert people.labels.names == ("someone",)
