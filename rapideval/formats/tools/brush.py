"""Label Studio's brush: masks as packed run lengths of RGBA bytes, a bit stream in a list of bytes.

The stream has the number of bytes (32 bits), the bits of a value less one (5 bits), four lengths less one (4 bits
each), then packets: a bit that says whether one value repeats, two bits that choose one of the four lengths, a count
less one in as many bits, and one value or as many as the count says. A pixel is in the mask where its alpha is not 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["packed", "unpacked"]

_LENGTHS = (3, 4, 8, 16)
_VALUE_BITS = 8
_CHANNELS = 4


class BrushError(ValueError):
    """A stream that is none."""


def unpacked(data: Sequence[int], height: int, width: int) -> npt.NDArray[np.bool_]:
    """Mask (height, width) of a stream.

    Raises
    ------
    ValueError
        Where it is not a stream of such a mask.
    """
    if not all(isinstance(byte, int) and 0 <= byte <= 255 for byte in data):
        raise BrushError("bytes that are not whole numbers from 0 to 255")
    bits = _Bits(bytes(data))
    total = bits.take(32)
    if total != height * width * _CHANNELS:
        raise BrushError(f"{total:,} values, not 4 for each of {width} × {height} pixels")
    value_bits = bits.take(5) + 1
    lengths = [bits.take(4) + 1 for _ in range(4)]
    values = np.zeros(total, np.uint32)
    done = 0
    while done < total:
        repeats = bits.take(1)
        count = bits.take(lengths[bits.take(2)]) + 1
        if done + count > total:
            raise BrushError(f"values beyond the {total:,} it promises")
        if repeats:
            values[done : done + count] = bits.take(value_bits)
        else:
            values[done : done + count] = bits.take_many(count, value_bits)
        done += count
    alpha: npt.NDArray[np.bool_] = values.reshape(height, width, _CHANNELS)[..., 3] > 0
    return alpha


class _Bits:
    """A stream read from its first bit."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place, self._end = data, 0, 8 * len(data)

    def take(self, count: int) -> int:
        """The next bits as a number."""
        end = self._place + count
        if end > self._end:
            raise BrushError("a stream that ends early")
        first, last = self._place // 8, (end + 7) // 8
        number = int.from_bytes(self._data[first:last], "big") >> (8 * last - end)
        self._place = end
        return number & ((1 << count) - 1)

    def take_many(self, count: int, bits: int) -> npt.NDArray[np.uint32]:
        """The next numbers of as many bits each."""
        end = self._place + count * bits
        if end > self._end:
            raise BrushError("a stream that ends early")
        first = self._place // 8
        flat = np.unpackbits(np.frombuffer(self._data[first : (end + 7) // 8], np.uint8))
        rows = flat[self._place - 8 * first :][: count * bits].reshape(count, bits)
        self._place = end
        weights = (1 << np.arange(bits)[::-1]).astype(np.uint32)
        numbers: npt.NDArray[np.uint32] = (rows * weights).sum(axis=1, dtype=np.uint32)
        return numbers


def packed(mask: npt.NDArray[np.bool_]) -> list[int]:
    """Stream of a mask (H, W): all four channels are 255 inside and 0 outside.

    Examples
    --------
    >>> stream = packed(np.array([[False, True, True]]))
    >>> unpacked(stream, 1, 3).tolist()
    [[False, True, True]]
    """
    flat = mask.reshape(-1)
    header = [f"{flat.size * _CHANNELS:032b}", f"{_VALUE_BITS - 1:05b}", *(f"{length - 1:04b}" for length in _LENGTHS)]
    pieces = header
    edges = np.flatnonzero(np.diff(flat)) + 1
    starts = np.concatenate([[0], edges]) if flat.size else np.zeros(0, np.int64)
    runs = np.diff(np.concatenate([starts, [flat.size]]))
    for start, run in zip(starts.tolist(), runs.tolist(), strict=True):
        value = "11111111" if flat[start] else "00000000"
        left = run * _CHANNELS
        while left:
            place = next((n for n, bits in enumerate(_LENGTHS) if left <= 1 << bits), len(_LENGTHS) - 1)
            count = min(left, 1 << _LENGTHS[place])
            pieces.append(f"1{place:02b}{count - 1:0{_LENGTHS[place]}b}{value}")
            left -= count
    text = "".join(pieces)
    text += "0" * (-len(text) % 8)
    return list(int(text, 2).to_bytes(len(text) // 8, "big"))
