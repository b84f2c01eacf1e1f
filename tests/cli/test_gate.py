"""The verbs that compare and decide: what they print, write and exit with."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner
from defusedxml import ElementTree as ET
from helpers.versions import detector, holdout

from rapideval import evaluate
from rapideval.cli import main

POLICY = 'version = 1\n[gate]\ndraws = 300\n[[rule]]\nname = "overall"\nmetric = "AP"\nmargin = {margin}\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Saved evaluations: a baseline, an equal version, a worse one."""
    folder = tmp_path_factory.mktemp("versions")
    truth = holdout(images=120)
    sides = {"v1": (1, 0.8, 0.1), "same": (2, 0.8, 0.1), "worse": (3, 0.5, 0.16)}
    for name, (seed, recall, noise) in sides.items():
        evaluate(truth, detector(truth, seed, recall, noise)).save(folder / f"{name}.parquet")
    (folder / "fair.toml").write_text(POLICY.format(margin=0.08))
    (folder / "fine.toml").write_text(POLICY.format(margin=0.001))
    (folder / "labels.toml").write_text(POLICY.format(margin=0.08) + 'labels = ["*"]\n')
    return folder


def run(folder, *arguments):
    return CliRunner().invoke(main, [str(folder / a) if (folder / a).exists() else a for a in arguments])


def real(folder, *arguments):
    """The command as a process of its own."""
    return subprocess.run([sys.executable, "-m", "rapideval", *arguments], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("candidate", "policy", "code", "word"),
    [
        ("same", "fair", 0, "Gate: PASS"),
        ("worse", "fair", 1, "Gate: FAIL"),
        ("same", "fine", 3, "Gate: INCONCLUSIVE"),
    ],
)
def test_the_verdict_is_the_exit_code_of_the_real_command(folder, candidate, policy, code, word):
    result = real(folder, "gate", "v1.parquet", f"{candidate}.parquet", "--policy", f"{policy}.toml")
    assert result.returncode == code, result.stderr
    assert word in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gate", "v1.parquet"], "two evaluations are needed"),
        (["gate", "v1.parquet", "same.parquet", "--policy", "absent.toml"], "absent.toml"),
        (["gate", "v1.parquet", "absent.parquet", "--policy", "fair.toml"], "absent.parquet"),
        (["gate", "v1.parquet", "fair.toml", "--policy", "fair.toml"], "fair.toml"),
    ],
)
def test_wrong_use_and_unreadable_input_exit_with_2(folder, arguments, message):
    result = real(folder, *arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("candidate", "code"), [("worse.parquet", 0), ("absent.parquet", 2), ("fair.toml", 2), ("", 2)]
)
def test_compare_decides_nothing_and_exits_with_0_or_2(folder, candidate, code):
    result = real(folder, "compare", "v1.parquet", *filter(None, [candidate]), "--draws", "200")
    assert result.returncode == code, result.stderr
    assert bool(result.stderr) == (code == 2)
    assert "Traceback" not in result.stderr


def test_init_writes_a_policy_and_never_over_another(folder, tmp_path):
    path = tmp_path / "gate.toml"
    assert CliRunner().invoke(main, ["gate", "init", str(path)]).exit_code == 0
    assert "margin" in path.read_text()
    again = CliRunner().invoke(main, ["gate", "init", str(path)])
    assert again.exit_code == 2
    assert "exists already" in again.output


def test_the_result_as_json_markdown_junit_and_annotations(folder, tmp_path):
    markdown, junit = tmp_path / "c.md", tmp_path / "g.xml"
    options = ["--policy", "labels.toml", "--json", "--markdown", str(markdown), "--junit", str(junit)]
    result = run(folder, "gate", "v1.parquet", "worse.parquet", *options)
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["verdict"] == "fail"
    assert len(document["outcomes"]) == 3
    assert "Gate: fail" in markdown.read_text()
    suite = ET.parse(junit).getroot()
    assert suite.get("tests") == "3"
    assert int(suite.get("failures")) == len(suite.findall(".//failure"))
    told = run(folder, "gate", "v1.parquet", "worse.parquet", "--policy", "fair.toml", "--annotations")
    assert "::error title=gate%3A overall (margin)::" in told.stderr
    assert told.stderr.endswith("::notice title=gate::fail\n")


def test_labels_cannot_be_markup_or_commands(folder, tmp_path):
    truth = holdout(images=60, labels=1).relabel({"label 0": "<b>|x::error::\x1b[31m%0A"})
    evaluate(truth, detector(truth, 1)).save(tmp_path / "a.parquet")
    evaluate(truth, detector(truth, 2, 0.4, 0.2)).save(tmp_path / "b.parquet")
    policy = tmp_path / "p.toml"
    policy.write_text(POLICY.format(margin=0.01) + 'labels = ["*"]\n')
    markdown, junit = tmp_path / "c.md", tmp_path / "g.xml"
    arguments = ["gate", "a.parquet", "b.parquet", "--policy", "p.toml", "--annotations"]
    result = real(tmp_path, *arguments, "--markdown", str(markdown), "--junit", str(junit))
    assert result.returncode in (1, 3)
    assert "<b>" not in markdown.read_text().replace("\\<b\\>", "")
    assert "\x1b" not in result.stdout + result.stderr + markdown.read_text()
    ET.parse(junit)
    assert all(line.startswith("::") for line in result.stderr.splitlines())


def test_compare_prints_tables_and_documents(folder):
    text = run(folder, "compare", "v1.parquet", "worse.parquet", "--draws", "200", "--slice", "size:medium")
    assert text.exit_code == 0, text.output
    assert "All labels" in text.output
    assert "AP by label" in text.output
    assert "In size:medium" in text.output
    assert "worse" in text.output
    document = json.loads(run(folder, "compare", "v1.parquet", "worse.parquet", "--draws", "200", "--json").stdout)
    assert {d["metric"] for d in document["differences"]} >= {"AP", "AP50", "AR100"}
    markdown = run(folder, "compare", "v1.parquet", "worse.parquet", "--draws", "200", "--markdown").output
    assert "### All labels" in markdown
