"""``rapideval demo``: the whole way, from recorded answers of two model versions to a decision, on photographs."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import click

from rapideval.cli.help import Verb
from rapideval.cli.options import json_option
from rapideval.cli.output import page, print_json, progress
from rapideval.errors import UsageError

if TYPE_CHECKING:
    from rapideval.cli.documents import Demonstration
    from rapideval.judge import GateResult
    from rapideval.metrics import Evaluation
    from rapideval.metrics.protocol import Task
    from rapideval.model import Dataset
    from rapideval.report.text import Cell

__all__ = ["command"]

# Present in every folder that the demo made, so that it may write over its own files and no one else's.
_MARK = ".rapideval-demo"
_EXPORTS = {"coco-results": "coco.json", "rle": "rle.jsonl", "geojson": "geojson"}
_KINDS: dict[Task, str] = {"detection": "boxes", "instance": "masks", "semantic": "semantic masks"}
_SHOWN_FROM = 0.25  # detections of a lower score are not drawn


class _Run(NamedTuple):
    """One version's answer to one task."""

    version: str
    task: Task
    truth: Dataset
    predictions: Dataset
    evaluation: Evaluation
    read_ms: float
    scored_ms: float


@click.command(
    "demo",
    cls=Verb,
    examples=(
        ("Try everything on photographs that are installed with rapideval", "rapideval demo"),
        ("With answers that were recorded, without starting an endpoint", "rapideval demo --offline"),
    ),
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("rapideval-demo"),
    help="Folder for what is written; an earlier demo's is written over.",
)
@click.option("--offline", is_flag=True, help="Take the recorded answers; start no local endpoint.")
@json_option
def command(out: Path, offline: bool, as_json: bool) -> None:
    """Go the whole way on photographs that come with rapideval.

    Two versions of a small segmenter are served by a local endpoint and sent 23 photographs with 67 labelled objects:
    coins and words. Their answers are parsed, exported, scored as boxes, as masks and as semantic masks, drawn, and
    held against a policy. The local endpoint needs the extra rapideval[server]; without it, and with --offline, the
    answers are those that were recorded.
    """
    from rapideval.judge import Policy, gate
    from rapideval.report.verdicts import gate_text

    started = time.perf_counter()
    _claim(out)
    _copy_inputs(out)
    asked = _ask(out, offline)
    runs = [_run(out, version, task) for version in ("v1", "v2") for task in _KINDS]
    masks = [run for run in runs if run.task == "instance"]
    exports = [export for run in masks for export in _export(out, run)]
    pictures = [_draw(out, run) for run in masks]
    for run in masks:
        run.evaluation.save(out / f"{run.version}.parquet")
    policy = out / "gate.toml"
    verdict = gate(masks[0].evaluation, masks[1].evaluation, Policy.read(policy), source=str(policy))
    report = _report(out, masks, verdict)
    seconds = time.perf_counter() - started
    if as_json:
        print_json(_document(out, asked, runs, exports, pictures, report, verdict))
        return
    parts = (
        _told_answers(runs, asked),
        _told_exports(exports),
        _told_scores(runs),
        gate_text(verdict, page()),
        _told_end(out, pictures, report, seconds),
    )
    click.echo("\n\n".join(part.rstrip() for part in parts))


# --- what is done --------------------------------------------------------------------------------


def _claim(out: Path) -> None:
    """Make the folder, or take an earlier demo's; refuse one that holds anything else."""
    if out.is_dir() and any(out.iterdir()) and not (out / _MARK).exists():
        raise UsageError(f"{out} holds files that no demo made; name another folder with --out")
    out.mkdir(parents=True, exist_ok=True)
    (out / _MARK).write_text("The files beside this one were made by: rapideval demo\n", encoding="utf-8")


