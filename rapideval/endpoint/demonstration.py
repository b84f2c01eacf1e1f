"""The demonstration's answers, asked anew: its photographs go through the client to two versions served here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from rapideval.endpoint import samples
from rapideval.errors import EndpointError

__all__ = ["ask_again", "server_is_installed"]

_SERVER = ("starlette", "uvicorn", "httpcore")


def server_is_installed() -> bool:
    """Whether what the local endpoint needs beside rapideval is there (the extra ``server``)."""
    return all(find_spec(name) is not None for name in _SERVER)


def ask_again(folder: Path, done: Callable[[], None] = lambda: None) -> int:
    """Serve both versions on a free port, send them the photographs, keep each answer as it was received.

    Parameters
    ----------
    folder
        Where the answers go: ``v1-detection.json`` and so on, each as long as the recorded one is.
    done
        Called after each of the six answers.

    Returns
    -------
    int
        How many images were answered, of all versions and tasks together.

    Raises
    ------
    EndpointError
        Where the endpoint does not start, or an image has no answer. It is stopped in any case.
    """
    import tempfile
    from concurrent.futures import ThreadPoolExecutor

    from rapideval.endpoint.local import LocalEndpoint
    from rapideval.endpoint.prediction import Plan, predict

    names = [f"{version}-{task}" for version in samples.VERSIONS for task in samples.TASKS]
    models = {name: f"builtin:{name.replace('-', '/')}" for name in names}
    photographs = samples.images()
    plan = Plan(batch=len(photographs))
    with tempfile.TemporaryDirectory(prefix="rapideval-demo-") as journals, LocalEndpoint(models) as endpoint:

        def ask(name: str) -> None:
            journal = Path(journals) / name
            with predict(photographs, name, journal, key=endpoint.key, base_url=endpoint.url, plan=plan) as results:
                if results.failures:
                    raise EndpointError(f"{name} gave no answer: {results.failures[0].reason}")
                (answered,) = results.answers()
            _check_order(answered.images, photographs)
            (folder / f"{name}.json").write_bytes(answered.body)
            done()

        with ThreadPoolExecutor(len(names)) as pool:
            list(pool.map(ask, names))
    return len(names) * len(photographs)


def _check_order(images: Sequence[str], photographs: Sequence[Path]) -> None:
    """The answers name no images, their order does: it must be that of the request they are read with."""
    if [Path(image).name for image in images] != [path.name for path in photographs]:
        raise EndpointError("the answers are not in the order of the photographs")
