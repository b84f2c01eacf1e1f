"""``rapideval predict``: images to a hosted endpoint, and every answer kept."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rapideval.cli.help import Verb
from rapideval.cli.options import json_option
from rapideval.cli.output import announce, page, print_json

if TYPE_CHECKING:
    from rapideval.endpoint.prediction import Progress
    from rapideval.endpoint.results import Results

__all__ = ["command"]

_SHOWN_FAILURES = 10
_KEY_PREFIXES = ("live_", "test_")


def _never_a_key(_ctx: click.Context, _param: click.Parameter, value: Any) -> Any:
    """Refuse an argument that looks like a key: what is typed here stays in the shell's history."""
    for text in value if isinstance(value, tuple) else (value,):
        if isinstance(text, str) and text.startswith(_KEY_PREFIXES) and not Path(text).exists():
            raise click.BadParameter(
                "this looks like an API key, which is now in your shell's history: revoke it, and put the new one into"
                " the variable SCALE_API_KEY or a file (--key-file)"
            )
    return value


@click.command(
    "predict",
    cls=Verb,
    examples=(
        ("A folder of images, to the hosted service", "rapideval predict car-model images/ --out run/"),
        ("Images in a bucket", "rapideval predict car-model truth.json --url-prefix s3://b/ --out run/"),
        ("To a local endpoint", "rapideval predict v1 images/ --url http://127.0.0.1:8077 --key-file key --out run/"),
        ("Go on where a run ended, or was killed: the same again", "rapideval predict car-model images/ --out run/"),
        ("What to do with it", "rapideval evaluate truth.json run/answers.jsonl"),
    ),
    exit_codes=(
        (0, "every image was answered"),
        (1, "some images failed; the others' answers are kept"),
        (2, "wrong usage, no access, or the endpoint does not answer; what was answered is kept"),
    ),
)
@click.argument("endpoint", callback=_never_a_key)
@click.argument("images", nargs=-1, required=True, callback=_never_a_key)
@click.option("--out", type=click.Path(file_okay=False), required=True, help="Folder of the run: journal and answers.")
@click.option("--url", "base_url", metavar="URL", help="Where the service is, if it is not the hosted one.")
@click.option("--api", "dialect", type=click.Choice(["v0", "v1"]), default="v0", help="Dialect of the service.")
@click.option("--key-file", type=click.Path(dir_okay=False), help="File of the API key. [default: $SCALE_API_KEY]")
@click.option("--batch", type=click.IntRange(1), default=1, help="Images of one task.")
@click.option("--in-flight", type=click.IntRange(1), default=32, help="Tasks at the endpoint at a time.")
@click.option("--task-timeout", type=click.FloatRange(0, min_open=True), default=600.0, help="Seconds a task may take.")
@click.option("--patience", type=click.FloatRange(0), default=300.0, help="Seconds to try a request again for.")
@click.option("--url-prefix", metavar="PREFIX", help="Send PREFIX + path as URL, instead of the images' pixels.")
@click.option("--image-folder", type=click.Path(exists=True, file_okay=False), help="Where a COCO file's images are.")
@click.option("--scale-s3", is_flag=True, help="s3:// URLs are of the service's own bucket (scale_s3_url).")
@click.option("--no-split", is_flag=True, help="Do not send the images of a failed batch again one by one.")
@click.option("--retry-failed", is_flag=True, help="Send images again that failed in an earlier run.")
@click.option("--allow-http", is_flag=True, help="Let the key travel unencrypted to another machine.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    endpoint: str,
    images: tuple[str, ...],
    out: str,
    base_url: str | None,
    dialect: Any,
    key_file: str | None,
    batch: int,
    in_flight: int,
    task_timeout: float,
    patience: float,
    url_prefix: str | None,
    image_folder: str | None,
    scale_s3: bool,
    no_split: bool,
    retry_failed: bool,
    allow_http: bool,
    as_json: bool,
) -> None:
    """Send images to a hosted endpoint and keep every answer.

    IMAGES are folders, image files, URLs, text files with a URL or path a line (- is the standard input), or COCO
    files. Every task is written to a journal in the folder of --out before it is sent, and every answer before it
    counts, so that a run which is stopped or killed goes on where it was. Answers are saved as answers.jsonl there.
    """
    from rapideval.endpoint.prediction import Plan, predict

    plan = Plan(batch=batch, in_flight=in_flight, task_seconds=task_timeout, scale_s3_url=scale_s3, split=not no_split)
    bar = _Bar()
    try:
        results = predict(
            list(images),
            endpoint,
            out,
            key_file=key_file,
            base_url=base_url,
            dialect=dialect,
            url_prefix=url_prefix,
            image_folder=image_folder,
            plan=plan,
            retry_failed=retry_failed,
            patience=patience,
            allow_http=allow_http,
            watch=bar.show if sys.stderr.isatty() else None,
        )
    except KeyboardInterrupt:
        bar.close()
        announce("stopped; what was answered is kept: the same command goes on from there")
        raise
    finally:
        bar.close()
    with results:
        failed = _finish(results, Path(out) / "answers.jsonl", as_json)
    if failed:
        ctx.exit(1)


def _finish(results: Results, saved: Path, as_json: bool) -> bool:
    """Save the answers, and say what came of the run; whether images failed."""
    results.save(saved)
    counts, failures = results.counts, results.failures
    if as_json:
        from rapideval.cli.documents import FailedImage, Prediction

        listed = [FailedImage(item.image, item.state, item.reason, item.task_id) for item in failures]
        print_json(Prediction(str(saved), counts.images, counts.answered, counts.tasks, counts.uncertain, listed))
        return bool(failures)
    paper = page()
    rows = [("images", f"{counts.images:,}"), ("answered", f"{counts.answered:,}"), ("failed", f"{len(failures):,}")]
    if counts.uncertain:
        rows.append(("sent twice, perhaps", f"{counts.uncertain:,} tasks: the answer to the first submission was lost"))
    click.echo(paper.pairs([*rows, ("saved", str(saved))], indent=0))
    for item in failures[:_SHOWN_FAILURES]:
        reason = item.reason.strip().rpartition("\n")[2]
        click.echo(f"{paper.mark(item.state, 'error')} {_clean(item.image)}: {_clean(reason)}")
    if len(failures) > _SHOWN_FAILURES:
        click.echo(f"… and {len(failures) - _SHOWN_FAILURES:,} more: --json lists them all")
    return bool(failures)


def _clean(text: str) -> str:
    from rapideval.payloads import redact
    from rapideval.report.text import clean

    return clean(redact(text))


class _Bar:
    """A bar on a terminal's stderr: how far, how fast, how many failed."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    def show(self, progress: Progress) -> None:
        """Show how far a run is."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        if self._bar is None:
            columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
            self._bar = RichProgress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("", total=progress.counts.images)
            self._bar.start()
        counts = progress.counts
        said = f"{progress.rate:,.1f} images/s" + (f", {counts.failed:,} failed" if counts.failed else "")
        self._bar.update(self._task, completed=counts.answered + counts.failed, description=said)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
