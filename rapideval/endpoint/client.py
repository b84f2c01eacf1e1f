"""The client of a hosted endpoint: submit, poll, list; retried with patience, the key shown to nobody but the endpoint.

It knows no files and no journal: :mod:`rapideval.endpoint.prediction` has those.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
import msgspec

from rapideval.endpoint.protocol import (
    DEFAULT_URLS,
    IDEMPOTENCY_HEADER,
    V0_BASE,
    Answer,
    Dialect,
    read_answer,
    read_task_id,
)
from rapideval.endpoint.retry import RETRIED_STATUS, Backoff, retry_after
from rapideval.endpoint.secrets import ApiKey
from rapideval.endpoint.transport import HostTransport
from rapideval.errors import EndpointError, UsageError

__all__ = ["EndpointClient", "NoTaskError", "RefusedError", "Submitted", "UnreachableError"]

_OK = range(200, 300)
_KEY_REFUSED = (401, 403)
_NOT_FOUND = 404
_REDIRECTS = (301, 302, 303, 307, 308)
_METHOD_KEPT = (307, 308)
_MOST_REDIRECTS = 3
_SHOWN = 500
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class UnreachableError(EndpointError):
    """An endpoint that does not answer, or refuses the key: no task will fare better."""


class RefusedError(EndpointError):
    """A request that the endpoint refuses; another one may fare better."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class NoTaskError(EndpointError):
    """A task that the endpoint does not know."""


class Submitted(msgspec.Struct, frozen=True):
    """A task that was taken.

    Attributes
    ----------
    task_id
        The endpoint's id.
    tries
        How often the submission was sent.
    uncertain
        Whether one of them was sent whole and not answered: the endpoint may have taken it too.
    """

    task_id: str
    tries: int
    uncertain: bool


class _Reply(msgspec.Struct, frozen=True):
    status: int
    body: bytes
    tries: int
    uncertain: bool


