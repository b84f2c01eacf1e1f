"""Policies: what is read, and what each mistake says."""

import datetime

import pytest

from rapideval.errors import InputError
from rapideval.judge.policy import TEMPLATE, Policy

RULE = 'version = 1\n[[rule]]\nmetric = "AP"\nmargin = 0.01\n'


def test_the_template_is_a_policy():
    policy = Policy.parse(TEMPLATE)
    assert [policy.title(i) for i in range(len(policy.rules))] == ["overall quality"]


def test_every_line_of_the_template_that_is_commented_out_is_a_policy_too():
    start = TEMPLATE.index("# [[rule]]")
    opened = TEMPLATE[:start] + "\n".join(line.removeprefix("# ") for line in TEMPLATE[start:].splitlines())
    policy = Policy.parse(opened)
    assert len(policy.rules) == 5
    assert policy.waivers[0].covers("every label", "legacy/tram")
    assert not policy.waivers[0].covers("every label", "tram")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version 1", "gate.toml: found Expected '=' after a key in a key/value pair (at line 1, column 9)"),
        ("version = 2", "gate.toml: line 1: version: found 2, expected one of the values it can have"),
        ("version = 1", "found no [[rule]], expected at least one: a gate without rules passes nothing"),
        (RULE + '[[rule]]\nmetrik = "AP"\n', "line 6: rule[1].metrik: found object contains unknown field `metrik`"),
        (RULE + '[[rule]]\nmetrik = "AP"\n', "did you mean 'metric'"),
        (RULE + '[[rule]]\nmetric = "AR"\n', "line 5: rule[1]: found neither margin nor floor"),
        (RULE + "[gate]\nlevel = 2\n", "line 6: gate.level: found 2, expected float < 1.0"),
        (RULE.replace("0.01", "nan"), "line 4: rule[0].margin: found nan, expected float >= 0.0"),
        (RULE.replace("0.01", "-0.01"), "line 4: rule[0].margin: found -0.01, expected float >= 0.0"),
        (RULE.replace("0.01", '"1 %"'), "line 4: rule[0].margin: found '1 %', expected float"),
        (RULE.replace("margin = 0.01", "floor = inf"), "line 4: rule[0].floor: found inf, expected a finite number"),
        (RULE + "labels = []\n", "line 5: rule[0].labels: found an empty list"),
        (RULE + RULE[12:], "line 5: rule[1]: found a second rule 'AP' (the first is rule[0])"),
        (RULE + '[[waiver]]\nrule = "Ap"\nreason = "x"\nuntil = 2030-01-01\n', "line 6: waiver[0].rule: found 'Ap'"),
        (RULE + '[[waiver]]\nrule = "AP"\nreason = ""\nuntil = 2030-01-01\n', "line 7: waiver[0].reason: found ''"),
        (RULE + '[[waiver]]\nrule = "AP"\nreason = "x"\nuntil = "soon"\n', "line 8: waiver[0].until: "),
        (RULE + "at = { score = 1.5 }\n", "rule[0].at.score: found 1.5"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_key(text, message):
    with pytest.raises(InputError) as raised:
        Policy.parse(text, "gate.toml")
    assert str(raised.value).startswith("gate.toml") or "problems" in str(raised.value)
    assert message in str(raised.value)


def test_an_expired_waiver_is_found_on_the_day_after():
    policy = Policy.parse(RULE + '[[waiver]]\nrule = "AP"\nreason = "known"\nuntil = 2026-03-01\n')
    assert policy.expired(datetime.date(2026, 3, 1)) == []
    (problem,) = policy.expired(datetime.date(2026, 3, 2))
    assert "2026-03-01, 1 days ago" in str(problem)
    assert "known" in str(problem)


def test_a_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        Policy.read(tmp_path / "absent.toml")
