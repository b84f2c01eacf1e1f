"""The OpenAPI document of a local endpoint: each route with its bodies, answers and refusals.

The document says what the server does and no more; a test holds its paths to the routes, another sends it what the
document allows and forbids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

import msgspec

from rapideval.endpoint.protocol import IDEMPOTENCY_HEADER, V0_BASE, V1_BASES
from rapideval.endpoint.server.limits import Limits
from rapideval.payloads.types import Request, ResultEnvelope, Submitted, V1Envelope

__all__ = ["PATH", "document"]

PATH = "/openapi.json"
VERSION = "3.1.0"

_PROTOCOL_V0, _PROTOCOL_V1, _SERVER, _PAGE = "v0", "v1", "server", "playground"


# --- bodies --------------------------------------------------------------------------------------


class Refused(msgspec.Struct):
    """A request that was refused: why, in the words of the hosted service."""

    detail: str


class Place(msgspec.Struct):
    """Something wrong at a place of the request."""

    loc: list[str | int]
    msg: str
    type: str


class Unprocessable(msgspec.Struct):
    """A request of the right form with something wrong in it."""

    detail: list[Place]


class TooMany(msgspec.Struct):
    """A queue that is full; ``Retry-After`` says when to ask again."""

    error: str
    timestamp: str


class Broken(TooMany):
    """A fault of the server; its log knows it by the id."""

    request_id: str


class V0Endpoint(msgspec.Struct):
    """An endpoint, as v0 describes it."""

    name: str
    endpoint_type: Literal["async"]
    bundle_name: str
    status: str
    resource_settings: dict[str, Any]
    worker_settings: dict[str, int]
    metadata: dict[str, Any]


class V0Endpoints(msgspec.Struct):
    """All endpoints."""

    endpoints: list[V0Endpoint]


class V1Endpoint(msgspec.Struct):
    """An endpoint, as v1 describes it."""

    id: str
    name: str
    endpoint_type: Literal["async"]
    destination: str
    bundle_name: str
    status: str
    created_by: str
    created_at: str
    last_updated_at: str
    metadata: dict[str, Any]
    num_queued_items: int


class V1Endpoints(msgspec.Struct):
    """All endpoints, or the one of a name."""

    model_endpoints: list[V1Endpoint]


class V1SyncAnswer(msgspec.Struct):
    """The answer to a synchronous task of v1."""

    status: Literal["SUCCESS", "FAILURE"]
    result: dict[str, str] | str | None
    traceback: str | None
    status_code: int | None


class Health(msgspec.Struct, omit_defaults=True):
    """Whether tasks are taken, and why not."""

    status: Literal["ok", "unavailable"]
    detail: str | msgspec.UnsetType = msgspec.UNSET


class Quantiles(msgspec.Struct, omit_defaults=True):
    """Seconds; null before there is one."""

    p50: float | None
    p99: float | msgspec.UnsetType | None = msgspec.UNSET


class EndpointStatus(msgspec.Struct):
    """An endpoint at work."""

    name: str
    version: str
    model: str
    production: bool
    workers: int
    queued: int
    answered: int
    latency: Quantiles
    cold_starts: int
    cold_start: Quantiles


class Status(msgspec.Struct):
    """All endpoints at work."""

    endpoints: list[EndpointStatus]


class ProductionState(msgspec.Struct):
    """The production endpoint."""

    name: str
    version: str
    enabled: bool


class ProductionChange(msgspec.Struct, forbid_unknown_fields=True):
    """What the production endpoint is to be."""

    enabled: bool
    version: str | None = None


class Uploaded(msgspec.Struct):
    """An image that was kept: the URL that tasks name it by, and its size in pixels."""

    url: str
    height: int
    width: int


class Sample(msgspec.Struct):
    """An image to try."""

    name: str
    url: str


class Samples(msgspec.Struct):
    """Images to try."""

    samples: list[Sample]


class DrawnItem(msgspec.Struct, omit_defaults=True):
    """An annotation: place of its label, box x, y, width, height, mask as run lengths column by column."""

    label: int
    score: float | None
    box: list[float]
    runs: list[int] | msgspec.UnsetType = msgspec.UNSET
    size: list[int] | msgspec.UnsetType = msgspec.UNSET


class Drawing(msgspec.Struct):
    """What an answer says, ready to be drawn."""

    labels: list[str]
    items: list[DrawnItem]
    downloads: list[str]


class Pair(msgspec.Struct):
    """An object that both answers found: its place in each drawing, the overlap, whether they give it one label."""

    left: int
    right: int
    iou: float
    same_label: bool


class Differences(msgspec.Struct):
    """What two answers to an image have in common, and the places of what only one of them found."""

    iou: float
    pairs: list[Pair]
    only_left: list[int]
    only_right: list[int]


_TYPES: tuple[Any, ...] = (
    *(Request, Submitted, ResultEnvelope, V1Envelope, V1SyncAnswer),
    *(Refused, Unprocessable, TooMany, Broken, V0Endpoint, V0Endpoints, V1Endpoint, V1Endpoints),
    *(Health, Status, ProductionState, ProductionChange, Uploaded, Samples, Drawing, Differences),
)

# --- operations ----------------------------------------------------------------------------------


class _Answer(NamedTuple):
    text: str
    content: Any  # a type of _TYPES, or a media type
    headers: Mapping[str, str] = {}


_Answers = dict[int, _Answer]


class _Operation(NamedTuple):
    method: Literal["get", "post", "put"]
    path: str
    name: str
    tag: str
    summary: str
    answers: _Answers
    body: Any = None
    query: Mapping[str, bool] = {}  # name -> whether it must be there
    headers: Sequence[str] = ()
    public: bool = False


_NO_KEY: _Answers = {401: _Answer("No key, or another one.", Refused, {"WWW-Authenticate": "How to send it: Basic."})}
_NO_ENDPOINT: _Answers = {404: _Answer("No such endpoint.", Refused)}
_NO_TASK: _Answers = {404: _Answer("No such task, or not of this endpoint.", Refused)}
_BAD_BODY: _Answers = {
    400: _Answer("A body that is not JSON, or asks for what is not done, such as pickles.", Refused),
    413: _Answer("A body above the limit.", Refused),
    422: _Answer("Arguments with something wrong, and where.", Unprocessable),
}
_NOT_TAKEN: _Answers = {
    409: _Answer("The idempotency key was used before, for another request.", Refused),
    429: _Answer("The queue is full.", TooMany, {"Retry-After": "Seconds to wait."}),
    503: _Answer("Tasks cannot be kept now.", Refused, {"Retry-After": "Seconds to wait."}),
}
_LARGE: _Answers = {413: _Answer("A body above the limit.", Refused)}
_LATE: _Answers = {408: _Answer("The task took too long.", Refused)}


def _protocol() -> list[_Operation]:
    submit = _NO_KEY | _NO_ENDPOINT | _BAD_BODY | _NOT_TAKEN
    once = (IDEMPOTENCY_HEADER,)

    def v0(method: Any, path: str, name: str, summary: str, answers: _Answers, **more: Any) -> _Operation:
        return _Operation(method, V0_BASE + path, name, _PROTOCOL_V0, summary, answers, **more)

    envelope = {200: _Answer("The state of the task, and its result.", ResultEnvelope)}
    submitted = {200: _Answer("The task was taken.", Submitted)}
    found = _NO_KEY | _NO_TASK | _LARGE
    listed = _NO_KEY | _LARGE
    operations = [
        v0(
            "post",
            "/task_async/{endpoint}",
            "v0_submit",
            "Submit a task",
            submitted | submit,
            body=Request,
            headers=once,
        ),
        v0("get", "/endpoints/{endpoint}/task_async/{task_id}", "v0_poll_below", "Poll a task", envelope | found),
        v0("get", "/task/result/{task_id}", "v0_poll", "Poll a task", envelope | found),
        v0(
            *("post", "/task_sync/{endpoint}", "v0_sync", "Submit a task and wait for its result"),
            envelope | submit | _LATE,
            body=Request,
            headers=once,
        ),
        v0("get", "/endpoints", "v0_list", "List endpoints", {200: _Answer("Endpoints.", V0Endpoints)} | listed),
        v0(
            *("get", "/endpoints/{endpoint}", "v0_get", "Describe an endpoint"),
            {200: _Answer("The endpoint.", V0Endpoint)} | listed | _NO_ENDPOINT,
        ),
    ]
    for number, base in enumerate(V1_BASES):
        operations += _v1(base, "" if number == 0 else f"_{number}", submitted | submit, found, listed)
    return operations


def _v1(
    base: str,
    ending: str,
    submit: _Answers,
    found: _Answers,
    listed: _Answers,
) -> list[_Operation]:
    def v1(method: Any, path: str, name: str, summary: str, answers: _Answers, **more: Any) -> _Operation:
        return _Operation(method, base + path, name + ending, _PROTOCOL_V1, summary, answers, **more)

    task = {"body": Request, "query": {"model_endpoint_id": True}, "headers": (IDEMPOTENCY_HEADER,)}
    waited = {200: _Answer("The result.", V1SyncAnswer)}
    state = {200: _Answer("The state of the task, and its result.", V1Envelope)}
    described = {200: _Answer("The endpoint.", V1Endpoint)}
    return [
        v1("post", "/async-tasks", "v1_submit", "Submit a task", submit, **task),
        v1("get", "/async-tasks/{task_id}", "v1_poll", "Poll a task", state | found),
        v1("post", "/sync-tasks", "v1_sync", "Submit a task and wait for its result", submit | waited | _LATE, **task),
        v1(
            *("get", "/model-endpoints", "v1_list", "List endpoints, or find one by its name"),
            {200: _Answer("Endpoints.", V1Endpoints)} | listed,
            query={"name": False},
        ),
        v1(
            "get", "/model-endpoints/{endpoint_id}", "v1_get", "Describe an endpoint", described | listed | _NO_ENDPOINT
        ),
    ]


def _server() -> list[_Operation]:
    health = {200: _Answer("Tasks are taken.", Health), 503: _Answer("Tasks are not taken, and why.", Health)}
    production = {200: _Answer("The production endpoint.", ProductionState)}
    return [
        _Operation("get", "/healthz", "health", _SERVER, "Whether tasks are taken", health, public=True),
        _Operation(
            *("get", "/metrics", "metrics", _SERVER, "Metrics in the text format of Prometheus"),
            {200: _Answer("Metrics.", "text/plain")},
            public=True,
        ),
        _Operation(
            *("get", PATH, "openapi", _SERVER, "This document"),
            {200: _Answer("The document.", "application/json")},
            public=True,
        ),
        _Operation(
            *("get", "/status", "status", _SERVER, "Endpoints at work"),
            {200: _Answer("Versions, workers, queues, latencies.", Status)} | _NO_KEY,
        ),
        _Operation(
            *("get", "/production", "show_production", _SERVER, "The production endpoint"), production | _NO_KEY
        ),
        _Operation(
            *("put", "/production", "set_production", _SERVER, "Enable the production endpoint, or change its version"),
            production | _NO_KEY | _BAD_BODY,
            body=ProductionChange,
        ),
    ]


def _page() -> list[_Operation]:
    no_answer = {404: _Answer("No such task, or not finished.", Refused), 422: _Answer("No answer.", Unprocessable)}
    refused = {413: _BAD_BODY[413], 422: _Answer("No image, or too large a one.", Unprocessable)}
    return [
        _Operation(
            *("post", "/uploads", "upload", _PAGE, "Keep an image for tasks to name"),
            {200: _Answer("The image.", Uploaded)} | _NO_KEY | refused,
            body="application/octet-stream",
        ),
        _Operation(
            *("get", "/samples", "samples", _PAGE, "Images to try"), {200: _Answer("Images.", Samples)} | _NO_KEY
        ),
        _Operation(
            *("get", "/samples/{name}", "sample", _PAGE, "An image to try"),
            {200: _Answer("The image.", "image/png"), 404: _Answer("No such image.", Refused)} | _NO_KEY,
        ),
        _Operation(
            *("get", "/tasks/{task_id}/drawing", "drawing", _PAGE, "What an answer says, ready to be drawn"),
            {200: _Answer("Boxes, and masks as run lengths.", Drawing)} | _NO_KEY | no_answer,
        ),
        _Operation(
            *("get", "/tasks/{task_id}/differences/{other_id}", "differences", _PAGE, "Two answers to one image"),
            {200: _Answer("What both found, and what only one.", Differences)} | _NO_KEY | no_answer,
        ),
        _Operation(
            *("get", "/tasks/{task_id}/download/{kind}", "download", _PAGE, "An answer as a file: coco, rle, geojson"),
            {200: _Answer("The file.", "application/octet-stream", {"Content-Disposition": "Its name."})}
            | _NO_KEY
            | no_answer,
        ),
    ]


# --- the document --------------------------------------------------------------------------------


@cache
def document() -> bytes:
    """The document as JSON text."""
    from rapideval import __version__

    schemas, components = msgspec.json.schema_components(_TYPES, ref_template="#/components/schemas/{name}")
    refs = dict(zip(_TYPES, schemas, strict=True))
    components["Arguments"] = _arguments(components["Arguments"])
    paths: dict[str, dict[str, Any]] = {}
    for operation in [*_protocol(), *_server(), *_page()]:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation, refs)
    whole = {
        "openapi": VERSION,
        "info": {
            "title": "rapideval local endpoint",
            "version": __version__,
            "description": "Model versions behind the protocol of hosted inference endpoints.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "basic", "description": "The key as user, an empty password."}
            },
        },
    }
    return msgspec.json.encode(whole)


def _arguments(schema: dict[str, Any]) -> dict[str, Any]:
    """What the type of the arguments cannot say: the images stand under one of three names, and there are some."""
    properties = dict(schema["properties"])
    flag = {"scale_s3_url": properties.pop("scale_s3_url")}
    url = {"type": "string", "pattern": r"\S"}
    some: dict[str, Any] = {"type": "array", "minItems": 1, "maxItems": Limits().images}
    image = {"anyOf": [url, {"type": "array"}], "description": "A URL, or rows of pixels of three numbers."}
    named = {"image_url": url, "image_urls": some | {"items": url}, "images": some | {"items": image}}
    assert named.keys() == properties.keys()
    one_of = [
        {"type": "object", "properties": {name: part} | flag, "required": [name], "additionalProperties": False}
        for name, part in named.items()
    ]
    return {"title": schema["title"], "description": schema["description"], "oneOf": one_of}


def _described(operation: _Operation, refs: Mapping[Any, Any]) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": part[1:-1], "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for part in operation.path.split("/")
        if part.startswith("{")
    ]
    parameters += [
        {"name": name, "in": "query", "required": required, "schema": {"type": "string"}}
        for name, required in operation.query.items()
    ]
    parameters += [
        {
            "name": name,
            "in": "header",
            "required": False,
            "description": "Of the same submission the same: a repeated one is the same task.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }
        for name in operation.headers
    ]
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "security": [] if operation.public else [{"key": []}],
        "responses": {
            str(status): _answered(answer, refs)
            for status, answer in sorted({**operation.answers, 500: _Answer("A fault of the server.", Broken)}.items())
        },
    }
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _content(operation.body, refs)}
    return described


def _answered(answer: _Answer, refs: Mapping[Any, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.text, "content": _content(answer.content, refs)}
    if answer.headers:
        described["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in answer.headers.items()
        }
    return described


def _content(content: Any, refs: Mapping[Any, Any]) -> dict[str, Any]:
    return {content: {}} if isinstance(content, str) else {"application/json": {"schema": refs[content]}}
