"""pycocotools.coco.COCO objects: the same numbers from objects made here as from the files."""

from __future__ import annotations

import contextlib
import copy
import io
import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import rapideval
from rapideval.errors import InputError
from rapideval.interop import from_pycocotools, to_pycocotools

TRUTH = Path(rapideval.__file__).parent / "demo_data" / "ground_truth.json"


def quietly(function, *arguments):
    with contextlib.redirect_stdout(io.StringIO()):
        return function(*arguments)


def numbers(truth, found, kind):
    def run():
        evaluation = COCOeval(truth, found, kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        return evaluation

    evaluation = quietly(run)
    return evaluation.stats, evaluation.eval["precision"]


@pytest.fixture
def predictions():
    """The demo's ground truth with boxes moved, masks shifted and scores drawn."""
    random = np.random.default_rng(3)
    truth = rapideval.read(TRUTH).with_masks()
    rows = truth.annotations
    chosen = np.flatnonzero(rows.masks.present & ~rows.crowd & (random.random(len(rows)) < 0.9))
    rows = rows.take(chosen)
    shift = random.integers(-6, 7, (len(rows), 2))
    sizes = rows.masks.sizes.astype(np.int64)
    windows = np.hstack([shift, sizes[:, ::-1]])
    return truth.replace(
        annotations=rapideval.Annotations(
            rows.image, rows.label, masks=rows.masks.crop(windows), score=random.random(len(rows)).round(3)
        )
    )


@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_the_same_numbers_as_from_the_files(kind, predictions, tmp_path):
    rapideval.write(predictions, tmp_path / "found.json", "coco-results")
    of_files = quietly(COCO, str(TRUTH))
    found_of_files = quietly(of_files.loadRes, str(tmp_path / "found.json"))
    expected, expected_precision = numbers(copy.deepcopy(of_files), copy.deepcopy(found_of_files), kind)
    assert 0.05 < expected[0] < 0.999

    truth, lost = to_pycocotools(rapideval.read(TRUTH))
    assert not lost
    found, _ = to_pycocotools(predictions)
    stats, precision = numbers(truth, found, kind)
    assert np.array_equal(stats, expected)
    assert np.array_equal(precision, expected_precision)

    # there and back: what loadRes made, and what an evaluation has used
    again, _ = to_pycocotools(from_pycocotools(of_files))
    found_again, _ = to_pycocotools(from_pycocotools(found_of_files))
    numbers(of_files, found_of_files, kind)
    data = from_pycocotools(of_files)
    assert data.annotations.extras is None or b"ignore" not in data.annotations.extras.data
    used, _ = to_pycocotools(data)
    assert np.array_equal(numbers(again, found_again, kind)[1], expected_precision)
    assert np.array_equal(numbers(used, found_again, kind)[1], expected_precision)


def test_an_object_is_read_as_its_file_is():
    coco = quietly(COCO, str(TRUTH))
    before = json.dumps(coco.dataset)
    data = from_pycocotools(coco)
    assert data.fingerprint() == rapideval.read(TRUTH).fingerprint()
    assert json.dumps(coco.dataset) == before


def test_nothing_is_printed(capsys, boxes):
    to_pycocotools(boxes)
    assert capsys.readouterr().out == ""


def test_predictions_keep_their_scores_and_names(boxes):
    coco, _ = to_pycocotools(boxes)
    assert [row["score"] for row in coco.anns.values()] == [0.9, 0.5, 0.25]
    assert coco.loadImgs(9)[0]["file_name"] == "b.jpg"
    assert len(coco.getImgIds()) == 3
    assert from_pycocotools(coco).fingerprint() == boxes.fingerprint()


def test_what_is_wrong_is_said_with_its_place():
    with pytest.raises(InputError, match=r"coco\.dataset"):
        from_pycocotools(COCO())
    coco = quietly(COCO, str(TRUTH))
    coco.dataset["annotations"][2]["bbox"] = [1, 2, 3]
    with pytest.raises(InputError, match=r"annotations\[2\]"):
        from_pycocotools(coco)