def _copy_inputs(out: Path) -> None:
    """Copy the holdout and the answers, so that they can be looked at and tried with other commands."""
    from rapideval.endpoint import samples

    for name in ("images", "answers"):
        shutil.copytree(samples.folder() / name, out / name, dirs_exist_ok=True)
    for task in ("instance", "semantic"):
        path = samples.ground_truth(task)
        shutil.copyfile(path, out / path.name)
    shutil.copyfile(samples.policy(), out / samples.policy().name)


class _Asked(NamedTuple):
    """Where the answers are from."""

    source: str
    images: int
    seconds: float

    @property
    def told(self) -> str:
        if self.source == "endpoint":
            return f"of a local endpoint, to {self.images} images sent through the client in {self.seconds:.1f} s"
        if self.source == "recorded":
            return "recorded from a hosted endpoint"
        return "recorded; with pip install 'rapideval[server]' a local endpoint is asked instead"


def _ask(out: Path, offline: bool) -> _Asked:
    """Ask a local endpoint of both versions, unless that is not wanted or not possible."""
    from rapideval.endpoint.demonstration import ask_again, server_is_installed

    if offline:
        return _Asked("recorded", 0, 0)
    if not server_is_installed():
        return _Asked("recorded, no server", 0, 0)
    began = time.perf_counter()
    with progress("asking a local endpoint", 6, least=1) as advance:
        images = ask_again(out / "answers", advance)
    return _Asked("endpoint", images, time.perf_counter() - began)


def _run(out: Path, version: str, task: Task) -> _Run:
    from rapideval import evaluate, parse, read
    from rapideval.model import align

    truth = read(out / ("ground_truth_semantic.json" if task == "semantic" else "ground_truth.json"))
    answers = out / "answers"
    began = time.perf_counter()
    answer = parse(answers / f"{version}-{task}.json", request=answers / "request.json")
    read_at = time.perf_counter()
    evaluation = evaluate(truth, answer.require(), task)
    summary_at = time.perf_counter()
    joined = align(truth, answer.require())
    milliseconds = (1000 * (read_at - began), 1000 * (summary_at - read_at))
    return _Run(version, task, joined.ground_truth, joined.predictions, evaluation, *milliseconds)


class _Export(NamedTuple):
    version: str
    format: str
    path: Path
    lost: str


def _export(out: Path, run: _Run) -> list[_Export]:
    from rapideval import write

    made = []
    for name, suffix in _EXPORTS.items():
        path = out / f"{run.version}.{suffix}"
        lost = write(run.predictions, path, name)
        made.append(
            _Export(run.version, name, path, ", ".join(one.kind.replace("_", " ") for one in lost) or "nothing")
        )
    return made


def _draw(out: Path, run: _Run) -> Path:
    from rapideval.metrics import DetectionEvaluation
    from rapideval.report.overlay import outcomes, sheet

    assert isinstance(run.evaluation, DetectionEvaluation)
    photographs = {path.name: path for path in sorted((out / "images").glob("*.png"))}
    layers = outcomes(run.truth, run.predictions, run.evaluation.matches, _SHOWN_FROM)
    path = out / f"overlay-{run.version}.png"
    sheet(photographs, layers).save(path, optimize=True)
    return path


def _report(out: Path, masks: list[_Run], verdict: GateResult) -> Path | None:
    """Write the page of the verdict; None where the extra that draws its charts is not installed."""
    from importlib.util import find_spec

    if find_spec("altair") is None or find_spec("vl_convert") is None:
        return None
    from rapideval.cli.evaluations import Pair, write_page
    from rapideval.judge import compare

    pair = Pair(masks[0].evaluation, masks[1].evaluation)
    path = out / "report.html"
    write_page(pair, compare(*pair[:2]), verdict, str(path), str(out / "images"), None)
    return path


# --- what is told --------------------------------------------------------------------------------


