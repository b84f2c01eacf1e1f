"""What a job's answer wraps around its payload: state, task id, traceback.

Read are both generations of Scale Launch answers as their clients and servers have them (``state`` and ``result``;
``status`` with ``result`` nested once more), the documentation's own wording (``results``), callbacks, rows of a batch
job, lists of these, and error bodies. A job that is pending or failed is a status here, never an error.

========== =========================================================================================
finished   SUCCESS, or a result without any state
pending    PENDING, STARTED, RECEIVED, RETRY; a task id alone
failed     FAILURE, REVOKED, UNDEFINED; SUCCESS with a status_code of 400 or above
refused    an HTTP error body (``detail``, ``error``, ``message``), where the request was not taken
========== =========================================================================================
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from rapideval import _core
from rapideval.errors import InputError
from rapideval.payloads.masks import is_bitmask
from rapideval.payloads.places import Place, refuse, show
from rapideval.payloads.redact import redact, unsigned_url
from rapideval.payloads.text import Reader, Tree, as_text, is_text, shown

__all__ = ["Envelope", "Status", "open_envelopes"]

Status = Literal["finished", "pending", "failed", "refused"]

_STATES: dict[str, Status] = {
    "SUCCESS": "finished",
    "PENDING": "pending",
    "STARTED": "pending",
    "RECEIVED": "pending",
    "RETRY": "pending",
    "FAILURE": "failed",
    "REVOKED": "failed",
    "UNDEFINED": "failed",
}

_ENVELOPE_KEYS = {"state", "status", "result", "results", "result_url", "task_id", "traceback"}
_RESULT_KEYS = ("result", "results", "result_url")

# An error body has one of the first, and nothing beside them but the second.
_ERROR_KEYS = {"detail", "error", "errors", "message", "Message", "ErrorMessage"}
_BESIDE_ERROR = {
    *("status", "status_code", "statusCode", "code", "Code", "ErrorCode", "type", "__type", "success", "title"),
    *("timestamp", "request_id", "requestId", "RequestId", "estimated_time", "warnings", "hint", "documentation_url"),
    *("OriginalStatusCode", "OriginalMessage", "LogStreamArn", "instance", "path", "trace_id"),
}


@dataclass(slots=True)
class Envelope:
    """One task: its status, and the payload where it has finished."""

    place: Place
    status: Status
    tree: Tree = None
    task_id: str | None = None
    row_id: str | None = None
    detail: str | None = None
    traceback: str | None = None
    status_code: int | None = None
    images: tuple[str, ...] | None = None


def open_envelopes(tree: Tree, place: Place, reader: Reader) -> list[Envelope]:
    """The tasks of a document; a bare payload is one finished task."""
    tree, place = _untie(tree, place, reader)
    if isinstance(tree, list) and tree and all(is_envelope(item) for item in tree):
        return [_open(item, place[index], reader) for index, item in enumerate(tree)]
    if tree is None or isinstance(tree, (bool, int, float)):
        refuse("M2", place, shown(tree), "an answer: an object or a list")
    return [_open(tree, place, reader)]


def is_envelope(tree: Tree) -> bool:
    """Whether this is a task's envelope, or an error body in its place."""
    return isinstance(tree, dict) and (not tree.keys().isdisjoint(_ENVELOPE_KEYS) or is_error_body(tree))


def is_error_body(tree: Tree) -> bool:
    """Whether this is what a server says instead of a result."""
    if not isinstance(tree, dict) or tree.keys().isdisjoint(_ERROR_KEYS):
        return False
    return tree.keys() <= _ERROR_KEYS | _BESIDE_ERROR and not isinstance(tree.get("message"), (list, dict))


