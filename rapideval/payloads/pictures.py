"""PNG pictures in answers: as base64, as a data URI, or the whole answer. Addresses are never fetched."""

from __future__ import annotations

import base64
import binascii
import io
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.errors import InputError
from rapideval.payloads.places import Place, refuse, show

__all__ = ["PNG", "Picture", "base64_picture", "decode_png", "one_channel"]

MAX_PIXELS = 1 << 27
"""Most pixels a picture may have: a small file can promise a huge one."""

PNG = b"\x89PNG\r\n\x1a\n"
_MODES = ("1", "L", "P", "I;16", "I", "LA", "RGB", "RGBA")
_ADDRESSES = ("http://", "https://", "s3://", "gs://", "file://", "ftp://")


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded PNG: an array (H, W) or (H, W, C)."""

    pixels: npt.NDArray[Any]


def base64_picture(text: str, place: Place) -> Picture:
    """The picture that a text holds as base64 or as a data URI."""
    if text.startswith(_ADDRESSES):
        hint = "addresses in answers are never fetched: download it and parse what is there"
        refuse("mask-url", place, "an address", "the mask itself", hint)
    body = text
    if text.startswith("data:"):
        head, comma, body = text.partition(",")
        if not comma or not head.endswith(";base64"):
            refuse("mask-image", place, show(text), "a data URI in base64")
    try:
        data = base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        refuse("mask-image", place, show(text), "rows of 0 and 1, COCO run lengths, or a base64 PNG")
    return decode_png(data, place)


def decode_png(data: bytes, place: Place) -> Picture:
    """The picture in a PNG file."""
    from PIL import Image

    if not data.startswith(PNG):
        hint = "only PNG keeps a mask's values"
        refuse("mask-image", place, f"data that begins with {data[:8]!r}", "a PNG picture", hint)
    # Width and height are the first that the header says, right after its length and name.
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if width * height > MAX_PIXELS:
        refuse("mask-image", place, f"a PNG of {width:,} x {height:,} pixels", f"at most {MAX_PIXELS:,} pixels")
    try:
        with warnings.catch_warnings():
            # Pillow warns of half its limit; ours, above, has refused what is too large.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
                if picture.mode not in _MODES:
                    refuse("mask-image", place, f"a PNG of mode {picture.mode}", "one channel")
                # Of one bit a pixel, Pillow's arrays claim to be boolean and hold 255.
                return Picture(np.asarray(picture.convert("L")) > 0 if picture.mode == "1" else np.asarray(picture))
    except InputError:
        raise
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError, zlib.error and its own, by turns
        refuse("mask-image", place, f"a PNG that does not decode ({type(error).__name__}: {error})", "a whole PNG")


def one_channel(picture: Picture, place: Place) -> npt.NDArray[Any]:
    """Pixels (H, W) of a picture without colour; opacity is passed over."""
    pixels = picture.pixels
    if pixels.ndim == 2:
        return pixels
    colours = pixels[..., :1] if pixels.shape[2] == 2 else pixels[..., :3]
    if (colours != colours[..., :1]).any():
        hint = "what a colour means is not in the answer"
        refuse("M33", place, "a PNG in colour", "one channel", hint)
    first: npt.NDArray[Any] = colours[..., 0]
    return first
