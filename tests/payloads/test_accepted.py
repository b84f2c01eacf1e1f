"""Every shape that real clients, servers and models use is read, as expected.json beside the fixtures says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rapideval.payloads import SERVICES, parse

FIXTURES = Path(__file__).parents[2] / "fixtures" / "payloads"
EXPECTED = {
    f"{folder}/{name}": case
    for folder in ("accepted", "services")
    for name, case in json.loads((FIXTURES / folder / "expected.json").read_text()).items()
}


@pytest.mark.parametrize("folder", ["accepted", "services"])
def test_every_fixture_is_expected(folder):
    files = {f"{folder}/{path.name}" for path in (FIXTURES / folder).iterdir()} - {f"{folder}/expected.json"}
    assert files == {name for name in EXPECTED if name.startswith(folder)}


def test_every_service_has_a_fixture():
    assert {case.get("payload") for case in EXPECTED.values()} >= SERVICES.keys() - {"scale-rapid"}


@pytest.mark.parametrize("name", EXPECTED)
def test_shape_is_read(name):
    expected = EXPECTED[name]
    answer = parse(FIXTURES / name, name=Path(name).name, **expected["options"])
    assert answer.status == expected["status"]
    assert answer.detail == expected.get("detail")
    assert answer.payload == expected.get("payload", answer.payload)
    assert [str(note) for note in answer.notes] == expected.get("notes", [])
    if "images" not in expected:
        assert answer.dataset is None
        return
    assert list(answer.dataset.images.keys) == expected["images"]
    if "sizes" in expected:
        assert answer.dataset.images.sizes.tolist() == expected["sizes"]
    rows = [_as_json(answer.dataset, index) for index in range(len(answer.dataset))]
    assert rows == expected["annotations"]


def _as_json(dataset, index):
    """One annotation as expected.json writes it."""
    row = dataset[index]
    shown = {
        "image": row.image,
        "label": row.label,
        "box": [round(number, 9) for number in row.box],
        "score": row.score,
        "area": round(row.area, 9),
    }
    if row.masks is not None:
        shown |= {"size": row.masks.sizes[0].tolist(), "runs": row.masks.runs(0).tolist()}
    if row.rings:
        shown["rings"] = [[[round(number, 9) for number in point] for point in ring.tolist()] for ring in row.rings]
    extras = dataset.annotations.extras
    if extras is not None and extras[index]:
        shown["extras"] = extras[index]
    return shown | {"where": dataset.annotations.where(index)}


@pytest.mark.parametrize(
    "name", [name for name in EXPECTED if name.endswith(".json") and not name.startswith("accepted/lenient")]
)
def test_decoded_objects_give_the_same_as_their_text(name):
    options = EXPECTED[name]["options"]
    text = (FIXTURES / name).read_bytes()
    from_text = parse(text, **options)
    from_objects = parse(json.loads(text.decode("utf-8-sig")), **options)
    assert (from_objects.status, from_objects.detail) == (from_text.status, from_text.detail)
    if from_text.dataset is not None:
        assert from_objects.dataset.fingerprint() == from_text.dataset.fingerprint()


@pytest.mark.parametrize("name", [name for name, case in EXPECTED.items() if case.get("payload")])
def test_naming_the_service_gives_the_same_as_recognising_it(name):
    case = EXPECTED[name]
    named = parse(FIXTURES / name, **(case["options"] | {"payload": case["payload"]}))
    assert named.dataset.fingerprint() == parse(FIXTURES / name, **case["options"]).dataset.fingerprint()
