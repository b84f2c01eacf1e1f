"""Masks in every writing that answers use: dense bitmasks, text that holds one, COCO run lengths, base64 PNG."""

from __future__ import annotations

import base64
import binascii
import io
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.errors import InputError, Problem
from rapideval.model import Masks
from rapideval.payloads.objects import mask_value_hint
from rapideval.payloads.places import Place, refuse
from rapideval.payloads.text import Reader, Tree, as_text, shown

__all__ = ["base64_image", "is_bitmask", "mask_list", "one_mask"]

MAX_PIXELS = 1 << 27
"""Most pixels an encoded picture may have: a small file can promise a huge one."""

_PNG = b"\x89PNG\r\n\x1a\n"


def is_bitmask(value: Tree) -> bool:
    """Whether a value of the tree is dense bitmasks already turned into run lengths."""
    return hasattr(value, "counts") and hasattr(value, "ndim")


def _masks(bitmask: Any) -> Masks:
    return Masks(bitmask.counts, bitmask.offsets, bitmask.sizes, checked=True)


def mask_list(value: Tree, place: Place, reader: Reader) -> Masks:
    """Masks [N, H, W] of one image, or an InputError with all that is wrong with them."""
    if is_bitmask(value):
        if value.ndim == 2:
            height, width = value.sizes[0].tolist()
            refuse(
                "M35",
                place,
                f"one mask of {height} rows and {width} columns, or {height} masks of one row only",
                "a list of masks, [N, H, W]",
                "put the one mask in a list",
            )
        return _masks(value)
    if isinstance(value, _core.CoreError):
        _refuse_mask(value, place)
    if as_text(value) is not None:
        tree, inside = _layer(value, place, reader)
        return mask_list(tree, inside, reader)
    if not isinstance(value, list):
        refuse("M35", place, shown(value), "a list of masks, [N, H, W]")
    parts: list[Masks] = []
    problems: list[Problem] = []
    for index, item in enumerate(value):
        try:
            parts.append(one_mask(item, place[index], reader))
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return Masks.concat(parts) if parts else Masks.empty(0)


def one_mask(value: Tree, place: Place, reader: Reader) -> Masks:
    """One mask, as one row, or an InputError."""
    if is_bitmask(value):
        if len(value) != 1:
            refuse("M35", place, f"{len(value):,} masks", "one mask, [H, W] or [1, H, W]")
        return _masks(value)
    if isinstance(value, _core.CoreError):
        _refuse_mask(value, place)
    if isinstance(value, dict):
        return _run_lengths(value, place)
    text = as_text(value)
    if text is not None:
        if text.lstrip()[:1] in ("[", "{", '"'):
            tree, inside = _layer(value, place, reader)
            return one_mask(tree, inside, reader)
        return Masks.from_dense(_binary(base64_image(text, place), place, reader))
    if value == []:
        refuse("M34", place, "a mask without rows", "at least one row")
    return refuse("M35", place, shown(value), "a mask: rows of 0 and 1, COCO run lengths, or a base64 PNG")


def _layer(value: Tree, place: Place, reader: Reader) -> tuple[Tree, Place]:
    return reader.layer(value, place, root_is_bitmask=True)


def _refuse_mask(error: _core.CoreError, place: Place) -> None:
    hint = error.hint
    if not hint and error.rule == "M33":
        try:
            hint = mask_value_hint(float(error.found))
        except ValueError:
            hint = ""
    refuse(error.rule, place.below(error.path), error.found, error.expected, hint)


