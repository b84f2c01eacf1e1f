"""A local endpoint with the models of `served`, shared by the tests of a run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from rapideval.endpoint.local import LocalEndpoint
from rapideval.endpoint.server.limits import Limits

SERVED = Path(__file__).parent / "served"

PIXEL = [[[10, 20, 30]]]

ALL_MODELS = (
    *("size", "checker", "bright", "process", "slow", "short", "raises", "exits", "crashes", "leaves"),
    *("uneven", "percent", "not_a_number", "nothing", "unsayable"),
)


@pytest.fixture(scope="session")
def serve() -> Callable[..., LocalEndpoint]:
    """Make a local endpoint of models of `served`, by name."""

    def made(*models: str, **options: Any) -> LocalEndpoint:
        options.setdefault("path", (str(SERVED),))
        return LocalEndpoint({name: f"served_models:{name}" for name in models}, **options)

    return made


def connect(endpoint: LocalEndpoint, **options: Any) -> httpx.Client:
    """A plain HTTP client of a local endpoint, with its key."""
    headers = {"authorization": endpoint.key.authorization()}
    return httpx.Client(base_url=endpoint.url, headers=headers, trust_env=False, timeout=30, **options)


@pytest.fixture(scope="session")
def endpoint(serve: Callable[..., LocalEndpoint]) -> Iterator[LocalEndpoint]:
    """A running endpoint with all models; a task may take a second and a half."""
    with serve(*ALL_MODELS, production="size", limits=Limits(task_seconds=1.5, body=1 << 20, pixels=10_000)) as running:
        yield running


@pytest.fixture
def http(endpoint: LocalEndpoint) -> Iterator[httpx.Client]:
    """A plain HTTP client of the running endpoint."""
    with connect(endpoint) as client:
        yield client


@pytest.fixture
def ask(http: httpx.Client) -> Callable[..., dict[str, Any]]:
    """Send arguments to an endpoint synchronously, the envelope back."""

    def asked(name: str, **args: Any) -> dict[str, Any]:
        response = http.post(f"/v1/hosted_inference/task_sync/{name}", json={"args": args or {"images": [PIXEL]}})
        assert response.status_code == 200, response.text
        envelope: dict[str, Any] = response.json()
        return envelope

    return asked


def result(envelope: dict[str, Any]) -> Any:
    """The payload within a v0 envelope."""
    assert envelope["state"] == "SUCCESS", envelope
    return msgspec.json.decode(envelope["result"])


class FakeService:
    """A service whose behaviour a test writes: by default it takes tasks and answers each with an empty result.

    Attributes
    ----------
    submissions
        Body and headers of every submission, in order.
    polls
        Paths of every poll, in order.
    """

    def __init__(self) -> None:
        self.submissions: list[tuple[dict[str, Any], dict[str, str]]] = []
        self.polls: list[str] = []
        self.seen: set[str] = set()
        self.lock = threading.Lock()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                service.seen.add(self.headers.get("authorization", ""))
                with service.lock:
                    service.submissions.append((msgspec.json.decode(body), dict(self.headers)))
                    number = len(service.submissions)
                self.answer(*service.submitted(number))

            def do_GET(self) -> None:
                service.seen.add(self.headers.get("authorization", ""))
                with service.lock:
                    service.polls.append(self.path)
                self.answer(*service.polled(self.path))

            def answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
                if status == 0:  # hang up
                    self.close_connection = True
                    return
                content = body if isinstance(body, bytes) else msgspec.json.encode(body)
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def submitted(self, number: int) -> tuple[Any, ...]:
        """Status, body and headers for the submission of this number, from 1."""
        return 200, {"task_id": f"task-{number}"}

    def polled(self, path: str) -> tuple[Any, ...]:
        """Status, body and headers for a poll."""
        number = int(path.rpartition("-")[2])
        count = max(1, len(keys_of(self.submissions[number - 1][0])))
        return 200, {"state": "SUCCESS", "result": msgspec.json.encode([EMPTY] * count).decode()}

    def close(self) -> None:
        """Stop it."""
        self.server.shutdown()
        self.server.server_close()


EMPTY: dict[str, list[Any]] = {"boxes": [], "scores": [], "labels": []}


def keys_of(body: dict[str, Any]) -> list[Any]:
    """Images of a submission."""
    args = body["args"]
    return [args["image_url"]] if "image_url" in args else args.get("image_urls") or args.get("images") or []


@pytest.fixture
def service() -> Iterator[FakeService]:
    """A service whose behaviour the test writes."""
    made = FakeService()
    yield made
    made.close()