class EndpointClient:
    """A connection to one endpoint; used in an ``async with`` block.

    Parameters
    ----------
    endpoint
        Name of the endpoint.
    key
        The API key.
    base_url
        Where the service is: by default the hosted one of the dialect. Of a local endpoint the host and port suffice.
    dialect
        ``"v0"`` or ``"v1"``; see :mod:`rapideval.endpoint.protocol`.
    connections
        Most connections at a time.
    patience
        Seconds for which one request is tried again.
    timeout
        Seconds without a byte after which a request is given up and tried again.
    allow_http
        Whether the key may travel unencrypted to another machine.
    largest_answer
        Bytes above which an answer is refused.

    Raises
    ------
    UsageError
        Where the URL cannot be one, or the key would travel unencrypted.
    """

    def __init__(
        self,
        endpoint: str,
        key: ApiKey,
        *,
        base_url: str | None = None,
        dialect: Dialect = "v0",
        connections: int = 32,
        patience: float = 300.0,
        timeout: float = 60.0,
        allow_http: bool = False,
        largest_answer: int = 1 << 31,
    ) -> None:
        if not endpoint or "/" in endpoint:
            raise UsageError(f"{endpoint!r} is no name of an endpoint")
        self.endpoint, self.dialect = endpoint, dialect
        self.base_url = _checked_url(base_url, dialect, allow_http)
        self._key, self._patience, self._largest = key, patience, largest_answer
        self._name = quote(endpoint, safe="")
        self._endpoint_id = ""
        self._poll_paths = (
            ["endpoints/{endpoint}/task_async/{task}", "task/result/{task}"]
            if dialect == "v0"
            else ["v1/async-tasks/{task}"]
        )
        context = ssl.create_default_context()
        self._client = httpx.AsyncClient(
            headers={"authorization": key.authorization(), "accept": "application/json", "user-agent": "rapideval"},
            timeout=httpx.Timeout(timeout, connect=min(timeout, 15.0), pool=None),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            verify=context,
            follow_redirects=False,
            # a proxy that the environment names needs httpx's own pool
            transport=None if _proxied(self.base_url) else HostTransport(self.base_url, context, connections),
        )

    def __repr__(self) -> str:
        return f"EndpointClient({self.endpoint!r}, base_url={self.base_url!r}, dialect={self.dialect!r})"

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    # --- tasks -----------------------------------------------------------------------------------

    async def submit(self, body: bytes, submission: str) -> Submitted:
        """Submit a task.

        Parameters
        ----------
        body
            What :func:`rapideval.endpoint.protocol.task_body` makes of arguments.
        submission
            A key of this submission: an endpoint that knows such keys takes it once, however often it is sent.

        Raises
        ------
        RefusedError
            Where the endpoint refuses these arguments.
        UnreachableError
            Where it does not answer, refuses the key, or is not there.
        """
        reply = await self._request("POST", await self._submit_path(), body, {IDEMPOTENCY_HEADER: submission})
        if reply.status == _NOT_FOUND:
            raise UnreachableError(f"{self._where}: no endpoint {self.endpoint!r} ({self._shown(reply.body)})")
        if reply.status not in _OK:
            raise RefusedError(reply.status, f"{reply.status}: {self._shown(reply.body)}")
        return Submitted(read_task_id(reply.body), reply.tries, reply.uncertain)

    async def poll(self, task_id: str) -> tuple[Answer, bytes]:
        """The state of a task, and the answer's body.

        Raises
        ------
        NoTaskError
            Where the endpoint does not know the task.
        UnreachableError
            Where it does not answer, or refuses the key.
        EndpointError
            Where its answer makes no sense.
        """
        task = quote(task_id, safe="")
        for place, path in enumerate(self._poll_paths):
            reply = await self._request("GET", path.format(endpoint=self._name, task=task))
            if reply.status in _OK:
                if place:  # this service has the other path
                    self._poll_paths.insert(0, self._poll_paths.pop(place))
                return read_answer(reply.body), reply.body
            if reply.status != _NOT_FOUND:
                raise EndpointError(f"a poll was answered {reply.status}: {self._shown(reply.body)}")
        raise NoTaskError(f"the endpoint does not know task {task_id}")

    async def ask(self, body: bytes) -> tuple[Answer, bytes]:
        """Submit a task and wait for its answer in the same request; for an endpoint that answers within seconds."""
        if self.dialect == "v0":
            path = f"task_sync/{self._name}"
        else:
            path = f"v1/sync-tasks?model_endpoint_id={await self._v1_id()}"
        reply = await self._request("POST", path, body)
        if reply.status not in _OK:
            raise RefusedError(reply.status, f"{reply.status}: {self._shown(reply.body)}")
        return read_answer(reply.body), reply.body

    async def endpoints(self) -> list[dict[str, Any]]:
        """The endpoints that the key gives access to, as the service describes them."""
        path, member = ("endpoints", "endpoints") if self.dialect == "v0" else ("v1/model-endpoints", "model_endpoints")
        reply = await self._request("GET", path)
        if reply.status not in _OK:
            raise RefusedError(reply.status, f"{reply.status}: {self._shown(reply.body)}")
        try:
            listed: list[dict[str, Any]] = msgspec.json.decode(reply.body, type=dict[str, list[dict[str, Any]]])[member]
        except (msgspec.DecodeError, KeyError):
            raise EndpointError(f"not a list of endpoints: {self._shown(reply.body)}") from None
        return listed

    async def _submit_path(self) -> str:
        if self.dialect == "v0":
            return f"task_async/{self._name}"
        return f"v1/async-tasks?model_endpoint_id={await self._v1_id()}"

    async def _v1_id(self) -> str:
        if not self._endpoint_id:
            reply = await self._request("GET", f"v1/model-endpoints?name={quote(self.endpoint, safe='')}")
            try:
                listed = msgspec.json.decode(reply.body)["model_endpoints"]
                self._endpoint_id = quote(str(listed[0]["id"]), safe="")
            except (msgspec.DecodeError, KeyError, IndexError, TypeError):
                said = f"{reply.status}: {self._shown(reply.body)}"
                raise UnreachableError(f"{self._where}: no endpoint {self.endpoint!r} ({said})") from None
        return self._endpoint_id

    # --- requests --------------------------------------------------------------------------------

    async def _request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> _Reply:
        """Make a request until it is answered with something that another try would not change."""
        url = f"{self.base_url}/{path}"
        backoff = Backoff(self._patience)
        uncertain = False
        while True:
            try:
                response = await self._exchange(method, url, body, headers)
            except httpx.RequestError as error:
                # a request that may have arrived: sent, and the answer lost
                uncertain |= not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))
                fault, asked = f"{type(error).__name__}: {error}".rstrip(": "), None
            else:
                status, content, asked = response
                if status not in RETRIED_STATUS:
                    if status in _KEY_REFUSED:
                        raise UnreachableError(f"{self._where} refuses the API key ({status}: {self._shown(content)})")
                    return _Reply(status, content, backoff.tries + 1, uncertain)
                fault = f"{status}: {self._shown(content)}"
            seconds = backoff.wait(asked)
            if seconds is None:
                message = f"{self._where} did not answer for {self._patience:g} s; at last: {fault}"
                raise UnreachableError(self._key.redact(message))
            await asyncio.sleep(seconds)

    async def _exchange(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str] | None
    ) -> tuple[int, bytes, float | None]:
        """One try, redirects within the host followed: status, body, and the wait that the server asks for."""
        for _ in range(_MOST_REDIRECTS + 1):
            request = self._client.build_request(method, url, content=body, headers=headers)
            if body is not None:
                request.headers["content-type"] = "application/json"
            response = await self._client.send(request, stream=True)
            try:
                content = await self._content(response)
            finally:
                await response.aclose()
            if response.status_code not in _REDIRECTS:
                return response.status_code, content, retry_after(response.headers.get("retry-after"))
            url = self._redirected(response, method)
        raise UnreachableError(f"{self._where} redirects more than {_MOST_REDIRECTS} times")

    async def _content(self, response: httpx.Response) -> bytes:
        parts, size = [], 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > self._largest:
                raise EndpointError(f"an answer of more than {self._largest:,} bytes")
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _redirected(self, response: httpx.Response, method: str) -> str:
        target = urljoin(str(response.url), response.headers.get("location", ""))
        here, there = urlsplit(str(response.url)), urlsplit(target)
        if (here.scheme, here.hostname, here.port) != (there.scheme, there.hostname, there.port):
            raise UnreachableError(
                f"{self._where} redirects to {there.scheme}://{there.netloc.rpartition('@')[2]}:"
                " the API key is not sent to another host; if that is right, give it as base URL"
            )
        if method != "GET" and response.status_code not in _METHOD_KEPT:
            raise UnreachableError(f"{self._where} redirects a submission with {response.status_code}")
        return str(target)

    @property
    def _where(self) -> str:
        return self.base_url

    def _shown(self, body: bytes) -> str:
        text = " ".join(body[:_SHOWN].decode("utf-8", "replace").split()) or "an empty body"
        return self._key.redact(text)


def _proxied(url: str) -> bool:
    """Whether the environment has a proxy for a host of another machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return host not in _LOOPBACK and bool(getproxies().keys() & {parts.scheme, "all"}) and not proxy_bypass(host)


def _checked_url(base_url: str | None, dialect: Dialect, allow_http: bool) -> str:
    if base_url is None:
        return DEFAULT_URLS[dialect]
    parts = urlsplit(base_url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{base_url!r} is no base URL; expected one such as {DEFAULT_URLS[dialect]}")
    if parts.username is not None or parts.query or parts.fragment:
        raise UsageError("a base URL has no user, query or fragment: the API key goes into SCALE_API_KEY or a key file")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK and not allow_http:
        raise UsageError(
            f"http://{parts.netloc} would carry the API key unencrypted; if that network is yours: allow_http=True"
            " (--allow-http)"
        )
    path = parts.path.rstrip("/")
    if not path and dialect == "v0":
        path = V0_BASE
    return f"{parts.scheme}://{parts.netloc}{path}"
