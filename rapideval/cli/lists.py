"""Lists that a user gives beside an input: names of images, names of labels, sizes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from rapideval.errors import FormatError, InputError, Problem, UsageError
from rapideval.formats import Source
from rapideval.model import Images, Labels

__all__ = ["image_names", "image_sizes", "label_names", "name_pairs"]

PICTURES = {".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"}
_SIZE = re.compile(r"([1-9][0-9]{0,8})\s*[x×,]\s*([1-9][0-9]{0,8})", re.IGNORECASE)


def image_names(path: str) -> Images | list[str]:
    """Images of a dataset, the pictures of a folder by name, or the lines or JSON list of a file."""
    if Path(path).is_dir():
        return _pictures(Path(path))
    listed = _listed(path)
    if listed is None:
        images: Images = _dataset(path, "--image-names").images
        return images
    if not isinstance(listed, list):
        raise _wrong(path, "a JSON object", "a list of names, one a line or as JSON")
    return listed


def label_names(value: str) -> Labels | list[str] | dict[str, str]:
    """Labels of a dataset, the lines, JSON list or JSON object (number to name) of a file, or names with commas."""
    if "," in value and not Path(value).exists():
        return [name.strip() for name in value.split(",")]
    listed = _listed(value)
    return _dataset(value, "--labels").labels if listed is None else listed


def image_sizes(value: str) -> Images | tuple[int, int]:
    """Height and width, as 480x640, or the images of a dataset."""
    match = _SIZE.fullmatch(value.strip())
    if match:
        return int(match[1]), int(match[2])
    if not Path(value).exists():
        raise UsageError(f"--sizes {value!r}: expected HEIGHTxWIDTH, such as 480x640, or a file with images")
    images: Images = _dataset(value, "--sizes").images
    if not images.sizes_known.any():
        raise _wrong(value, "images without sizes", "images with height and width")
    return images


def name_pairs(value: str, option: str) -> dict[str, str]:
    """Names and what they become: ``OLD=NEW``, a file of such lines, or one of a JSON object."""
    if "=" in value:
        lines = [value]
    elif value.endswith(".json"):
        try:
            document = json.loads(Source(value).data())
        except ValueError:
            document = None
        if not isinstance(document, dict) or not all(isinstance(name, str) for name in document.values()):
            raise UsageError(f"{option} {value}: expected a JSON object of names")
        return document
    else:
        lines = [line for line in Source(value).data().decode("utf-8-sig").splitlines() if line.strip()]
    pairs = {}
    for line in lines:
        name, sign, other = (part.strip() for part in line.partition("="))
        if not sign or not name or not other:
            raise UsageError(f"{option} {line!r}: expected NAME=NAME")
        pairs[name] = other
    return pairs


def _dataset(path: str, option: str) -> Any:
    from rapideval.loading import load

    try:
        return load(path).dataset
    except FormatError as error:
        raise UsageError(f"{option}: {error}") from None


def _listed(path: str) -> list[str] | dict[str, str] | None:
    """Names of a file of names; None where the file is something else."""
    source = Source(path)
    if source.suffix == ".json":
        try:
            document = json.loads(source.data())
        except ValueError:
            raise _wrong(path, "what is not JSON", "a JSON document") from None
        if isinstance(document, list) and all(isinstance(name, str) for name in document):
            return document
        if isinstance(document, dict) and document and all(isinstance(name, str) for name in document.values()):
            return document
        return None
    if source.suffix not in ("", ".csv", ".lst", ".names", ".txt"):
        return None
    try:
        text = source.data().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _wrong(path, "text that is not UTF-8", "names, one a line") from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def _pictures(folder: Path) -> list[str]:
    names = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in PICTURES)
    if not names:
        raise _wrong(str(folder), "a folder without pictures", f"files such as *.jpg ({', '.join(sorted(PICTURES))})")
    return names


def _wrong(path: str, found: str, expected: str) -> InputError:
    return InputError(Problem("name-list", path, found, expected))
