"""Names of images as paths within a folder that is written, and the other way round."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from rapideval.errors import UsageError
from rapideval.formats.capabilities import Loss, plural
from rapideval.model import Dataset, Images

__all__ = ["PICTURES", "clashing", "file_stems", "renamed", "safe_path"]

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp")
"""Suffixes of image files, in lower case."""

_FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f]')
_PLAIN = re.compile(r"[\w\-. ]*[\w\-]", re.ASCII)


def safe_path(name: str) -> str:
    """Turn an image's name into a path that stays inside its folder, on every system.

    An address loses its scheme and what follows ``?``; ``..`` and characters that some systems do not allow become
    ``_``.

    Examples
    --------
    >>> safe_path("s3://bucket/a b.jpg"), safe_path("../x.jpg"), safe_path("/c/d.png")
    ('bucket/a b.jpg', '_/x.jpg', 'c/d.png')
    """
    if _PLAIN.fullmatch(name):
        return name
    if "://" in name:
        name = name.split("://", 1)[1].split("?", 1)[0].split("#", 1)[0]
    parts = []
    for part in name.replace("\\", "/").split("/"):
        if part in ("", "."):
            continue
        clean = _FORBIDDEN.sub("_", part).rstrip(". ")
        parts.append(clean or "_")
    return "/".join(parts) or "_"


def file_stems(images: Images) -> list[str]:
    """Paths without suffix, one for each image, under which its document is written.

    Raises
    ------
    UsageError
        Where two images would share one: ``a.jpg`` and ``a.png``.

    Examples
    --------
    >>> file_stems(Images(["a.jpg", "b/c.png", "d"]))
    ['a', 'b/c', 'd']
    """
    stems = [_stem(key) for key in images.keys]
    first: dict[str, str] = {}
    for stem, key in zip(stems, images.keys, strict=True):
        other = first.setdefault(stem.lower(), key)  # some systems do not tell upper from lower case
        if other != key:
            raise UsageError(f"the images {other!r} and {key!r} would share the file {stem!r}: rename one of them")
    return stems


def _stem(key: str) -> str:
    path = PurePosixPath(safe_path(key))
    return str(path.with_suffix("")) if path.suffix.lower() in PICTURES else str(path)


def clashing(dataset: Dataset, names: Sequence[str]) -> list[Loss]:
    """Further fields of annotations whose names mean something else in a format; for one that holds all others."""
    extras = dataset.annotations.extras
    count = 0
    if extras is not None and any(f'"{name}"'.encode() in extras.data for name in names):
        count = sum(1 for row in range(len(extras)) if extras[row].keys() & set(names))
    listed = ", ".join(names)
    text = f"further fields of {plural(count, 'annotation')} that have the name of one of the format's: {listed}"
    return [Loss("attributes", count, text)]


def renamed(images: Images) -> Loss:
    """Names that change when they become paths."""
    count = sum(1 for key in images.keys if safe_path(key) != key)
    return Loss("image_names", count, f"the names of {plural(count, 'image')}: changed where a path cannot hold them")
