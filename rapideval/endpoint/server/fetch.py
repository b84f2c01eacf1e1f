"""Images behind URLs: from folders that stand in for them, or fetched, but not from inside the network unless allowed.

An address is checked where the connection is made, after the name was resolved, and that very address is connected to:
neither a redirect nor a name server that changes its mind leads elsewhere.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urljoin, urlsplit

import httpcore

from rapideval.endpoint.server.limits import Limits, Places
from rapideval.errors import InputError, Problem
from rapideval.payloads.redact import unsigned_url

__all__ = ["is_public", "read_reference"]

_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_OK = 200
_CHUNK_SECONDS = 10.0

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def read_reference(url: str, places: Places, limits: Limits) -> bytes:
    """Bytes of the image that a URL names.

    Raises
    ------
    InputError
        Rules ``image-url`` (of a kind that is not taken), ``image-missing``, ``image-private`` (an address inside the
        network), ``image-fetch`` (the server refused or failed), ``image-bytes`` (too large).
    """
    for prefix, folder in sorted(places.folders, key=lambda item: -len(item[0])):
        if url.startswith(prefix):
            return _read_file(url, url[len(prefix) :], folder, limits)
    scheme = url.partition(":")[0].lower()
    if scheme in ("http", "https"):
        return _fetch(url, places.private, limits)
    if scheme == "s3":
        _refuse(
            "image-url",
            url,
            "an S3 URL, which a local endpoint cannot read",
            "a URL it reaches",
            "let a folder stand in for the bucket: --map s3://bucket/=FOLDER",
        )
    return _refuse("image-url", url, f"a URL of the kind {scheme[:20]!r}", "http, https or s3")


def _refuse(rule: str, url: str, found: str, expected: str, hint: str = "") -> NoReturn:
    shown = unsigned_url(url)
    raise InputError(Problem(rule, shown if len(shown) <= 200 else shown[:199] + "…", found, expected, hint))


def _read_file(url: str, rest: str, folder: Path, limits: Limits) -> bytes:
    relative = unquote(rest.partition("?")[0].partition("#")[0])
    try:
        path = (folder / relative.lstrip("/")).resolve()
        inside = path.is_relative_to(folder.resolve())
    except (OSError, ValueError):
        inside = False
    if not inside:
        _refuse("image-missing", url, "a path that leads out of its folder", "a file inside")
    try:
        with path.open("rb") as file:
            data = file.read(limits.download + 1)
    except OSError as error:
        _refuse("image-missing", url, f"no readable file in the folder that stands in ({error.strerror})", "an image")
    if len(data) > limits.download:
        _refuse("image-bytes", url, f"more than {limits.download:,} bytes", f"at most {limits.download:,}")
    return data


# --- fetching ------------------------------------------------------------------------------------


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet's, not of this machine or network.

    Examples
    --------
    >>> is_public("93.184.216.34"), is_public("127.0.0.1"), is_public("::ffff:10.0.0.1"), is_public("169.254.169.254")
    (True, False, False, False)
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo or (None, None))[1]
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


class _PrivateAddressError(Exception):
    """A name that resolves to an address inside the network."""


class _PublicOnly(httpcore.SyncBackend):
    """Connects to addresses of the internet only."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a host, if all of them are public."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the host is not known ({error})") from None
        addresses = [str(entry[4][0]) for entry in found]
        inside = [address for address in addresses if not is_public(address)]
        if inside or not addresses:
            raise _PrivateAddressError(inside[0] if inside else host)
        return super().connect_tcp(addresses[0], port, timeout, local_address, socket_options)


@lru_cache(maxsize=2)
def _pool(private: bool) -> httpcore.ConnectionPool:
    return httpcore.ConnectionPool(
        ssl_context=ssl.create_default_context(),
        max_connections=4,
        keepalive_expiry=15.0,
        network_backend=httpcore.SyncBackend() if private else _PublicOnly(),
    )


def _fetch(url: str, private: bool, limits: Limits) -> bytes:
    import httpx

    ends = time.monotonic() + limits.download_seconds
    try:
        here = str(httpx.URL(url))
    except httpx.InvalidURL as error:
        _refuse("image-url", url, f"no valid URL ({error})", "a URL such as https://host/image.jpg")
    for _ in range(_MOST_REDIRECTS + 1):
        try:
            status, location, data = _request(here, private, limits, ends)
        except _PrivateAddressError as error:
            _refuse(
                "image-private",
                url,
                f"the private address {error}",
                "an address of the internet",
                "--allow-private-urls lets a local endpoint fetch from inside the network",
            )
        except (httpcore.TimeoutException, TimeoutError):
            _refuse("image-fetch", url, "no answer in time", f"the image within {limits.download_seconds:g} s")
        except (
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
            ValueError,
            OSError,
        ) as error:
            _refuse("image-fetch", url, f"a connection that failed ({error})", "an image")
        if status not in _REDIRECTS:
            break
        here = urljoin(here, location)
        if urlsplit(here).scheme not in ("http", "https"):
            _refuse("image-fetch", url, "a redirect to another kind of URL", "http or https")
    else:
        _refuse("image-fetch", url, f"more than {_MOST_REDIRECTS} redirects", "an image")
    if status != _OK:
        _refuse("image-fetch", url, f"the answer {status}", "200 and an image")
    if len(data) > limits.download:
        _refuse("image-bytes", url, f"more than {limits.download:,} bytes", f"at most {limits.download:,}")
    return data


def _request(url: str, private: bool, limits: Limits, ends: float) -> tuple[int, str, bytes]:
    """One request: status, Location of a redirect, and the body up to one byte over the limit."""
    wait = min(_CHUNK_SECONDS, max(ends - time.monotonic(), 0.001))
    host = urlsplit(url).netloc.rpartition("@")[2]
    headers = [("Host", host), ("Accept", "image/*"), ("User-Agent", "rapideval")]
    timeouts = {"connect": wait, "read": wait, "write": wait, "pool": wait}
    with _pool(private).stream("GET", url, headers=headers, extensions={"timeout": timeouts}) as response:
        location = next((v.decode("latin-1") for k, v in response.headers if k.lower() == b"location"), "")
        if response.status != _OK:
            return response.status, location, b""
        data = bytearray()
        for chunk in response.iter_stream():
            data += chunk
            if len(data) > limits.download:
                break
            if time.monotonic() > ends:
                raise TimeoutError
    return response.status, "", bytes(data)
