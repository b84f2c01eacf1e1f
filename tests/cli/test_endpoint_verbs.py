"""The verbs predict and serve: their options, what they print, their exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from rapideval.cli import main
from rapideval.endpoint.samples import images

SECRET = "live_7f3a9c0b1d2e4f5a6b7c"


def rapideval(*args, **environment):
    return CliRunner(env={"SCALE_API_KEY": "", **environment}).invoke(main, [str(arg) for arg in args])


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """`rapideval serve --json` in a process of its own: what it announced, and its folder."""
    folder = tmp_path_factory.mktemp("served")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "SCALE_API_KEY": ""}
    process = subprocess.Popen(
        [sys.executable, "-m", "rapideval", "serve", "--port", "0", "--json"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    lines = ""
    while not lines.endswith("}\n"):
        line = process.stdout.readline()
        assert line, "the server ended"
        lines += line
    yield json.loads(lines), folder
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) in (0, -signal.SIGTERM)


def test_images_go_to_a_served_model_and_the_answers_are_saved(served, tmp_path):
    told, folder = served
    assert "v1-detection" in told["endpoints"]
    common = ["--url", told["url"], "--key-file", folder / told["key_file"], "--out", tmp_path]
    found = images()[:3]
    run = rapideval("predict", "v1-detection", *found, *common, "--json")
    assert run.exit_code == 0, run.output
    told_back = json.loads(run.stdout)
    assert (told_back["images"], told_back["answered"], told_back["failed"]) == (3, 3, [])
    lines = (tmp_path / "answers.jsonl").read_text().splitlines()
    assert [json.loads(line)["images"] for line in lines] == [[path.name] for path in found]
    again = rapideval("predict", "v1-detection", *found, *common)
    assert again.exit_code == 0
    assert "answered" in again.stdout


def test_images_that_fail_are_told_and_the_exit_code_is_1(served, tmp_path):
    told, folder = served
    (tmp_path / "a.png").write_bytes(b"no picture")
    common = ["--url", told["url"], "--key-file", folder / told["key_file"], "--out", tmp_path / "run"]
    run = rapideval("predict", "v1-detection", tmp_path / "a.png", *common)
    assert run.exit_code == 1
    assert "failed a.png" in run.stdout
    assert "image-format" in run.stdout


def test_no_access_is_exit_code_2_without_a_traceback(served, tmp_path):
    told, _ = served
    run = rapideval("predict", "v1", "s3://b/a.jpg", "--url", told["url"], "--out", tmp_path, SCALE_API_KEY=SECRET)
    assert run.exit_code == 2
    assert "refuses the API key" in run.stderr
    assert "Traceback" not in run.output
    assert SECRET not in run.output


def test_a_key_made_for_the_endpoint_is_kept_in_a_file_of_its_owner(served):
    told, folder = served
    assert (folder / told["key_file"]).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("args", [[SECRET, "a.jpg"], ["model", SECRET]])
def test_a_key_on_the_command_line_is_refused_without_showing_it(args, tmp_path):
    run = rapideval("predict", *args, "--out", tmp_path)
    assert run.exit_code == 2
    assert "revoke it" in run.stderr
    assert SECRET not in run.output


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["predict", "m", "s3://b/a.jpg", "--out", "run"], "SCALE_API_KEY"),
        (["predict", "m", "nowhere", "--out", "run", "--key-file", "key"], "nowhere"),
        (["predict", "m", "s3://b/a", "--out", "run", "--key-file", "key", "--url", "http://h.example"], "unencrypted"),
        (["serve", "--model", "x"], "NAME=MODEL"),
        (["serve", "--model", "a=b"], "no model"),
        (["serve", "--model", "a=m:f", "--model", "a=m:g"], "given twice"),
        (["serve", "--model", "a=m:f", "--production", "b"], "no such model version"),
        (["serve", "--map", "s3://b/=nowhere"], "no folder nowhere"),
        (["serve", "--host", "256.1.1.1", "--port", "0"], "cannot listen"),
    ],
)
def test_wrong_usage_is_said(args, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key").write_text(SECRET)
    (tmp_path / "key").chmod(0o600)
    run = rapideval(*args)
    assert run.exit_code == 2, run.output
    assert says in run.stderr.replace("\n", " ")


def test_a_port_in_use_is_said_and_which(served, tmp_path, monkeypatch):
    told, _ = served
    monkeypatch.chdir(tmp_path)
    port = told["url"].rpartition(":")[2]
    run = rapideval("serve", "--port", port)
    assert run.exit_code == 2
    assert f"port {port} of 127.0.0.1 is in use" in run.stderr
