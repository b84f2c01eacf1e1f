"""The playground: a page in which a model version is tried, and what the page needs beside the protocol.

The page itself is public; uploads, samples, drawings and downloads need the key, as the protocol does. The page submits
and polls tasks by the v0 routes, like any other client.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from rapideval.endpoint.server.bodies import read_body
from rapideval.endpoint.server.limits import Limits
from rapideval.endpoint.server.refusals import Refusal, json_response
from rapideval.endpoint.server.store import Finished
from rapideval.endpoint.server.tasks import Tasks, unpacked
from rapideval.errors import FormatError, InputError

if TYPE_CHECKING:
    from rapideval.model import Dataset

__all__ = ["PAGE", "Playground", "is_page", "own_folders"]

PAGE = "/playground"
PAIR_IOU = 0.5  # from this overlap on two answers mean one object
UPLOAD_KIND = "upload://"
SAMPLE_KIND = "sample://"

_FILES = Path(__file__).resolve().parents[1] / "playground"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "BMP": ".bmp", "GIF": ".gif", "TIFF": ".tif"}
_DOWNLOADS = {"coco": "coco-results", "rle": "rle", "geojson": "geojson"}
_ENDINGS = {"coco": ".json", "rle": ".jsonl", "geojson": ".geojson"}


def own_folders(state: Path) -> tuple[tuple[str, Path], ...]:
    """Where images are that the playground names: those uploaded, and the samples."""
    from rapideval.endpoint.samples import folder

    return (UPLOAD_KIND, (state / "uploads").absolute()), (SAMPLE_KIND, folder() / "images")


def is_page(path: str) -> bool:
    """Whether a path is the page's or one of its files', which need no key."""
    return path in ("/", PAGE) or path.startswith(PAGE + "/")


class Playground:
    """Routes of the playground."""

    def __init__(self, tasks: Tasks, state: Path, limits: Limits) -> None:
        self._tasks, self._uploads, self._limits = tasks, state / "uploads", limits

    def routes(self) -> list[Route]:
        """All routes."""
        return [
            Route("/", self.home, methods=["GET"]),
            Route(PAGE, self.page, methods=["GET"]),
            Route(PAGE + "/{file}", self.page, methods=["GET"]),
            Route("/uploads", self.upload, methods=["POST"]),
            Route("/samples", self.samples, methods=["GET"]),
            Route("/samples/{name}", self.sample, methods=["GET"]),
            Route("/tasks/{task_id}/drawing", self.drawing, methods=["GET"]),
            Route("/tasks/{task_id}/differences/{other_id}", self.differences, methods=["GET"]),
            Route("/tasks/{task_id}/download/{kind}", self.download, methods=["GET"]),
        ]

    async def home(self, _: Request) -> Response:
        """The playground."""
        return RedirectResponse(PAGE)

    async def page(self, request: Request) -> Response:
        """The page, or one of its files."""
        name = request.path_params.get("file", "index.html")
        content = _page_files().get(name)
        if content is None:
            raise Refusal(404, {"detail": "Not Found"})
        return Response(content, media_type=_TYPES[Path(name).suffix], headers=_HEADERS)

    async def upload(self, request: Request) -> Response:
        """Keep an image for tasks to name: its URL, height and width."""
        data = await read_body(request, self._limits.download)
        try:
            suffix, height, width = await asyncio.to_thread(_checked_image, data, self._limits.pixels)
        except FormatError as error:
            raise Refusal.unprocessable(["body"], str(error), "value_error") from None
        name = hashlib.sha256(data).hexdigest() + suffix
        await asyncio.to_thread(self._keep, name, data)
        return json_response({"url": UPLOAD_KIND + name, "height": height, "width": width})

    def _keep(self, name: str, data: bytes) -> None:
        self._uploads.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._uploads / name
        if not path.exists():
            temporary = path.with_suffix(".part")
            temporary.write_bytes(data)
            temporary.replace(path)
        kept = sorted(self._uploads.iterdir(), key=lambda item: item.stat().st_mtime, reverse=True)
        room = self._limits.upload_bytes
        for item in kept:
            room -= item.stat().st_size
            if room < 0 and item != path:
                item.unlink(missing_ok=True)

    async def samples(self, _: Request) -> Response:
        """Images to try, by name and URL."""
        from rapideval.endpoint.samples import images

        return json_response({"samples": [{"name": path.name, "url": SAMPLE_KIND + path.name} for path in images()]})

    async def sample(self, request: Request) -> Response:
        """A sample's bytes."""
        from rapideval.endpoint.samples import images

        for path in images():
            if path.name == request.path_params["name"]:
                return Response(path.read_bytes(), media_type="image/png")
        raise Refusal(404, {"detail": "Not Found"})

    async def drawing(self, request: Request) -> Response:
        """What an answer says, ready to be drawn: boxes, and masks as run lengths."""
        answer = await self._answer(request)
        return Response(await asyncio.to_thread(_answered, answer, _drawing), media_type="application/json")

    async def differences(self, request: Request) -> Response:
        """What two answers to an image have in common, and what only one of them found."""
        answer, other = await self._answer(request), await self._answer(request, "other_id")

        def made(left: Dataset) -> bytes:
            return _answered(other, lambda right: _differences(left, right))

        return Response(await asyncio.to_thread(_answered, answer, made), media_type="application/json")

    async def download(self, request: Request) -> Response:
        """An answer as a file of the ecosystem."""
        kind = request.path_params["kind"]
        if kind not in available_downloads():
            raise Refusal(404, {"detail": "Not Found"})
        answer = await self._answer(request)
        content = await asyncio.to_thread(_answered, answer, lambda dataset: _exported(dataset, kind))
        headers = {"Content-Disposition": f'attachment; filename="answer-{kind}{_ENDINGS[kind]}"'}
        return Response(content, media_type="application/octet-stream", headers=headers)

    async def _answer(self, request: Request, name: str = "task_id") -> bytes:
        found = await self._tasks.find(request.path_params[name])
        if not isinstance(found, Finished) or found.state != "success":
            raise Refusal.no_task()
        return await unpacked(found)


