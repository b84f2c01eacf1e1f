"""Messages between the server and its worker processes: a JSON header and raw bytes, over a pipe."""

from __future__ import annotations

import asyncio
import struct
from typing import Any, BinaryIO

import msgspec

__all__ = ["pack", "read", "read_from"]

_LENGTHS = struct.Struct("<IQ")


def pack(header: Any, body: bytes = b"") -> tuple[bytes, bytes]:
    """A message as it travels: what goes before the body, and the body."""
    text = msgspec.json.encode(header)
    return _LENGTHS.pack(len(text), len(body)) + text, body


def read_from(pipe: BinaryIO) -> tuple[Any, bytes] | None:
    """The next message of a blocking pipe, or None at its end."""
    start = pipe.read(_LENGTHS.size)
    if len(start) < _LENGTHS.size:
        return None
    header_length, body_length = _LENGTHS.unpack(start)
    header, body = pipe.read(header_length), pipe.read(body_length)
    if len(header) < header_length or len(body) < body_length:
        return None
    return msgspec.json.decode(header), body


async def read(stream: asyncio.StreamReader) -> tuple[Any, bytes]:
    """The next message of a stream; IncompleteReadError at its end."""
    header_length, body_length = _LENGTHS.unpack(await stream.readexactly(_LENGTHS.size))
    header = await stream.readexactly(header_length)
    return msgspec.json.decode(header), await stream.readexactly(body_length) if body_length else b""
