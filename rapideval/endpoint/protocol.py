"""What both sides of a hosted endpoint share: routes, states, request bodies, envelopes of answers.

Two dialects are in use. *v0* is spoken by scale-launch 0.1.0 to 0.3.3 and by the ``curl`` requests of the endpoints'
documentation; *v1* by launch-python-client 0.4 and the open source llm-engine. Both submit a task, get its id, and poll
until the state says that it is finished; both authenticate with the API key as user name and an empty password.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from rapideval.errors import EndpointError

__all__ = [
    "DEFAULT_URLS",
    "IDEMPOTENCY_HEADER",
    "V0_BASE",
    "V1_BASES",
    "Answer",
    "Dialect",
    "read_answer",
    "read_task_id",
    "task_body",
]

Dialect = Literal["v0", "v1"]

#: Where the hosted service lives, by dialect.
DEFAULT_URLS: dict[Dialect, str] = {
    "v0": "https://api.scale.com/v1/hosted_inference",
    "v1": "https://api.scale.com/v1/launch",
}

#: Path of the v0 routes on a local endpoint, as in the hosted service.
V0_BASE = "/v1/hosted_inference"

#: Paths of the v1 routes: a client with a custom host asks below the first, one that keeps the service's path below
#: the second.
V1_BASES = ("/v1", "/v1/launch/v1")

#: A submission repeated under the same key is the same task. The hosted service does not know it and ignores it; the
#: local endpoint honours it, so that a client killed between sending and hearing the answer costs no second inference.
IDEMPOTENCY_HEADER = "idempotency-key"

# What servers and their task queues (Celery) call a state.
_PENDING = frozenset({"pending", "started", "received", "retry"})
_FAILED = frozenset({"failure", "undefined", "revoked"})

_HTTP_ERROR = 400


def task_body(args: dict[str, Any] | msgspec.Raw) -> bytes:
    """Body of a submission. Pickled answers are never asked for: reading one would run code of the endpoint.

    Examples
    --------
    >>> task_body({"image_url": "https://images.example/a.jpg"})
    b'{"return_pickled":false,"args":{"image_url":"https://images.example/a.jpg"}}'
    """
    return msgspec.json.encode({"return_pickled": False, "args": args})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a poll said about a task.

    Attributes
    ----------
    state
        ``"pending"``, ``"success"`` or ``"failure"``.
    detail
        Of a failure, its traceback or message.
    """

    state: Literal["pending", "success", "failure"]
    detail: str = ""


class _Envelope(msgspec.Struct):
    state: str | None = None
    status: str | None = None
    result: msgspec.Raw = msgspec.Raw(b"")
    results: msgspec.Raw = msgspec.Raw(b"")
    traceback: str | None = None
    status_code: int | None = None


class _Submitted(msgspec.Struct):
    task_id: str


_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_submitted = msgspec.json.Decoder(_Submitted).decode


def read_task_id(body: bytes) -> str:
    """The id that a submission was given.

    Raises
    ------
    EndpointError
        Where the answer holds none.
    """
    try:
        task_id = _decode_submitted(body).task_id
    except msgspec.DecodeError as error:
        raise EndpointError(f"the answer to a submission holds no task_id ({error}): {_shown(body)}") from None
    if not task_id:
        raise EndpointError(f"the answer to a submission holds an empty task_id: {_shown(body)}")
    return task_id


def read_answer(body: bytes) -> Answer:
    """State of a task, from any envelope of the two dialects; the payload within is left alone.

    A success that carries an HTTP error as ``status_code`` is a failure: the task queue reports the model server's
    error so.

    Raises
    ------
    EndpointError
        Where the body is no such envelope.

    Examples
    --------
    >>> read_answer(b'{"state": "PENDING"}')
    Answer(state='pending', detail='')
    >>> read_answer(b'{"status": "SUCCESS", "result": {"result": "[]"}, "status_code": 500}').state
    'failure'
    """
    try:
        envelope = _decode_envelope(body)
    except msgspec.DecodeError as error:
        raise EndpointError(f"the answer to a poll is not an envelope ({error}): {_shown(body)}") from None
    word = envelope.state or envelope.status
    if word is None:
        raise EndpointError(f"the answer to a poll has neither state nor status: {_shown(body)}")
    state = word.lower()
    if state in _PENDING:
        return Answer("pending")
    if state in _FAILED:
        return Answer("failure", _detail(envelope))
    if state != "success":
        raise EndpointError(f"the answer to a poll has the unknown state {word!r}: {_shown(body)}")
    if envelope.status_code is not None and envelope.status_code >= _HTTP_ERROR:
        return Answer("failure", f"the model server answered {envelope.status_code}: {_detail(envelope)}")
    return Answer("success")


def _detail(envelope: _Envelope) -> str:
    if envelope.traceback:
        return envelope.traceback
    for value in (envelope.result, envelope.results):
        if bytes(value) not in (b"", b"null"):
            return _shown(bytes(value), 2000)
    return "the endpoint gave no reason"


def _shown(body: bytes, longest: int = 200) -> str:
    text = body[:longest].decode("utf-8", "replace")
    return text if len(body) <= longest else f"{text}… ({len(body):,} bytes)"
