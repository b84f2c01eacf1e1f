"""Every malformed shape is refused with its place and its reason, as messages.json beside the fixtures says.

The messages are kept word for word, as a user reads them.
"""

from __future__ import annotations

import pytest
from helpers.payload_cases import FIXTURES, cases, message

CASES = cases("refused")


def test_every_fixture_has_a_message():
    assert {path.name for path in (FIXTURES / "refused").iterdir()} - {"messages.json"} == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_shape_is_refused_with_its_message(name):
    assert message("refused", name, CASES[name]["options"]) == CASES[name]["message"]


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("M")])
def test_rule_is_the_one_the_file_is_named_after(name):
    lines = CASES[name]["message"].splitlines()
    rules = {line.rsplit("[", 1)[1].rstrip("]") for line in lines if line.endswith("]")}
    assert f"M{int(name[1:3])}" in rules or rules == {"label-unknown"}
