"""A local endpoint with the models of `served`, shared by the tests of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
