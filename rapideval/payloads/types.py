"""The documents of a hosted endpoint as types: what is sent, what comes back. JSON Schemas are made from these.

They describe what the project writes and documents; reading takes more (`parse` accepts every shape that real clients
and servers use, with errors of its own).
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

__all__ = [
    "DOCUMENTS",
    "Arguments",
    "BatchRow",
    "Bitmask",
    "ImageResult",
    "Manifest",
    "Request",
    "ResultEnvelope",
    "ResultPayload",
    "RunLengths",
    "Submitted",
    "V1Envelope",
]

Pixel = Annotated[int, msgspec.Meta(ge=0, le=1)]
Bitmask = Annotated[
    list[Annotated[list[Pixel], msgspec.Meta(min_length=1)]],
    msgspec.Meta(
        min_length=1, description="Rows of 0 and 1, as many as the image is high, each as long as it is wide."
    ),
]
Corners = Annotated[
    tuple[float, float, float, float],
    msgspec.Meta(description="x1, y1, x2, y2 in pixels: the top-left and the bottom-right corner."),
]
Score = Annotated[float, msgspec.Meta(ge=0, le=1)]
Side = Annotated[int, msgspec.Meta(ge=1)]


class RunLengths(msgspec.Struct, forbid_unknown_fields=True):
    """A mask as COCO's run lengths, column by column, beginning with background: for size."""

    size: Annotated[tuple[Side, Side], msgspec.Meta(description="Height and width.")]
    counts: (
        Annotated[str, msgspec.Meta(description="COCO's compressed text.")] | list[Annotated[int, msgspec.Meta(ge=0)]]
    )


class ImageResult(msgspec.Struct, omit_defaults=True):
    """The result of one image. The lists are parallel: entry i of each belongs to object i."""

    masks: list[Bitmask | RunLengths] | msgspec.UnsetType = msgspec.UNSET
    boxes: list[Corners] | msgspec.UnsetType = msgspec.UNSET
    scores: list[Score] | msgspec.UnsetType = msgspec.UNSET
    labels: list[str | int] | msgspec.UnsetType = msgspec.UNSET
    semantic_segmentation_mask: Bitmask | msgspec.UnsetType = msgspec.UNSET


ResultPayload = list[ImageResult]


class Arguments(msgspec.Struct, omit_defaults=True):
    """Arguments of a call: the images, under one of the three names."""

    image_url: str | msgspec.UnsetType = msgspec.UNSET
    image_urls: list[str] | msgspec.UnsetType = msgspec.UNSET
    images: list[str | list[list[list[float]]]] | msgspec.UnsetType = msgspec.UNSET
    scale_s3_url: bool = False


class Request(msgspec.Struct, omit_defaults=True):
    """What is sent to submit a task."""

    args: Arguments
    return_pickled: Literal[False] = False


class Submitted(msgspec.Struct):
    """The answer to a submitted task."""

    task_id: str


class ResultEnvelope(msgspec.Struct, omit_defaults=True):
    """The answer to a poll. ``result`` is the JSON text of a RESULT_PAYLOAD."""

    state: Literal["PENDING", "SUCCESS", "FAILURE"]
    result: str | msgspec.UnsetType = msgspec.UNSET
    traceback: str | msgspec.UnsetType = msgspec.UNSET


class InnerResult(msgspec.Struct):
    """``result`` of the second generation."""

    result: str


class V1Envelope(msgspec.Struct):
    """The answer to a poll of the second generation."""

    task_id: str
    status: Literal["PENDING", "STARTED", "SUCCESS", "FAILURE", "UNDEFINED"]
    result: InnerResult | str | None = None
    traceback: str | None = None
    status_code: int | None = None


class BatchRow(V1Envelope, kw_only=True):
    """A line of a batch job's result file; ``id`` is the row's id in the job's input."""

    id: str


class RecordedAnswer(ResultEnvelope, kw_only=True):
    """A line of the answers that a run saved: an envelope as it came, and the keys of its images in order."""

    images: list[str]
    task_id: str | msgspec.UnsetType = msgspec.UNSET


class ManifestEntry(msgspec.Struct, omit_defaults=True):
    """Images of one recorded answer, in the order of its request."""

    images: list[str]
    sizes: list[tuple[Side, Side]] | msgspec.UnsetType = msgspec.UNSET


class Manifest(msgspec.Struct):
    """``manifest.json`` of a folder of recorded answers: file name to images."""

    answers: dict[str, ManifestEntry]


DOCUMENTS: dict[str, type] = {
    "result-payload": list[ImageResult],
    "request": Request,
    "submitted": Submitted,
    "result-envelope": ResultEnvelope,
    "result-envelope-v1": V1Envelope,
    "batch-row": BatchRow,
    "recorded-answer": RecordedAnswer,
    "answers-manifest": Manifest,
}
"""Name of each document's schema, and its type."""
