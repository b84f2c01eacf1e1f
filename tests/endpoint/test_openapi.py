"""The OpenAPI document says what the server does: its routes, and what each answers to good and bad requests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rapideval.endpoint.local import LocalEndpoint
from rapideval.endpoint.secrets import ApiKey
from rapideval.endpoint.server import openapi
from rapideval.endpoint.server.app import Settings, make_app
from rapideval.endpoint.server.limits import Limits
from rapideval.endpoint.server.models import ModelSource

from .conftest import SERVED

# Requests are drawn anew for each operation; names that exist let them come further than "not found".
CONFIG = """
[parameters]
endpoint = "size"
endpoint_id = "end_size"
model_endpoint_id = "end_size"

# What is not known in a query is passed over, as the hosted service does.
[[operations]]
include-path-regex = "model-endpoints$"
checks.negative_data_rejection.enabled = false

# That bytes are an image is nothing that a schema can say.
[[operations]]
include-path = "/uploads"
checks.positive_data_acceptance.enabled = false
"""


def test_the_document_names_every_route_and_no_other(tmp_path):
    app = make_app(Settings({"size": ModelSource.parse("served_models:size")}, tmp_path), ApiKey("test_key"))
    routes = {
        (path, method.lower())
        for route in app.routes
        for path in [route.path]
        for method in route.methods - {"HEAD"}
        if path != "/" and not path.startswith("/playground")
    }
    paths = json.loads(openapi.document())["paths"]
    assert {(path, method) for path, methods in paths.items() for method in methods} == routes


def test_the_document_is_public_and_the_same_bytes(endpoint, http):
    import httpx

    first = httpx.get(f"{endpoint.url}{openapi.PATH}", trust_env=False)
    assert first.status_code == 200
    assert first.headers["content-type"] == "application/json"
    assert first.content == openapi.document()
    assert endpoint.key.reveal() not in first.text


def test_schemathesis_finds_no_answer_that_the_document_does_not_allow(tmp_path):
    pytest.importorskip("schemathesis")
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    limits = Limits(task_seconds=1.5, body=1 << 20, pixels=10_000)
    versions = {"size": "served_models:size"}
    with LocalEndpoint(versions, production="size", path=(str(SERVED),), limits=limits) as endpoint:
        command = [
            *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config), "run"),
            *(endpoint.url + openapi.PATH, "--auth", f"{endpoint.key.reveal()}:", "--max-examples", "15"),
            *("--seed", "1", "--workers", "1", "--no-color", "--request-timeout", "20", "--warnings", "off"),
        ]
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=300, cwd=tmp_path, env=environment, check=False
        )
    said = done.stdout.replace(endpoint.key.reveal(), "***")
    assert done.returncode == 0, said[-6000:]
    assert "Tested: 27" in said
