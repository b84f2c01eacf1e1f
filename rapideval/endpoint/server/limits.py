"""What a local endpoint takes at most, and where it looks for images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rapideval.endpoint.pixels import MAX_PIXELS

__all__ = ["Limits", "Places"]

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a local endpoint.

    Attributes
    ----------
    body
        Bytes of a request. A raw image takes about 14 bytes a pixel.
    queue, queue_bytes
        Tasks, and bytes of their requests, that may wait at one endpoint; above, a submission is answered 429.
    images
        Images of one task.
    pixels
        Height times width of an image.
    download, download_seconds
        Bytes of an image fetched from a URL, and how long that may take.
    task_seconds
        How long a model may work on a task before it is ended and the task failed.
    start_seconds
        How long a model may take to load.
    keep_seconds
        How long a finished task can be polled; the hosted service keeps one for a day.
    upload_bytes
        Bytes of all images uploaded in the playground that are kept; the oldest go first.
    """

    body: int = 256 * _MIB
    queue: int = 1000
    queue_bytes: int = 2048 * _MIB
    images: int = 256
    pixels: int = MAX_PIXELS
    download: int = 64 * _MIB
    download_seconds: float = 30.0
    task_seconds: float = 120.0
    start_seconds: float = 120.0
    keep_seconds: float = 86_400.0
    upload_bytes: int = 1024 * _MIB


@dataclass(frozen=True, slots=True)
class Places:
    """Where images may come from.

    Attributes
    ----------
    folders
        Folders that stand in for what begins with a URL prefix, so that nothing is fetched:
        ``{"s3://bucket/holdout/": Path("holdout")}``. The longest prefix that fits counts.
    private
        Whether images are fetched from private, loopback and link-local addresses too.
    """

    folders: tuple[tuple[str, Path], ...] = ()
    private: bool = False
