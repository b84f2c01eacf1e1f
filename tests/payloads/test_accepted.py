"""Every shape that real clients, servers and models use is read, as expected.json beside the fixtures says."""

from __future__ import annotations

import json

import pytest
from helpers.payload_cases import FIXTURES, READ, cases, expectation, told

from rapideval.payloads import SERVICES, parse

CASES = {(folder, name): case for folder in READ for name, case in cases(folder).items()}


@pytest.mark.parametrize("folder", READ)
def test_every_fixture_is_expected(folder):
    files = {path.name for path in (FIXTURES / folder).iterdir()} - {"expected.json"}
    assert files == cases(folder).keys()


def test_every_service_has_a_fixture():
    assert {case.get("payload") for case in CASES.values()} >= SERVICES.keys()


@pytest.mark.parametrize(("folder", "name"), CASES)
def test_shape_is_read(folder, name):
    case = CASES[folder, name]
    answer = told(folder, name, case["options"])
    assert {"options": case["options"]} | expectation(answer) == case


@pytest.mark.parametrize(
    ("folder", "name"), [key for key in CASES if key[1].endswith(".json") and not key[1].startswith("lenient")]
)
def test_decoded_objects_give_the_same_as_their_text(folder, name):
    options = CASES[folder, name]["options"]
    text = (FIXTURES / folder / name).read_bytes()
    from_text = parse(text, **options)
    from_objects = parse(json.loads(text.decode("utf-8-sig")), **options)
    assert (from_objects.status, from_objects.detail) == (from_text.status, from_text.detail)
    if from_text.dataset is not None:
        assert from_objects.dataset.fingerprint() == from_text.dataset.fingerprint()


@pytest.mark.parametrize(("folder", "name"), [key for key, case in CASES.items() if case.get("payload")])
def test_naming_the_service_gives_the_same_as_recognising_it(folder, name):
    case = CASES[folder, name]
    named = told(folder, name, case["options"] | {"payload": case["payload"]})
    assert named.dataset.fingerprint() == told(folder, name, case["options"]).dataset.fingerprint()