@cache
def _page_files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in _FILES.iterdir() if path.suffix in _TYPES}


@cache
def available_downloads() -> tuple[str, ...]:
    """Formats that an answer can be downloaded in."""
    from rapideval.formats import FORMATS

    return tuple(kind for kind, name in _DOWNLOADS.items() if name in FORMATS)


def _checked_image(data: bytes, pixels: int) -> tuple[str, int, int]:
    from PIL import Image

    from rapideval.endpoint.pixels import decode_image

    height, width = decode_image(data, "the upload", pixels).shape[:2]
    with Image.open(io.BytesIO(data)) as image:
        return _SUFFIXES.get(image.format or "", ".img"), height, width


def _answered(answer: bytes, made: Callable[[Dataset], bytes]) -> bytes:
    """What is made of an answer's dataset."""
    from rapideval.payloads import parse

    try:
        dataset = parse(msgspec.json.decode(answer, type=str), name="answer").dataset
    except InputError as error:
        raise Refusal.unprocessable(["answer"], str(error), "value_error") from None
    assert dataset is not None
    return made(dataset)


def _drawing(dataset: Dataset) -> bytes:
    rows, masks = dataset.annotations, dataset.annotations.masks
    items: list[dict[str, Any]] = []
    for index in range(len(dataset)):
        item: dict[str, Any] = {
            "label": int(rows.label[index]),
            "score": None if rows.score is None else float(rows.score[index]),
            "box": rows.box[index].tolist(),
        }
        if masks is not None and masks.offsets[index] < masks.offsets[index + 1]:
            item["runs"] = masks.counts[masks.offsets[index] : masks.offsets[index + 1]].tolist()
            item["size"] = masks.sizes[index].tolist()
        items.append(item)
    return msgspec.json.encode({"labels": dataset.labels.names, "items": items, "downloads": available_downloads()})


def _differences(left: Dataset, right: Dataset) -> bytes:
    from rapideval.metrics.pairs import pair

    found = pair(left, right, PAIR_IOU)
    pairs = zip(found.left.tolist(), found.right.tolist(), found.iou.tolist(), found.same_label.tolist(), strict=True)
    told = {
        "iou": PAIR_IOU,
        "pairs": [{"left": a, "right": b, "iou": iou, "same_label": same} for a, b, iou, same in pairs],
        "only_left": found.only_left.tolist(),
        "only_right": found.only_right.tolist(),
    }
    return msgspec.json.encode(told)


def _exported(dataset: Dataset, kind: str) -> bytes:
    from rapideval.formats import write

    out = io.BytesIO()
    write(dataset, out, _DOWNLOADS[kind])
    return out.getvalue()
