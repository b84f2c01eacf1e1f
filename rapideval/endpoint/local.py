"""A local endpoint in a process of its own, started and stopped by a program: the demonstration, a test, a notebook."""

from __future__ import annotations

import contextlib
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from rapideval.endpoint.protocol import V0_BASE
from rapideval.endpoint.secrets import ApiKey
from rapideval.errors import EndpointError

if TYPE_CHECKING:
    from rapideval.endpoint.server.limits import Limits, Places

__all__ = ["LocalEndpoint", "new_key"]

_STOP_SECONDS = 20.0


def new_key() -> ApiKey:
    """A fresh key, marked as one for tests."""
    return ApiKey("test_" + secrets.token_hex(16))


class LocalEndpoint:
    """A local endpoint that serves while a ``with`` block runs.

    Parameters
    ----------
    versions
        Model versions by name: ``package.module:function``, ``replay:PATH`` or ``builtin:NAME``.
    production
        Version that the production endpoint has, enabled; None for none.
    state
        Folder that keeps its tasks; a temporary one by default.
    key
        The key it takes; a fresh one by default.
    host, port
        Where it listens; port 0 takes a free one.
    path
        Folders that models are imported from, besides this program's own.
    limits, places
        Bounds, and where images come from.
    **settings
        The rest of :class:`rapideval.endpoint.server.app.Settings`.

    Attributes
    ----------
    url
        Its address, ``http://127.0.0.1:PORT``, while it runs.
    key
        The key it takes.

    Raises
    ------
    EndpointError
        Where it does not start.
    """

    def __init__(
        self,
        versions: Mapping[str, str],
        *,
        production: str | None = None,
        state: Path | None = None,
        key: ApiKey | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        path: tuple[str, ...] = (),
        limits: Limits | None = None,
        places: Places | None = None,
        **settings: Any,
    ) -> None:
        from rapideval.endpoint.server.models import ModelSource

        self.key = new_key() if key is None else key
        self.url = ""
        self._temporary = None if state is not None else tempfile.TemporaryDirectory(prefix="rapideval-endpoint-")
        self._host, self._port = host, port
        self._settings: dict[str, Any] = {
            "versions": {name: {"text": ModelSource.parse(text).text} for name, text in versions.items()},
            "state": str(state if self._temporary is None else self._temporary.name),
            "production": production,
            "path": [*path, *(entry for entry in sys.path if entry)],
            **settings,
        }
        if limits is not None:
            self._settings["limits"] = asdict(limits)
        if places is not None:
            folders = [(prefix, str(folder)) for prefix, folder in places.folders]
            self._settings["places"] = {"folders": folders, "private": places.private}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def v0_url(self) -> str:
        """Base URL of the v0 routes, as ``LaunchClient(endpoint=...)`` takes it."""
        return self.url + V0_BASE

    @property
    def pid(self) -> int:
        """Its process id, while it runs."""
        if self._process is None:
            raise EndpointError("the local endpoint is not running")
        return self._process.pid

    def start(self) -> Self:
        """Start it, and wait until it takes requests."""
        start = {"key": self.key.reveal(), "settings": self._settings, "host": self._host, "port": self._port}
        self._process = subprocess.Popen(
            # -P: the package this program imports, not a folder of that name where it was started
            [sys.executable, "-P", "-m", "rapideval.endpoint.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            told = self._told(start)
        except BaseException:  # an interruption too: nothing stays behind
            self.stop()
            raise
        if "url" not in told:
            self.stop()
            raise EndpointError(f"the local endpoint did not start: {told.get('error', 'it says why above')}")
        self.url = told["url"]
        return self

    def _told(self, start: dict[str, Any]) -> dict[str, Any]:
        """Tell the process how to start; what it says once it has."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(start) + b"\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        told: dict[str, Any] = msgspec.json.decode(said) if said else {}
        return told

    def stop(self) -> int | None:
        """Stop it and wait until it has; its exit code. Harmless when repeated."""
        code = None
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            try:
                code = self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                code = self._process.wait()
            self._process = None
        return code

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._temporary is not None:
            self._temporary.cleanup()
