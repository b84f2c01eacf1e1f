"""Running the application: the socket, uvicorn, and a clean end."""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Callable

import uvicorn

from rapideval.endpoint.secrets import ApiKey, KeyFilter
from rapideval.endpoint.server.app import Settings, make_app
from rapideval.errors import UsageError

__all__ = ["bind", "run"]

_BACKLOG = 2048
_SHUTDOWN_SECONDS = 5


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one.

    Raises
    ------
    UsageError
        Where the port is taken or the address is not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UsageError(f"cannot listen at {host!r}: {error.strerror}") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"port {port} of {host} is in use: choose another with --port, or --port 0 for a free one"
            ) from None
        raise UsageError(f"cannot listen at {host}, port {port}: {error.strerror}") from None
    listening.set_inheritable(True)
    return listening


class _Announcing(uvicorn.Server):
    """Says when it takes requests."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and not self.should_exit:
            self._ready()


def run(settings: Settings, key: ApiKey, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until told to stop (SIGINT, SIGTERM); what was taken and not answered goes on at the next start."""
    redact = KeyFilter(key)
    for handler in logging.getLogger().handlers:
        handler.addFilter(redact)
    config = uvicorn.Config(
        make_app(settings, key),
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        timeout_keep_alive=75,
        ws="none",
    )
    _Announcing(config, ready).run([listening])
