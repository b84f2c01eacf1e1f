"""HTTP/1.1 connections to one host, for many small requests: asyncio's streams under httpx, h11 between them.

httpx's own pool walks through all its connections, with a system call for each, whenever a request begins or ends, and
reaches the socket through two more libraries. For a run that keeps dozens of connections busy that was three quarters
of the client's time. Here the connection used last is used next, and no other is looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator
from typing import Any

import h11
import httpx

__all__ = ["HostTransport"]

_IDLE_SECONDS = 30.0
_READ_BYTES = 1 << 16
_BUFFER_BYTES = 1 << 20
_PORTS = {"http": 80, "https": 443}


class _Connection:
    """A connection, and the state of its requests and responses."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.http = h11.Connection(h11.CLIENT)
        self.used = time.monotonic()

    def usable(self) -> bool:
        """Whether another request can be sent on it."""
        idle = self.http.our_state is h11.IDLE and time.monotonic() - self.used < _IDLE_SECONDS
        return idle and not self.reader.at_eof() and not self.writer.is_closing()

    def ready_again(self) -> bool:
        """Make it ready for the next request, if the last one ended well."""
        if self.http.our_state is not h11.DONE or self.http.their_state is not h11.DONE:
            return False
        self.http.start_next_cycle()
        self.used = time.monotonic()
        return True

    async def event(self, seconds: float | None) -> Any:
        """The next event of the response."""
        while (event := self.http.next_event()) is h11.NEED_DATA:
            async with asyncio.timeout(seconds):
                data = await self.reader.read(_READ_BYTES)
            if not data and self.http.their_state is h11.SEND_RESPONSE:
                raise ConnectionResetError("the server closed the connection without an answer")
            self.http.receive_data(data)
        return event


class HostTransport(httpx.AsyncBaseTransport):
    """Connections to one host.

    Parameters
    ----------
    url
        Any URL of the host.
    context
        How TLS is verified.
    connections
        Most connections at a time; further requests wait.
    """

    def __init__(self, url: str, context: ssl.SSLContext, connections: int) -> None:
        self._origin = _origin(httpx.URL(url))
        self._context = context
        self._idle: list[_Connection] = []
        self._free = asyncio.Semaphore(connections)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request on the connection used last, or on a new one."""
        if _origin(request.url) != self._origin:
            raise httpx.UnsupportedProtocol(f"another host than {self._origin[1]}", request=request)
        timeouts = request.extensions.get("timeout", {})
        await self._free.acquire()
        connection = None
        try:
            connection = await self._connection(request, timeouts.get("connect"))
            head = await self._exchange(connection, request, timeouts)
        except BaseException:
            self._drop(connection)
            raise
        return httpx.Response(
            head.status_code,
            headers=list(head.headers),
            stream=_Body(self, connection, request, timeouts.get("read")),
        )

    async def _connection(self, request: httpx.Request, seconds: float | None) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable():
                return connection
            connection.writer.close()
        scheme, host, port = self._origin
        context = self._context if scheme == "https" else None
        try:
            async with asyncio.timeout(seconds):
                reader, writer = await asyncio.open_connection(host, port, ssl=context, limit=_BUFFER_BYTES)
        except TimeoutError:
            raise httpx.ConnectTimeout("no connection in time", request=request) from None
        except OSError as error:  # ssl.SSLError is one
            raise httpx.ConnectError(str(error), request=request) from error
        return _Connection(reader, writer)

    async def _exchange(
        self, connection: _Connection, request: httpx.Request, timeouts: dict[str, float | None]
    ) -> h11.Response:
        """Send a request whole, and read the head of its response."""
        http = connection.http
        try:
            head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
            parts = [http.send(head), http.send(h11.Data(data=request.content)), http.send(h11.EndOfMessage())]
            connection.writer.writelines(part for part in parts if part)
            async with asyncio.timeout(timeouts.get("write")):
                await connection.writer.drain()
        except TimeoutError:
            raise httpx.WriteTimeout("the request could not be sent in time", request=request) from None
        except OSError as error:
            raise httpx.WriteError(str(error), request=request) from error
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error), request=request) from error
        while True:
            event = await _read(connection, request, timeouts.get("read"))
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise httpx.RemoteProtocolError(f"{type(event).__name__} instead of a response", request=request)

    def done(self, connection: _Connection) -> None:
        """Take a connection back whose response was read, or given up."""
        if connection.ready_again():
            self._free.release()
            self._idle.append(connection)
        else:
            self._drop(connection)

    def _drop(self, connection: _Connection | None) -> None:
        self._free.release()
        if connection is not None:
            connection.writer.close()

    async def aclose(self) -> None:
        """Close the idle connections; those in use close with their responses."""
        closing = [connection.writer for connection in self._idle]
        self._idle.clear()
        for writer in closing:
            writer.close()
        for writer in closing:
            with contextlib.suppress(OSError):
                await writer.wait_closed()


class _Body(httpx.AsyncByteStream):
    """The body of a response, which gives its connection back when it is closed."""

    def __init__(
        self, transport: HostTransport, connection: _Connection, request: httpx.Request, seconds: float | None
    ) -> None:
        self._transport, self._connection, self._request, self._seconds = transport, connection, request, seconds
        self._open = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            event = await _read(self._connection, self._request, self._seconds)
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            else:  # EndOfMessage
                return

    async def aclose(self) -> None:
        if self._open:
            self._open = False
            self._transport.done(self._connection)


async def _read(connection: _Connection, request: httpx.Request, seconds: float | None) -> Any:
    try:
        return await connection.event(seconds)
    except TimeoutError:
        raise httpx.ReadTimeout("no answer in time", request=request) from None
    except OSError as error:
        raise httpx.ReadError(str(error), request=request) from error
    except h11.RemoteProtocolError as error:
        raise httpx.RemoteProtocolError(str(error), request=request) from error


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or _PORTS[url.scheme]
