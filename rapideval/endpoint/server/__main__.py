"""A local endpoint run by another program: ``python -m rapideval.endpoint.server``.

It is told what to serve by a JSON document on its standard input, says ``{"url": ...}`` on its standard output once it
takes requests, and ends when its standard input does: it does not outlive the program that started it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec

from rapideval.endpoint.secrets import ApiKey
from rapideval.endpoint.server.app import Settings
from rapideval.endpoint.server.run import bind, run
from rapideval.errors import RapidevalError

__all__ = ["Start", "main"]

_FAILED = 2


class Start(msgspec.Struct):
    """What a local endpoint is told at its start; the settings are those of :class:`Settings`."""

    key: str
    settings: dict[str, Any]
    host: str = "127.0.0.1"
    port: int = 0

    def made(self) -> Settings:
        """The settings themselves."""
        return msgspec.convert(self.settings, Settings, dec_hook=_path)


def _path(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError(kind)


def main() -> int:
    """Serve until the standard input ends; the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    start = msgspec.json.decode(sys.stdin.buffer.readline(), type=Start)
    threading.Thread(target=_stop_with_input, name="end of input", daemon=True).start()
    try:
        listening = bind(start.host, start.port)
        url = f"http://{start.host}:{listening.getsockname()[1]}"

        def ready() -> None:
            sys.stdout.write(msgspec.json.encode({"url": url, "pid": os.getpid()}).decode() + "\n")
            sys.stdout.flush()

        run(start.made(), ApiKey(start.key), listening, ready)
    except RapidevalError as error:
        sys.stdout.write(msgspec.json.encode({"error": str(error)}).decode() + "\n")
        return _FAILED
    return 0


def _stop_with_input() -> None:
    with contextlib.suppress(OSError, ValueError):
        while sys.stdin.buffer.readline():
            pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
