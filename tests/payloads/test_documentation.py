"""docs/payloads.md speaks of every rule and every service, and of no other."""

from __future__ import annotations

import json
import re
from pathlib import Path

import rapideval
from rapideval.payloads import SERVICES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "payloads.md").read_text("utf-8")
SOURCES = Path(rapideval.__file__).parent / "payloads"


def documented_rules():
    rows = re.findall(r"^\| ((?:M\d+|`[a-z-]+`)(?:, `[a-z-]+`)*) \| [^|]+ \| [a-z, ]+ \|$", PAGE, re.MULTILINE)
    return {rule.strip("`") for row in rows for rule in row.split(", ")}


def test_every_rule_of_the_sources_is_documented():
    used = set()
    for path in SOURCES.glob("*.py"):
        calls = re.findall(
            r'(?:refuse|add|warn|tell|Problem|core_error)\(\s*"([A-Za-z0-9-]+)",', path.read_text("utf-8")
        )
        used |= {rule for rule in calls if not rule.startswith("json-")}
    assert used <= documented_rules() | {"crowd", "mask-missing"}


def test_every_rule_of_a_recorded_message_is_documented():
    messages = json.loads((ROOT / "fixtures" / "payloads" / "refused" / "messages.json").read_text("utf-8"))
    used = {rule for case in messages.values() for rule in re.findall(r"\[([A-Za-z0-9-]+)\]$", case["message"], re.M)}
    assert used <= documented_rules()


def test_every_malformed_shape_has_a_recorded_message():
    numbers = {
        int(name[1:3])
        for name in json.loads((ROOT / "fixtures/payloads/refused/messages.json").read_text())
        if re.match(r"M\d\d-", name)
    }
    assert numbers == {*range(1, 13), *range(20, 36)}
    accepted = {path.name[:3] for path in (ROOT / "fixtures/payloads/accepted").iterdir()}
    assert {"M36", "M37"} <= accepted


def test_every_service_is_documented():
    assert set(re.findall(r"^\| `([a-z-]+)` \| [A-Z]", PAGE, re.MULTILINE)) == set(SERVICES)
    for service in SERVICES.values():
        assert len(service.description) > 20
