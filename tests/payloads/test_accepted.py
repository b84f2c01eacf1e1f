"""Every shape that real clients, servers and models use is read, as expected.json beside the fixtures says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rapideval import _core
from rapideval.payloads import parse

FOLDER = Path(__file__).parents[2] / "fixtures" / "payloads" / "accepted"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())

needs_masks = pytest.mark.skipif(not hasattr(_core, "rle_from_dense"), reason="masks cannot be encoded yet")


def test_every_fixture_is_expected():
    assert {path.name for path in FOLDER.iterdir()} - {"expected.json"} == EXPECTED.keys()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=needs_masks if "runs" in str(case) else ()) for name, case in EXPECTED.items()]
)
def test_shape_is_read(name):
    expected = EXPECTED[name]
    answer = parse(FOLDER / name, name=name, **expected["options"])
    assert answer.status == expected["status"]
    assert answer.detail == expected.get("detail")
    assert [str(note) for note in answer.notes] == expected.get("notes", [])
    if "images" not in expected:
        assert answer.dataset is None
        return
    assert list(answer.dataset.images.keys) == expected["images"]
    rows = [
        {"image": row.image, "label": row.label, "box": list(row.box), "score": row.score, "area": row.area}
        | ({} if row.masks is None else {"size": row.masks.sizes[0].tolist(), "runs": row.masks.runs(0).tolist()})
        for row in answer.dataset
    ]
    assert rows == expected["annotations"]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=needs_masks if "runs" in str(case) else ())
        for name, case in EXPECTED.items()
        if not name.endswith(".jsonl")
    ],
)
def test_decoded_objects_give_the_same_as_their_text(name):
    options = EXPECTED[name]["options"]
    text = (FOLDER / name).read_bytes()
    from_text = parse(text, **options)
    from_objects = parse(json.loads(text.decode("utf-8-sig")), **options)
    assert (from_objects.status, from_objects.detail) == (from_text.status, from_text.detail)
    if from_text.dataset is not None:
        assert from_objects.dataset.fingerprint() == from_text.dataset.fingerprint()
