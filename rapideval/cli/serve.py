"""``rapideval serve``: model versions on this machine, behind the hosted endpoints' protocol."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rapideval.cli.help import Verb
from rapideval.cli.options import json_option
from rapideval.cli.output import page, print_json

if TYPE_CHECKING:
    from rapideval.endpoint.secrets import ApiKey

__all__ = ["command"]

_TASKS = ("instance", "detection", "semantic")
_BUILTIN = {f"{version}-{task}": f"builtin:{version}/{task}" for task in _TASKS for version in ("v1", "v2")}


@click.command(
    "serve",
    cls=Verb,
    examples=(
        ("The built-in segmenters, to try things out", "rapideval serve"),
        ("Your own model: a function of an image (H, W, 3)", "rapideval serve --model v1=package.module:function"),
        ("Two versions, one of them in production", "rapideval serve --model a=m:f --model b=m:g --production b"),
        ("Answers that were recorded", "rapideval serve --model v1=replay:run/answers.jsonl"),
        ("A folder in the place of a bucket", "rapideval serve --model v1=m:f --map s3://bucket/=images/"),
    ),
)
@click.option("--model", "models", multiple=True, metavar="NAME=MODEL", help="A model version; repeatable.")
@click.option("--production", metavar="NAME", help="The version of the production endpoint, which is then enabled.")
@click.option("--host", default="127.0.0.1", help="Where to listen; 0.0.0.0 is everywhere.")
@click.option("--port", type=click.IntRange(0, 65535), default=8077, help="0 takes a free one.")
@click.option("--key-file", type=click.Path(dir_okay=False), help="File of the key.  [default: $SCALE_API_KEY, or new]")
@click.option("--state", type=click.Path(file_okay=False), default=".rapideval/serve", help="Folder of its tasks.")
@click.option("--workers", type=click.IntRange(1), default=1, help="Most workers of a regular endpoint.")
@click.option("--cool-down", type=click.FloatRange(0), default=60.0, help="Idle seconds until a worker ends.")
@click.option("--production-workers", type=click.IntRange(1), default=1, help="Workers that are always warm.")
@click.option("--task-timeout", type=click.FloatRange(0, min_open=True), default=120.0, help="Seconds a task may take.")
@click.option("--queue", type=click.IntRange(1), default=1000, help="Tasks that may wait at an endpoint.")
@click.option("--max-pixels", type=click.IntRange(1), help="Largest image.  [default: 89478485]")
@click.option("--map", "maps", multiple=True, metavar="PREFIX=FOLDER", help="A folder in place of URLs; repeatable.")
@click.option("--allow-private-urls", is_flag=True, help="Fetch images from inside the network too.")
@click.option(
    "--unknown-task",
    type=click.Choice(["missing", "pending"]),
    default="missing",
    help="What a poll for an unknown task is told: 404, or pending for ever as the hosted service says.",
)
@json_option
def command(
    models: tuple[str, ...],
    production: str | None,
    host: str,
    port: int,
    key_file: str | None,
    state: str,
    workers: int,
    cool_down: float,
    production_workers: int,
    task_timeout: float,
    queue: int,
    max_pixels: int | None,
    maps: tuple[str, ...],
    allow_private_urls: bool,
    unknown_task: Any,
    as_json: bool,
) -> None:
    """Serve model versions here, as hosted endpoints do.

    MODEL is package.module:function (an image in, its payload out), replay:PATH of recorded answers, or
    builtin:VERSION/TASK; without any the built-in ones are served. Each version has a regular endpoint of its name,
    whose worker starts on demand; one version can have the production endpoint too, whose workers are always warm.
    Tasks are kept in the folder of --state and go on after a restart.
    """
    import logging
    from dataclasses import replace

    from rapideval.endpoint.protocol import V0_BASE
    from rapideval.endpoint.server.app import Settings
    from rapideval.endpoint.server.limits import Limits, Places
    from rapideval.endpoint.server.models import ModelSource
    from rapideval.endpoint.server.run import bind, run

    versions = {name: ModelSource.parse(text) for name, text in (_named(models, "--model") or _BUILTIN).items()}
    if production is not None and production not in versions:
        raise click.UsageError(f"--production {production}: no such model version; there are {', '.join(versions)}")
    limits = Limits(task_seconds=task_timeout, queue=queue)
    folders = tuple((prefix, _folder(folder)) for prefix, folder in _named(maps, "--map").items())
    settings = Settings(
        versions=versions,
        state=Path(state),
        production=production,
        workers=workers,
        cool_down=cool_down,
        production_workers=production_workers,
        limits=replace(limits, pixels=max_pixels) if max_pixels else limits,
        places=Places(folders, allow_private_urls),
        unknown_task=unknown_task,
        path=(str(Path.cwd()),),
    )
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    listening = bind(host, port)
    address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
    settings.state.mkdir(parents=True, exist_ok=True)
    key, made, kept = _key(key_file, settings.state)

    def ready() -> None:
        if as_json:
            from rapideval.cli.documents import Serving

            print_json(Serving(address, address + V0_BASE, kept, list(versions)))
            return
        rows = [("serving", address), ("endpoints", ", ".join(versions))]
        if production:
            rows.append(("production", production))
        rows.append(("key", f"{made.reveal()} (kept in {kept})" if made else kept or "from SCALE_API_KEY"))
        rows.append(("playground", f"{address}/playground" + (f"#key={made.reveal()}" if made else "")))
        click.echo(page().pairs(rows, indent=0))

    run(settings, key, listening, ready)


def _named(texts: tuple[str, ...], option: str) -> dict[str, str]:
    named: dict[str, str] = {}
    for text in texts:
        # the prefix of a map is a URL, which may hold an equals sign
        name, equals, value = text.rpartition("=") if option == "--map" else text.partition("=")
        if not (name and equals and value) or (option == "--model" and "/" in name):
            expected = "PREFIX=FOLDER" if option == "--map" else "NAME=MODEL"
            raise click.UsageError(f"{option} {text!r}: expected {expected}")
        if name in named:
            raise click.UsageError(f"{option}: {name!r} is given twice")
        named[name] = value
    return named


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise click.UsageError(f"--map: no folder {text}")
    return Path(text).absolute()


def _key(key_file: str | None, state: Path) -> tuple[ApiKey, ApiKey | None, str | None]:
    """The key, the same if it is one made for this endpoint alone (which may be shown), and the file it is in."""
    import os

    from rapideval.endpoint.local import new_key
    from rapideval.endpoint.secrets import KEY_VARIABLE, read_key, read_key_file

    if key_file is not None:
        if not Path(key_file).exists():
            new_key().write(Path(key_file))
        return read_key_file(Path(key_file)), None, key_file
    if os.environ.get(KEY_VARIABLE, "").strip():
        return read_key(), None, None
    path = state / "key"
    if not path.exists():
        new_key().write(path)
    key = read_key_file(path)
    return key, key, str(path)
