"""The demo's holdout is sound: valid for pycocotools, inside its images, disjoint, and what its scripts make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from rapideval.endpoint import samples
from rapideval.endpoint.builtin_models import LABELS, MODELS


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def masks_by_image(document: dict[str, Any]) -> dict[str, list[np.ndarray]]:
    names = {image["id"]: image["file_name"] for image in document["images"]}
    found: dict[str, list[np.ndarray]] = {name: [] for name in names.values()}
    for row in document["annotations"]:
        found[names[row["image_id"]]].append(coco_mask.decode(row["segmentation"]).astype(bool))
    return found


@pytest.fixture(scope="module")
def instances() -> dict[str, Any]:
    return read(samples.ground_truth("instance"))


def test_every_photograph_has_its_row_and_size(instances: dict[str, Any]) -> None:
    rows = {image["file_name"]: (image["width"], image["height"]) for image in instances["images"]}
    assert rows == {path.name: Image.open(path).size for path in samples.images()}


def test_boxes_and_areas_are_those_of_the_masks(instances: dict[str, Any]) -> None:
    for row in instances["annotations"]:
        assert row["area"] == coco_mask.area(row["segmentation"]) > 0
        assert row["bbox"] == coco_mask.toBbox(row["segmentation"]).tolist()


def test_masks_have_the_size_of_their_image_and_do_not_overlap(instances: dict[str, Any]) -> None:
    sizes = {image["file_name"]: (image["height"], image["width"]) for image in instances["images"]}
    for name, masks in masks_by_image(instances).items():
        assert masks, name
        assert all(mask.shape == sizes[name] for mask in masks)
        assert np.sum(masks, axis=0).max() == 1, f"objects of {name} overlap"


def test_a_large_coin_is_one_of_48_pixels_or_more(instances: dict[str, Any]) -> None:
    names = {category["id"]: category["name"] for category in instances["categories"]}
    assert tuple(names.values()) == LABELS
    for row in instances["annotations"]:
        if names[row["category_id"]] != "word":
            diameter = 2 * np.sqrt(row["area"] / np.pi)
            assert (names[row["category_id"]] == "large coin") == (diameter >= 48)


def test_semantic_truth_is_all_objects_together(instances: dict[str, Any]) -> None:
    together = masks_by_image(read(samples.ground_truth("semantic")))
    for name, masks in masks_by_image(instances).items():
        assert len(together[name]) == 1
        assert np.array_equal(together[name][0], np.logical_or.reduce(masks))


def test_crops_of_one_photograph_do_not_overlap(project_root: Path) -> None:
    crops = make_holdout(project_root)
    for boxes in (crops.COIN_CROPS.values(), crops.PAGE_CROPS.values()):
        covered = np.zeros((400, 400), dtype=int)
        for x, y, width, height in boxes:
            covered[y : y + height, x : x + width] += 1
        assert covered.max() == 1


def test_ground_truth_is_what_its_script_makes(project_root: Path, tmp_path: Path) -> None:
    script = make_holdout(project_root)
    script.TARGET = tmp_path
    script.main([])
    for task in ("instance", "semantic"):
        kept = samples.ground_truth(task)
        new, old = read(tmp_path / kept.name), read(kept)
        assert new["images"] == old["images"]
        assert [row["category_id"] for row in new["annotations"]] == [row["category_id"] for row in old["annotations"]]
        for a, b in zip(new["annotations"], old["annotations"], strict=True):
            # another version of scikit-image may round one pixel otherwise
            assert coco_mask.iou([a["segmentation"]], [b["segmentation"]], [0])[0, 0] > 0.98
    for path in samples.images():
        assert np.array_equal(np.asarray(Image.open(path)), np.asarray(Image.open(tmp_path / "images" / path.name)))


@pytest.mark.parametrize("version", samples.VERSIONS)
@pytest.mark.parametrize("task", samples.TASKS)
def test_recorded_answers_are_what_the_models_say(version: str, task: samples.Task) -> None:
    names = [url.rsplit("/", 1)[1] for url in read(samples.request())["args"]["image_urls"]]
    assert names == [path.name for path in samples.images()]
    envelope = read(samples.answer(version, task))
    assert envelope["state"] == "SUCCESS"
    recorded = json.loads(envelope["result"])
    assert len(recorded) == len(names)
    for path, old in zip(samples.images(), recorded, strict=True):
        new = MODELS[version][task](np.asarray(Image.open(path)))
        assert new.keys() == old.keys()
        if task == "semantic":
            assert np.mean(np.not_equal(new["semantic_segmentation_mask"], old["semantic_segmentation_mask"])) < 0.01
        else:
            assert new["labels"] == old["labels"]
            assert new["scores"] == pytest.approx(old["scores"], abs=0.01)


def make_holdout(root: Path) -> Any:
    import importlib.util

    spec = importlib.util.spec_from_file_location("make_holdout", root / "fixtures" / "make_holdout.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