def _open(tree: Tree, place: Place, reader: Reader) -> Envelope:
    if not isinstance(tree, dict) or not is_envelope(tree):
        return Envelope(place, "finished", tree)
    if is_error_body(tree):
        return _refused(tree, place)
    state = _state(tree, place)
    code = tree.get("status_code")
    code = code if isinstance(code, int) and not isinstance(code, bool) else None
    envelope = Envelope(
        place,
        _STATES[state] if state else "finished",
        task_id=_text(tree.get("task_id")),
        row_id=_text(tree.get("id")),
        traceback=_text(tree.get("traceback")),
        status_code=code,
        images=_named_images(tree),
    )
    present = [key for key in _RESULT_KEYS if tree.get(key) is not None]
    if state is None and not present:
        # Nothing but a task id: what a server says when it takes a task. A traceback alone is a failure's.
        envelope.status = "failed" if envelope.traceback else "pending"
        if not envelope.traceback and not envelope.task_id:
            _refuse_no_result(tree, place, None)
    if envelope.status == "finished" and code is not None and code >= 400:
        envelope.status = "failed"
    if envelope.status == "finished":
        envelope.tree, envelope.place = _result(tree, place, reader, state)
    elif envelope.status == "failed":
        envelope.detail = _detail(tree, code)
    return envelope


def _named_images(tree: dict[str, Any]) -> tuple[str, ...] | None:
    """Keys of the images that a recorded answer speaks of, which its recorder wrote beside its state."""
    names = tree.get("images")
    if not isinstance(names, list) or not names:
        return None
    texts = [as_text(name) for name in names]
    return tuple(unsigned_url(text) for text in texts if text) if all(texts) else None


def _text(value: Any) -> str | None:
    text = as_text(value)
    if text is None and isinstance(value, int) and not isinstance(value, bool):
        text = str(value)
    return redact(text) if text else None


# --- state -------------------------------------------------------------------------------------------


def _state(tree: dict[str, Any], place: Place) -> str | None:
    words: dict[str, str] = {}
    for key in ("state", "status"):
        value = tree.get(key)
        if value is None:
            continue
        word = as_text(value)
        if word is None or word.strip().upper() not in _STATES:
            _refuse_state(value, place[key], tree)
        assert word is not None
        words[key] = word.strip().upper()
    if len(set(words.values())) > 1:
        refuse("M6", place, f"state {words['state']} and status {words['status']}", "one state")
    return next(iter(words.values()), None)


def _refuse_state(value: Any, place: Place, tree: dict[str, Any]) -> None:
    from difflib import get_close_matches

    word = as_text(value)
    near = get_close_matches(word.strip().upper(), _STATES, n=1) if word else []
    hint = f"is {near[0]} meant?" if near else ""
    if word and word.strip().upper() in ("OK", "DONE", "COMPLETED", "COMPLETE", "SUCCEEDED", "FINISHED"):
        hint = "SUCCESS is the word for a finished task"
    refuse("M7", place, shown(value), f"one of {', '.join(_STATES)}", hint)


# --- result ------------------------------------------------------------------------------------------


def _result(tree: dict[str, Any], place: Place, reader: Reader, state: str | None) -> tuple[Tree, Place]:
    """The payload of a finished task, string layers and the nesting of v1 taken off, and its place."""
    value, place = _member(tree, place, reader, state)
    value, place = _untie(value, place, reader)
    if (
        isinstance(value, dict)
        and value.keys() & set(_RESULT_KEYS)
        and value.keys() <= _ENVELOPE_KEYS | {"status_code"}
    ):
        value, place = _member(value, place, reader, state)
        value, place = _untie(value, place, reader)
    if is_error_body(value):
        refuse(
            "M12",
            place,
            f"an error body: {_error_text(value)}",
            "a result",
            "the model's server answered with an error in the place of a result",
        )
    return value, place


def _untie(value: Tree, place: Place, reader: Reader) -> tuple[Tree, Place]:
    while is_text(value):
        value, place = reader.layer(value, place)
    return value, place


