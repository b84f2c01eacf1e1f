"""A worker process: one model version, loaded once, answering tasks from its standard input.

Run as ``python -m rapideval.endpoint.server.worker`` by the server alone. Whatever the model does to this process
(hangs, exits, takes all memory, crashes the interpreter) happens to this process and to one task.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import traceback
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from rapideval.endpoint.server import frames
from rapideval.endpoint.server.limits import Limits, Places
from rapideval.endpoint.server.models import Model, ModelSource, load, payload_json
from rapideval.errors import RapidevalError

__all__ = ["Setup", "answer_task", "main"]

# Above this, an answer is kept compressed: nested lists of 0 and 1 shrink a hundredfold.
_PACK_ABOVE = 4096
_PACK_LEVEL = 1

_PARENT_CHECK_SECONDS = 1.0
_OUT_OF_MEMORY_FIRST = "500"


class Setup(msgspec.Struct):
    """What a worker is told before its first task."""

    model: str
    limits: Limits
    folders: list[tuple[str, str]]
    private: bool
    path: list[str]

    @property
    def places(self) -> Places:
        """Where images may come from."""
        return Places(tuple((prefix, Path(folder)) for prefix, folder in self.folders), self.private)


def main() -> None:
    """Serve tasks until the pipe ends."""
    tasks, answers = _take_pipes()
    _leave_with_parent()
    first = frames.read_from(tasks)
    if first is None:
        return
    setup = msgspec.convert(first[0], Setup)
    sys.path[:0] = [folder for folder in setup.path if folder not in sys.path]
    started = time.perf_counter()
    try:
        model = load(ModelSource(setup.model), setup.places, setup.limits)
        import rapideval.payloads.parsing  # noqa: F401 - a warm worker has what its first task needs
    except BaseException as error:
        _send(answers, {"ready": False}, _told(error).encode())
        return
    _send(answers, {"ready": True, "seconds": time.perf_counter() - started})
    while (message := frames.read_from(tasks)) is not None:
        started = time.perf_counter()
        try:
            body = answer_task(model, message[1], setup.limits)
            ok = True
        except BaseException as error:  # SystemExit too: a model does not end the worker
            body, ok = msgspec.json.encode(_told(error)), False
        seconds = time.perf_counter() - started
        packed = len(body) > _PACK_ABOVE
        if packed:
            body = zlib.compress(body, _PACK_LEVEL)
        _send(answers, {"ok": ok, "seconds": seconds, "packed": packed}, body)


def answer_task(model: Model, args: bytes, limits: Limits) -> bytes:
    """What a task's answer holds as result: a JSON string that holds JSON.

    One dict per image, in a list, as RESULT_PAYLOAD is documented; a single ``image_url`` whose answer is a semantic
    mask gives the dict alone, as the documentation's Python example shows.
    """
    given: dict[str, Any] = msgspec.json.decode(args)
    single = "image_url" in given
    references = [given["image_url"]] if single else given.get("image_urls") or given.get("images") or []
    payloads = [model.answer(reference, _where(index, reference)) for index, reference in enumerate(references)]
    _check(payloads)
    texts = [bytes(p) if isinstance(p, msgspec.Raw) else payload_json(p) for p in payloads]
    if single and texts[0].startswith(b'{"semantic_segmentation_mask":'):
        return _json_string(texts[0])
    return _json_string(b"[" + b",".join(texts) + b"]")


def _check(payloads: list[Any]) -> None:
    """Refuse payloads that no client could read, naming the rule they break."""
    from rapideval.payloads import parse

    for index, payload in enumerate(payloads):
        text = isinstance(payload, msgspec.Raw)
        parse(bytes(payload) if text else [payload], images=["the image"], name=f"payload of image {index}")


def _where(index: int, reference: Any) -> str:
    if not isinstance(reference, str):
        return f"image {index}"
    from rapideval.payloads.redact import unsigned_url

    shown = unsigned_url(reference)
    return f"image {index} ({shown if len(shown) <= 200 else shown[:199] + '…'})"


def _json_string(text: bytes) -> bytes:
    """JSON text as a JSON string. Compact JSON has no control characters, so two replacements do."""
    return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'


def _told(error: BaseException) -> str:
    """An error as the traceback of a failed task: of our refusals the message, of the model's own all below it."""
    if isinstance(error, RapidevalError):
        return _sayable(f"{type(error).__name__}: {error}")
    frame = error.__traceback__
    own = str(Path(__file__).parent)
    while frame is not None and frame.tb_next is not None and frame.tb_frame.f_code.co_filename.startswith(own):
        frame = frame.tb_next
    return _sayable("".join(traceback.format_exception(type(error), error, frame)).rstrip())


def _sayable(text: str) -> str:
    """Text that UTF-8 can hold: half a surrogate pair becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


# --- the process ---------------------------------------------------------------------------------


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The pipes to the server, away from where a model might print or read."""
    tasks = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return tasks, answers


def _leave_with_parent() -> None:
    """End when the server does, even in the middle of a task; and be what the kernel kills first when memory ends."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_CHECK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OUT_OF_MEMORY_FIRST)


def _send(pipe: BinaryIO, header: dict[str, Any], body: bytes = b"") -> None:
    start, body = frames.pack(header, body)
    pipe.write(start)
    pipe.write(body)
    pipe.flush()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        main()
