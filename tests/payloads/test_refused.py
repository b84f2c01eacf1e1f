"""Every malformed shape is refused with its place and its reason: fixtures/payloads/refused, messages.json beside them.

The messages are kept word for word, as a user reads them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rapideval.errors import InputError
from rapideval.payloads import parse

FOLDER = Path(__file__).parents[2] / "fixtures" / "payloads" / "refused"
MESSAGES = json.loads((FOLDER / "messages.json").read_text())


def test_every_fixture_has_a_message():
    assert {path.name for path in FOLDER.iterdir()} - {"messages.json"} == MESSAGES.keys()


@pytest.mark.parametrize("name", MESSAGES)
def test_shape_is_refused_with_its_message(name):
    case = MESSAGES[name]
    with pytest.raises(InputError) as caught:
        parse(FOLDER / name, name=name, **case["options"])
    assert str(caught.value) == case["message"]


@pytest.mark.parametrize("name", [name for name in MESSAGES if name.startswith("M")])
def test_rule_is_the_one_the_file_is_named_after(name):
    message = MESSAGES[name]["message"]
    rules = {line.rsplit("[", 1)[1].rstrip("]") for line in message.splitlines() if line.endswith("]")}
    assert f"M{int(name[1:3])}" in rules or rules == {"label-unknown"}