def _run_lengths(value: dict[str, Any], place: Place) -> Masks:
    """COCO's ``{"size": [h, w], "counts": text or list}``."""
    if "size" not in value or "counts" not in value:
        refuse("M22", place, shown(value), 'COCO run lengths {"size": [height, width], "counts": ...}')
    size, counts = value["size"], value["counts"]
    if not isinstance(size, list) or len(size) != 2 or set(map(type, size)) != {int}:
        refuse("rle-size", place["size"], shown(size), "[height, width]")
    if min(size) < 1 or max(size) >= 1 << 32:
        refuse("M34" if min(size) == 0 else "rle-size", place["size"], f"{size}", "[height, width], both at least 1")
    text = as_text(counts)
    try:
        if text is not None:
            return Masks.from_strings([text], np.array([size], np.uint32))
        if not isinstance(counts, list) or not set(map(type, counts)) <= {int}:
            refuse("rle-counts", place["counts"], shown(counts), "run lengths, or COCO's compressed text")
        if counts and (min(counts) < 0 or max(counts) >= 1 << 32):
            refuse(
                "rle-counts",
                place["counts"],
                f"a run of {min(counts) if min(counts) < 0 else max(counts)}",
                "run lengths from 0",
            )
        return Masks.from_counts([np.array(counts, np.uint32)], np.array([size], np.uint32))
    except InputError as error:
        problem = error.problems[0]
        refuse(
            problem.rule,
            place if problem.where.startswith("masks") else problem.where,
            problem.found,
            problem.expected,
            problem.hint,
        )


def base64_image(text: str, place: Place) -> npt.NDArray[Any]:
    """Pixels (H, W) or (H, W, C) of a picture in base64 or a data URI; it is a PNG, and its size has a limit."""
    if text.startswith(("http://", "https://", "s3://", "gs://")):
        refuse(
            "mask-url",
            place,
            "an address",
            "the mask itself",
            "addresses in answers are never fetched: download it and parse what is there",
        )
    body = text
    if text.startswith("data:"):
        head, comma, body = text.partition(",")
        if not comma or not head.endswith(";base64"):
            refuse("mask-image", place, shown(text), "a data URI in base64")
    try:
        data = base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        refuse("mask-image", place, shown(text), "rows of 0 and 1, COCO run lengths, or a base64 PNG")
    if not data.startswith(_PNG):
        refuse(
            "mask-image",
            place,
            f"base64 data that begins with {data[:8]!r}",
            "a PNG picture",
            "only PNG keeps a mask's values",
        )
    return _decode_png(data, place)


def _decode_png(data: bytes, place: Place) -> npt.NDArray[Any]:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            # Pillow's own limit is for photographs and warns only; ours refuses, before a pixel is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS:
                    refuse(
                        "mask-image", place, f"a PNG of {width:,} x {height:,} pixels", f"at most {MAX_PIXELS:,} pixels"
                    )
                if picture.mode not in ("1", "L", "P", "I;16", "I", "LA", "RGB", "RGBA"):
                    refuse("mask-image", place, f"a PNG of mode {picture.mode}", "one channel of 0 and 1, or 0 and 255")
                return np.asarray(picture)
    except InputError:
        raise
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError, zlib.error and its own, by turns
        refuse("mask-image", place, f"a PNG that does not decode ({type(error).__name__}: {error})", "a whole PNG")


def _binary(pixels: npt.NDArray[Any], place: Place, reader: Reader) -> npt.NDArray[np.bool_]:
    """A picture of black and white as a mask."""
    if pixels.ndim == 3:
        colours = pixels[..., :1] if pixels.shape[2] == 2 else pixels[..., :3]
        if (colours != colours[..., :1]).any():
            refuse("M33", place, "a PNG in colour", "black and white", "colours are no mask: which of them is meant?")
        pixels = colours[..., 0]
    if pixels.dtype == np.bool_:
        return pixels
    values = np.unique(pixels)
    if (len(values) <= 2 and set(values.tolist()) <= {0, 1}) or set(values.tolist()) <= {0, 255}:
        return np.asarray(pixels != 0)
    other = next(int(value) for value in values if value not in (0, 1))
    y, x = np.argwhere(pixels == other)[0].tolist()
    many = len(values) > 8
    return refuse(
        "M33",
        place,
        f"a PNG with {len(values):,} values, {other} at row {y}, column {x}",
        "black and white",
        "a probability map? Threshold it first"
        if many
        else "a map of class numbers? One mask for each class is expected",
    )