def _told_answers(runs: list[_Run], asked: _Asked) -> str:
    from rapideval.report.text import Column

    sheet = page()
    rows = [
        (
            run.version,
            _KINDS[run.task],
            f"{len(run.predictions):,}",
            f"{len(run.predictions.images):,}",
            f"{run.read_ms:.1f}",
            f"{run.scored_ms:.1f}",
        )
        for run in runs
    ]
    columns = [
        Column("version", "<"),
        Column("answers with", "<"),
        Column("objects"),
        Column("images"),
        Column("parsed in ms"),
        Column("scored in ms"),
    ]
    return sheet.heading("Answers", asked.told) + "\n" + sheet.table(columns, rows)


def _told_exports(exports: list[_Export]) -> str:
    from rapideval.report.text import Column

    sheet = page()
    rows = [(export.version, export.format, str(export.path), export.lost) for export in exports]
    columns = [Column("version", "<"), Column("format", "<"), Column("file", "<", keep=1), Column("lost", "<", True)]
    return sheet.heading("Exports", "masks of both versions") + "\n" + sheet.table(columns, rows)


def _told_scores(runs: list[_Run]) -> str:
    from rapideval.report.text import Column

    sheet = page()
    rows: list[tuple[Cell, ...]] = []
    for task, kind in _KINDS.items():
        first, second = (_numbers(run.evaluation) for run in runs if run.task == task)
        rows += [(kind, name, *_compared(first[name], second[name])) for name in first]
    columns = [Column("scored as", "<"), Column("number", "<"), Column("v1"), Column("v2"), Column("change")]
    return sheet.heading("Scores", "v2 against v1") + "\n" + sheet.table(columns, rows)


def _numbers(evaluation: Evaluation) -> dict[str, float]:
    """The numbers that the demo shows: of all labels together, then AP of each."""
    if evaluation.task == "semantic":
        return {name: evaluation.summary[name] for name in ("mIoU", "mDice", "pixel accuracy")}
    together = {name: evaluation.summary[name] for name in ("AP", "AP50", "AP75")}
    return together | {f"AP of {row['label']}": row["AP"] for row in evaluation.label_table().rows()}


def _compared(first: float, second: float) -> tuple[Cell, Cell, Cell]:
    from rapideval.report.text import number

    change = second - first
    text = f"{change:+.3f}".replace("-", "−")
    return number(first), number(second), (text, "good" if change > 0 else "error" if change < 0 else "")


def _told_end(out: Path, pictures: list[Path], report: Path | None, seconds: float) -> str:
    sheet = page()
    found = [
        ("the whole verdict", str(report) if report else "with pip install 'rapideval[report]': a page, report.html"),
        ("what they found", "\n".join(str(path) for path in pictures)),
        ("photographs", str(out / "images")),
        ("ground truth", str(out / "ground_truth.json")),
        ("answers", str(out / "answers")),
        ("policy", str(out / "gate.toml")),
    ]
    answer, request = out / "answers" / "v2-detection.json", out / "answers" / "request.json"
    lines = [
        sheet.heading(f"All of it is in {out}", f"made in {seconds:.1f} s"),
        sheet.pairs(found),
        "",
        sheet.heading("Try next"),
        f"  rapideval evaluate {out / 'ground_truth.json'} {answer} --request {request}",
        f"  rapideval gate {out / 'v1.parquet'} {out / 'v2.parquet'} --policy {out / 'gate.toml'}",
    ]
    return "\n".join(lines)


def _document(
    out: Path,
    asked: _Asked,
    runs: list[_Run],
    exports: list[_Export],
    pictures: list[Path],
    report: Path | None,
    verdict: GateResult,
) -> Demonstration:
    from rapideval.cli.documents import Demonstration

    scores: dict[str, dict[str, dict[str, float | None]]] = {}
    for run in runs:
        scores.setdefault(run.version, {})[run.task] = {**_numbers(run.evaluation)}
    answers: Literal["endpoint", "recorded"] = "endpoint" if asked.source == "endpoint" else "recorded"
    return Demonstration(
        str(out),
        answers,
        [str(export.path) for export in exports],
        [str(path) for path in pictures],
        None if report is None else str(report),
        scores,
        verdict.verdict,
    )
