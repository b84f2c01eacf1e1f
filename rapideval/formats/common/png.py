"""PNG pictures of numbers, decoded with a bound on their size."""

from __future__ import annotations

import base64
import contextlib
import io
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

__all__ = ["MAX_PIXELS", "PngError", "base64_png", "decoded_alpha", "decoded_colours", "decoded_png"]

MAX_PIXELS = 1 << 27
"""Most pixels of a picture: a small file can promise a huge one."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class PngError(ValueError):
    """What is no PNG, or none of one channel."""


def decoded_png(data: bytes) -> npt.NDArray[Any]:
    """Numbers (H, W) of a PNG of one channel: its palette's places, not its colours.

    Raises
    ------
    PngError
        Saying what it is instead.
    """
    pixels = decoded_colours(data)
    if pixels.ndim != 2:
        raise PngError("a PNG of mode RGB")
    return pixels


def decoded_colours(data: bytes) -> npt.NDArray[Any]:
    """Numbers (H, W) of a PNG of one channel, or colours (H, W, 3) of another.

    Raises
    ------
    PngError
        Saying what it is instead.
    """
    with _opened(data) as picture:
        if picture.mode == "1":
            return np.asarray(picture.convert("L")) > 0
        if picture.mode in ("RGB", "RGBA"):
            return np.asarray(picture.convert("RGB"))
        if picture.mode not in ("L", "P", "I;16", "I"):
            raise PngError(f"a PNG of mode {picture.mode}")
        return np.asarray(picture)


def decoded_alpha(data: bytes) -> npt.NDArray[np.bool_]:
    """What a PNG shows (H, W): pixels that are not transparent; where it has no transparency, those that are not 0.

    Raises
    ------
    PngError
        Saying what it is instead.
    """
    with _opened(data) as picture:
        if picture.mode in ("LA", "RGBA") or "transparency" in picture.info:
            return np.asarray(picture.convert("RGBA"))[..., -1] > 0
    return decoded_png(data) > 0


@contextlib.contextmanager
def _opened(data: bytes) -> Iterator[ImageFile]:
    """A PNG of bounded size; what goes wrong with it is a PngError."""
    from PIL import Image

    if not data.startswith(_SIGNATURE):
        raise PngError(f"data that begins with {data[:8]!r}")
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if width * height > MAX_PIXELS:
        raise PngError(f"a PNG of {width:,} × {height:,} pixels, more than {MAX_PIXELS:,}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own bound is above
            with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
                yield picture
    except PngError:
        raise
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError, zlib.error and its own, by turns
        raise PngError(f"a PNG that does not decode ({type(error).__name__}: {error})") from None


def base64_png(mask: npt.NDArray[np.bool_], bits: int = 8) -> str:
    """A mask (H, W) as a PNG in base64: 0 and 255, or of one bit a pixel."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(mask if bits == 1 else mask.astype(np.uint8) * 255).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()
