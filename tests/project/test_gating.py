"""What docs/gating.md shows works: its policies, its commands, and the composite action's own script."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rapideval.endpoint import samples
from rapideval.judge import Policy


def documented(project_root: Path, language: str) -> list[str]:
    text = (project_root / "docs" / "gating.md").read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_policy_that_is_shown_is_one(project_root: Path) -> None:
    (shown,) = documented(project_root, "toml")
    assert [rule.metric for rule in Policy.parse(shown).rules] == ["AP", "F1", "AP50"]


def test_the_workflows_that_are_shown_use_inputs_that_there_are(project_root: Path) -> None:
    action = yaml.safe_load((project_root / ".github/actions/gate/action.yml").read_text())
    workflow, hooks = (yaml.safe_load(text) for text in documented(project_root, "yaml"))
    (step,) = [s for s in workflow["jobs"]["gate"]["steps"] if s["uses"] == "./.github/actions/gate"]
    assert set(step["with"]) <= set(action["inputs"])
    assert hooks["repos"][0]["hooks"][0]["entry"].startswith("rapideval gate ")


@pytest.mark.parametrize(("policy", "code", "verdict"), [(None, 1, "fail"), ("margin", 0, "pass")])
def test_the_action_runs_the_gate_and_tells_its_verdict(
    project_root: Path, tmp_path: Path, policy: str | None, code: int, verdict: str
) -> None:
    if shutil.which("bash") is None:
        pytest.skip("there is no bash on this machine")
    pytest.importorskip("altair")
    action = yaml.safe_load((project_root / ".github/actions/gate/action.yml").read_text())
    (step,) = [s for s in action["runs"]["steps"] if s.get("id") == "gate"]
    rules = tmp_path / "gate.toml"
    rules.write_text(
        samples.policy().read_text() if policy is None else 'version = 1\n[[rule]]\nmetric = "AP"\nmargin = 0.5\n'
    )
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "rapideval").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rapideval "$@"\n')
    (bin_folder / "rapideval").chmod(0o755)
    report = tmp_path / "report"
    environment = {
        **os.environ,
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(project_root),
        "BASELINE": str(samples.answer("v1", "instance")),
        "CANDIDATE": str(samples.answer("v2", "instance")),
        "POLICY": str(rules),
        "GROUND_TRUTH": str(samples.ground_truth("instance")),
        "TASK": "instance",
        "IMAGES": str(samples.folder() / "images"),
        "REPORT": str(report),
        "INCONCLUSIVE": "fail",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }
    done = subprocess.run(
        ["bash", "-e", "-c", step["run"]], env=environment, capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == code, done.stderr
    assert (tmp_path / "output").read_text() == f"verdict={verdict}\n"
    assert (tmp_path / "summary").read_text() == (report / "gate.md").read_text()
    assert {path.name for path in report.iterdir()} == {"gate.html", "gate.md", "gate.xml"}
    assert "::" in done.stderr