def _member(tree: dict[str, Any], place: Place, reader: Reader, state: str | None) -> tuple[Tree, Place]:
    given = [key for key in ("result", "results") if tree.get(key) is not None]
    if not given:
        if tree.get("result_url") is not None:
            refuse(
                "M9",
                place["result_url"],
                "only a result_url, a pickled result",
                "result",
                "submit with return_pickled=false; a pickle is neither fetched nor opened, it can run code",
            )
        _refuse_no_result(tree, place, state)
    if len(given) == 2 and not _same(tree["result"], tree["results"], place, reader):
        refuse("M6", place, "result and results with different content", "one of them, or both the same")
    return tree[given[0]], place[given[0]]


def _refuse_no_result(tree: dict[str, Any], place: Place, state: str | None) -> None:
    null = [key for key in ("result", "results") if key in tree]
    found = f"{null[0]} null" if null else "no result"
    refuse("M8", place, f"{state} with {found}" if state else found, "result or results", "a finished task has one")


def _same(a: Tree, b: Tree, place: Place, reader: Reader) -> bool:
    """Whether two values say the same, be one of them JSON text and the other not."""
    if is_bitmask(a) and is_bitmask(b):
        return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("counts", "offsets", "sizes"))
    if isinstance(a, _core.CoreError) and isinstance(b, _core.CoreError):
        return (a.rule, a.found, a.path) == (b.rule, b.found, b.path)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key], place, reader) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(_same(x, y, place, reader) for x, y in zip(a, b, strict=True))
    texts = as_text(a), as_text(b)
    if texts[0] is not None and texts[1] is not None:
        return texts[0] == texts[1]
    if texts != (None, None):
        try:
            a = a if texts[0] is None else reader.layer(texts[0], place["result"])[0]
            b = b if texts[1] is None else reader.layer(texts[1], place["results"])[0]
        except InputError:
            return False
        return not is_text(a) and not is_text(b) and _same(a, b, place, reader)
    return type(a) is type(b) and bool(a == b)


# --- failures ----------------------------------------------------------------------------------------


def _refused(tree: dict[str, Any], place: Place) -> Envelope:
    code = next((tree[key] for key in ("status_code", "statusCode", "code") if isinstance(tree.get(key), int)), None)
    return Envelope(place, "refused", detail=redact(_error_text(tree)), status_code=code)


def _error_text(tree: dict[str, Any]) -> str:
    """What an error body says, in one line."""
    for key in ("detail", "error", "errors", "message", "Message", "ErrorMessage"):
        value = tree.get(key)
        text = as_text(value)
        if text:
            return text
        if isinstance(value, dict):
            inner = next(
                (as_text(value[name]) for name in ("message", "msg", "detail") if as_text(value.get(name))), None
            )
            return inner or json.dumps(value, default=show)
        if isinstance(value, list) and value:
            return "; ".join(_one_error(item) for item in value[:5])
    return show(tree)


def _one_error(item: Any) -> str:
    """One entry of a list of errors, such as ``{"loc": ["body", "args"], "msg": "field required", "type": "..."}``."""
    if isinstance(item, dict) and as_text(item.get("msg")):
        where = item.get("loc")
        place = ".".join(map(str, where)) + ": " if isinstance(where, list) and where else ""
        return f"{place}{item['msg']}"
    return as_text(item) or json.dumps(item, default=show)


def _detail(tree: dict[str, Any], code: int | None) -> str:
    """What a failed task says of its failure."""
    said = next((text for key in ("result", "results") if (text := as_text(tree.get(key)))), None)
    inner = tree.get("result")
    if said is None and isinstance(inner, dict):
        said = as_text(inner.get("result")) or (_error_text(inner) if is_error_body(inner) else None)
    said = said or next((text for key in ("error", "detail", "message") if (text := as_text(tree.get(key)))), None)
    if said is None and as_text(tree.get("traceback")):
        lines = (as_text(tree["traceback"]) or "").strip().splitlines()
        said = lines[-1] if lines else None
    said = said or "no reason given"
    said = said if len(said) <= 500 else said[:499] + "…"
    return redact(f"{said} (status code {code})" if code is not None and code >= 400 else said)
