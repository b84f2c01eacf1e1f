"""Pixels of images: decoded within limits, and written as the nested lists that endpoints take.

Pixels are those that the file stores. A rotation that its EXIF data asks for is not applied, as ``skimage.io.imread``
does not apply it, so that boxes and masks refer to the stored grid on both sides of an endpoint.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.errors import FormatError, Problem

__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "SUFFIXES",
    "decode_image",
    "dense_json",
    "image_json",
    "image_size",
    "raw_image",
    "read_image",
]

#: Formats that are decoded; Pillow's others are rare, slow or wide attack surfaces.
FORMATS = ("BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")

#: Suffixes of files that a folder of images is searched for.
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".jp2", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")

#: Largest image that is decoded unless told otherwise, the size at which Pillow begins to warn: 268 MB as RGB.
MAX_PIXELS = 89_478_485

_CHANNELS = 3

# Each value of a pixel as four characters, " 17,": JSON allows the blanks, and equal widths let a whole image be
# written by one table lookup.
_DIGITS = np.frombuffer(b"".join(b"%3d," % value for value in range(256)), np.uint8).reshape(256, 4)


def image_size(data: bytes, where: str, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Height and width from the header alone, refused above the limit; nothing is decoded.

    Raises
    ------
    FormatError
        Rule ``image-format`` where it is no image of a known format, ``image-pixels`` where it is too large.
    """
    with _opened(data, where, max_pixels) as image:
        return image.height, image.width


def decode_image(data: bytes, where: str, max_pixels: int = MAX_PIXELS) -> npt.NDArray[np.uint8]:
    """Pixels of an image file as RGB, uint8 of shape (H, W, 3), C-contiguous.

    Grey becomes three equal channels, 16 bits become 8, transparency is dropped, of an animation only the first frame
    counts.

    Parameters
    ----------
    data
        The file's bytes.
    where
        What errors call it.
    max_pixels
        Height times width above which it is refused before it is decoded.

    Raises
    ------
    FormatError
        Rule ``image-format`` where it is no image of a known format or broken, ``image-pixels`` where it is too large.
    """
    with _opened(data, where, max_pixels) as image:
        try:
            if image.mode.startswith("I;16") or image.mode == "I":
                wide = np.asarray(image).astype(np.int64)
                grey = (np.clip(wide, 0, 65535) >> 8).astype(np.uint8)
                return np.ascontiguousarray(np.broadcast_to(grey[..., None], (*grey.shape, _CHANNELS)))
            if image.mode != "RGB":
                image = image.convert("RGB")
            return np.array(image, np.uint8)
        except (OSError, ValueError, SyntaxError, EOFError, IndexError, MemoryError) as error:
            raise FormatError(Problem("image-format", where, f"a broken image ({error})", "a whole one")) from None


def _opened(data: bytes, where: str, max_pixels: int) -> Any:
    from PIL import Image

    known = ", ".join(FORMATS)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
        raise FormatError(
            Problem("image-pixels", where, "an image that decodes to hundreds of millions of pixels", _most(max_pixels))
        ) from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, MemoryError):
        start = data[:12].hex(" ") or "nothing"
        raise FormatError(
            Problem("image-format", where, f"{len(data):,} bytes that begin with {start}", f"an image: {known}")
        ) from None
    if image.height * image.width > max_pixels:
        found = f"an image of {image.height:,} × {image.width:,} = {image.height * image.width:,} pixels"
        raise FormatError(Problem("image-pixels", where, found, _most(max_pixels)))
    return image


def _most(max_pixels: int) -> str:
    return f"at most {max_pixels:,} pixels"


def read_image(path: Path, max_pixels: int = MAX_PIXELS) -> npt.NDArray[np.uint8]:
    """Pixels of an image file, as :func:`decode_image` gives them."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FormatError(
            Problem("file-unreadable", str(path), error.strerror or "an error", "a readable file")
        ) from None
    return decode_image(data, str(path), max_pixels)


def image_json(image: npt.NDArray[np.uint8]) -> bytes:
    """An RGB image (H, W, 3) as JSON text: nested lists of 0 to 255.

    Examples
    --------
    >>> image_json(np.array([[[0, 7, 255], [1, 2, 3]]], np.uint8))
    b'[[[  0,  7,255],[  1,  2,  3]]]'
    """
    height, width, channels = image.shape
    pixel = 4 * channels + 2  # brackets around, digits and commas within, a comma after: the last digit's comma goes
    text = np.empty((height, width * pixel + 2), np.uint8)
    text[:, 0] = ord("[")
    cells = text[:, 1:-1].reshape(height, width, pixel)
    cells[..., 0] = ord("[")
    cells[..., 1:-1] = _DIGITS[image].reshape(height, width, 4 * channels)
    cells[..., -2] = ord("]")
    cells[..., -1] = ord(",")
    text[:, -2] = ord("]")
    text[:, -1] = ord(",")
    return b"[" + text.tobytes()[:-1] + b"]"


def dense_json(values: npt.NDArray[np.bool_] | npt.NDArray[np.uint8]) -> bytes:
    """An array of 0 and 1 of any number of dimensions as JSON text: nested lists.

    Examples
    --------
    >>> dense_json(np.eye(2, dtype=bool))
    b'[[1,0],[0,1]]'
    """
    if not values.ndim or not values.size:
        return str(values.tolist()).replace(" ", "").encode()
    rows = values.reshape(-1, values.shape[-1])
    text = np.empty((len(rows), 2 * values.shape[-1] + 2), np.uint8)
    text[:, 0] = ord("[")
    text[:, 1:-1:2] = rows.view(np.uint8) + ord("0")
    text[:, 2:-1:2] = ord(",")
    text[:, -2] = ord("]")
    text[:, -1] = ord(",")
    parts = [row.tobytes() for row in text] if values.ndim > 2 else [text.tobytes()]
    for size in values.shape[-2:0:-1]:
        groups = [b"".join(parts[i : i + size]) for i in range(0, len(parts), size)]
        parts = [b"[" + group[:-1] + b"]," for group in groups]
    return (b"".join(parts) if values.ndim == 1 else b"[" + b"".join(parts)[:-1] + b"],")[:-1]


def raw_image(value: Any, where: str, max_pixels: int = MAX_PIXELS) -> npt.NDArray[np.uint8]:
    """An image given as nested lists [H, W, 3] of 0 to 255.

    Raises
    ------
    FormatError
        Rule ``image-raw`` where it is anything else, ``image-pixels`` where it is too large.
    """
    expected = "[H, W, 3] whole numbers from 0 to 255"
    try:
        array = np.asarray(value)
    except ValueError:
        raise FormatError(Problem("image-raw", where, "lists of uneven length", expected)) from None
    if array.dtype.kind not in "iu" or array.ndim != _CHANNELS or array.shape[2] != _CHANNELS or not array.size:
        kind = {"O": "other things than numbers", "f": "fractions", "b": "booleans", "U": "text"}.get(array.dtype.kind)
        raise FormatError(Problem("image-raw", where, f"{kind or 'numbers'} of shape {list(array.shape)}", expected))
    if array.shape[0] * array.shape[1] > max_pixels:
        found = f"an image of {array.shape[0]:,} × {array.shape[1]:,} pixels"
        raise FormatError(Problem("image-pixels", where, found, _most(max_pixels)))
    if array.min() < 0 or array.max() > 255:
        raise FormatError(Problem("image-raw", where, f"values from {array.min()} to {array.max()}", expected))
    return np.ascontiguousarray(array, np.uint8)
