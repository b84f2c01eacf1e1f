"""``rapideval demo``: everything it promises is there, twice the same, and nobody's files are touched."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import rapideval
from rapideval.cli import main


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "out"
    result = CliRunner().invoke(main, ["demo", "--offline", "--out", str(out), "--json"])
    assert result.exit_code == 0, result.output
    (out.parent / "document.json").write_text(result.stdout, encoding="utf-8")
    return out


def document(made: Path) -> dict:
    return json.loads((made.parent / "document.json").read_text("utf-8"))


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_every_file_it_names_is_there(made: Path) -> None:
    told = document(made)
    files = [*told["exports"], *told["pictures"]]
    assert len(files) == 8
    assert all(Path(file).stat().st_size > 0 for file in files)
    for picture in told["pictures"]:
        assert Image.open(picture).size[0] >= 1000


@pytest.mark.parametrize(("task", "kind"), [("detection", "bbox"), ("instance", "segm")])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_scores_are_those_of_pycocotools(made: Path, task: str, kind: str, version: str) -> None:
    answers = made / "answers"
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(made / "ground_truth.json")
        rows = results_of(rapideval.parse(answers / f"{version}-{task}.json", request=answers / "request.json"), truth)
        reference = COCOeval(truth, truth.loadRes(rows), kind)
        reference.evaluate()
        reference.accumulate()
        reference.summarize()
    scores = document(made)["scores"][version][task]
    assert [scores[name] for name in ("AP", "AP50", "AP75")] == reference.stats[:3].tolist()


def results_of(answer: rapideval.Answer, truth: COCO) -> list[dict]:
    """COCO results, made without any code that writes or joins."""
    images = {image["file_name"]: image["id"] for image in truth.dataset["images"]}
    labels = {category["name"]: category["id"] for category in truth.dataset["categories"]}
    return [
        {
            "image_id": images[row.image.rsplit("/", 1)[-1]],
            "category_id": labels[row.label],
            "score": row.score,
            **({"bbox": list(row.box)} if row.masks is None else {"segmentation": row.masks.to_coco()[0]}),
        }
        for row in answer.require()
    ]


def test_exports_hold_the_same_masks(made: Path) -> None:
    expected = rapideval.read(made / "v2.rle.jsonl").annotations.masks
    outlines = rapideval.read(made / "v2.geojson").with_masks().annotations.masks
    assert outlines == expected


def test_a_second_run_writes_the_same_bytes(made: Path) -> None:
    before = hashes(made)
    result = CliRunner().invoke(main, ["demo", "--offline", "--out", str(made)])
    assert result.exit_code == 0, result.output
    assert hashes(made) == before


def test_it_tells_where_all_is_and_what_got_worse(made: Path) -> None:
    result = CliRunner().invoke(main, ["demo", "--offline", "--out", str(made)])
    for part in ("v2.geojson", "overlay-v2.png", "ground_truth.json", "AP of word", "mIoU", "rapideval evaluate"):
        assert part in result.output


def test_an_endpoint_that_is_asked_gives_what_was_recorded(made: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["demo", "--out", str(tmp_path / "out"), "--json"])
    assert result.exit_code == 0, result.output
    fresh, recorded = json.loads(result.stdout), document(made)
    assert (fresh["answers"], recorded["answers"]) == ("endpoint", "recorded")
    assert fresh["scores"] == recorded["scores"]
    assert fresh["verdict"] == recorded["verdict"]
    answers = sorted(path.name for path in (made / "answers").glob("v?-*.json"))
    assert len(answers) == 6
    for name in answers:
        asked = json.loads((tmp_path / "out" / "answers" / name).read_bytes())
        assert asked == json.loads((made / "answers" / name).read_bytes())


def test_without_the_server_the_recorded_answers_are_taken_and_that_is_said(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("rapideval.endpoint.demonstration.server_is_installed", lambda: False)
    result = CliRunner().invoke(main, ["demo", "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "pip install 'rapideval[server]'" in result.output


def test_an_interrupted_demo_leaves_no_process_behind(tmp_path: Path, project_root: Path) -> None:
    if os.name != "posix":
        pytest.skip("signals are sent as POSIX has them")
    environment = {**os.environ, "PYTHONPATH": str(project_root), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "rapideval", "demo", "--out", str(tmp_path / "out")]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    ends = time.monotonic() + 20
    while not children_of(process.pid) and time.monotonic() < ends:
        time.sleep(0.02)
    started = children_of(process.pid)
    assert started
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]


def children_of(pid: int) -> list[int]:
    """Processes that a process started, by the system's own list."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [int(child) for child in listed]


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = CliRunner().invoke(main, ["demo", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "--out" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    assert CliRunner().invoke(main, ["demo", "--out", str(tmp_path / "out")]).exit_code == 2
    assert (tmp_path / "out").read_text() == "a file"


def test_the_whole_process_takes_less_than_ten_seconds_of_one_core(tmp_path: Path, project_root: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": str(project_root)}
    subprocess.run(
        [sys.executable, "-m", "rapideval", "demo", "--offline"],
        cwd=tmp_path,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (tmp_path / "rapideval-demo" / "overlay-v2.png").is_file()
    assert after.ru_utime - before.ru_utime < 10
