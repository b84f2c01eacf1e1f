"""Bodies of requests, read within bounds and checked; what is wrong with one, as the hosted service says it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request

from rapideval.endpoint.server.limits import Limits
from rapideval.endpoint.server.refusals import Refusal

__all__ = ["ImageArgs", "Submission", "TaskArgs", "read_body", "read_submission"]

_ARGS_KEYS = ("image_url", "image_urls", "images")
_PLACE = re.compile(r"(.*) - at `\$(.*)`$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


class ImageArgs(msgspec.Struct, forbid_unknown_fields=True):
    """``args`` of a submission: one of the three ways to name images."""

    image_url: str | msgspec.UnsetType = msgspec.UNSET
    image_urls: list[str] | msgspec.UnsetType = msgspec.UNSET
    images: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET
    scale_s3_url: bool = False


class Submission(msgspec.Struct):
    """The body of a submission, of any dialect."""

    args: msgspec.Raw = msgspec.Raw(b"")
    url: str | None = None
    return_pickled: bool = False
    cloudpickle: str | None = None
    callback_url: str | None = None


@dataclass(frozen=True, slots=True)
class TaskArgs:
    """Checked arguments of a task, as JSON text."""

    text: bytes
    images: int


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, refused above a limit. A GET's is read too: clients send ``{}`` with it."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise _too_large(limit)
    return bytes(body)


def _too_large(limit: int) -> Refusal:
    return Refusal(
        413, {"detail": f"Invalid request: the body is larger than {limit:,} bytes"}, {"connection": "close"}
    )


async def read_submission(request: Request, limits: Limits) -> TaskArgs:
    """The images that a submission asks about.

    Raises
    ------
    Refusal
        400 where the body is not JSON or asks for what a local endpoint does not do, 413 where it is too large, 422
        where something in it is wrong, with its place.
    """
    body = await read_body(request, limits.body)
    given = _decoded(Submission, body, ["body"])
    if given.return_pickled:
        raise Refusal.invalid(
            "return_pickled is true, but a local endpoint answers in JSON and pickles nothing: "
            'send "return_pickled": false'
        )
    for name in ("cloudpickle", "callback_url"):
        if getattr(given, name) is not None:
            raise Refusal.invalid(f"a local endpoint does not take {name}")
    if bytes(given.args) not in (b"", b"null"):
        text = bytes(given.args)
        where: list[str | int] = ["body", "args"]
    elif given.url is not None:
        text, where = msgspec.json.encode({"image_url": given.url}), ["body"]
    else:  # bare arguments
        text, where = body, ["body"]
    return TaskArgs(text, _count(_decoded(ImageArgs, text, where), where, limits))


def _count(args: ImageArgs, where: list[str | int], limits: Limits) -> int:
    given = [key for key in _ARGS_KEYS if getattr(args, key) is not msgspec.UNSET]
    if len(given) != 1:
        found = " and ".join(given) if given else "none of them"
        raise Refusal.unprocessable(where, f"Expected one of image_url, image_urls, images; got {found}", "value_error")
    if args.image_url is not msgspec.UNSET:
        _check_url(args.image_url, [*where, "image_url"])
        return 1
    values: Any = args.image_urls if args.image_urls is not msgspec.UNSET else args.images
    if not 1 <= len(values) <= limits.images:
        message = f"Expected 1 to {limits.images} images, got {len(values)}"
        raise Refusal.unprocessable([*where, given[0]], message, "value_error")
    for index, value in enumerate(values):
        place = [*where, given[0], index]
        if isinstance(value, str):
            _check_url(value, place)
            continue
        raw = bytes(value[:1]) if isinstance(value, bytes) else memoryview(value)[:1].tobytes()
        if raw == b'"':
            _check_url(msgspec.json.decode(value), place)
        elif raw != b"[":
            raise Refusal.unprocessable(place, "Expected a URL or a raw image [H, W, 3]", "type_error")
    return len(values)


def _check_url(url: str, place: list[str | int]) -> None:
    if not url.strip():
        raise Refusal.unprocessable(place, "Expected a URL, got an empty text", "value_error")


def _decoded(kind: type[Any], text: bytes, where: list[str | int]) -> Any:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as error:
        found = _PLACE.match(str(error))
        message, path = (found[1], found[2]) if found else (str(error), "")
        steps = [name or (int(index) if index.isdecimal() else index) for name, index in _STEP.findall(path)]
        raise Refusal.unprocessable([*where, *steps], message, "type_error") from None
    except msgspec.DecodeError as error:
        raise Refusal.invalid(f"the body is not JSON: {error}") from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise Refusal.invalid(f"the body is not JSON: {type(error).__name__}") from None
