"""The application: protocol, health and metrics behind the key, put together and taken apart."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rapideval.endpoint.secrets import ApiKey
from rapideval.endpoint.server import openapi
from rapideval.endpoint.server.auth import KeyCheck
from rapideval.endpoint.server.bodies import read_body
from rapideval.endpoint.server.endpoints import Endpoint, Endpoints, Production
from rapideval.endpoint.server.limits import Limits, Places
from rapideval.endpoint.server.metrics import Metrics
from rapideval.endpoint.server.models import ModelSource
from rapideval.endpoint.server.playground import Playground, is_page, own_folders
from rapideval.endpoint.server.refusals import Refusal, json_response
from rapideval.endpoint.server.routes import Protocol
from rapideval.endpoint.server.store import Store
from rapideval.endpoint.server.tasks import Tasks
from rapideval.endpoint.server.workers import PoolSize
from rapideval.errors import UsageError

__all__ = ["Settings", "make_app"]

_log = logging.getLogger(__name__)

_SMALL_BODY = 1 << 16


@dataclass(frozen=True, slots=True)
class Settings:
    """How a local endpoint is run.

    Attributes
    ----------
    versions
        Model versions by name, at least one.
    state
        Folder of tasks and uploads.
    production
        Version of the production endpoint, enabled from the start; None leaves it as it was, at first disabled.
    workers, cool_down
        Most workers of a regular endpoint, and the seconds without work after which one ends.
    production_workers
        Workers of the production endpoint, always warm.
    path
        Folders that models are imported from.
    grace
        Seconds that tasks under way have when the server stops.
    """

    versions: Mapping[str, ModelSource]
    state: Path
    production: str | None = None
    production_name: str = "production"
    workers: int = 1
    cool_down: float = 60.0
    production_workers: int = 1
    limits: Limits = field(default_factory=Limits)
    places: Places = field(default_factory=Places)
    unknown_task: Literal["missing", "pending"] = "missing"
    path: tuple[str, ...] = ()
    grace: float = 10.0


class _ProductionBody(msgspec.Struct, forbid_unknown_fields=True):
    enabled: bool
    version: str | None = None


class _Server:
    """The parts of a running server, and the routes that are not the protocol's."""

    def __init__(self, settings: Settings) -> None:
        if not settings.versions:
            raise UsageError("a local endpoint needs a model version")
        self.settings = settings
        settings.state.mkdir(parents=True, exist_ok=True)
        self.metrics = Metrics()
        self.store = Store(settings.state / "tasks.sqlite")
        self.tasks = Tasks(self.store, settings.limits, self.metrics)
        self.endpoints = Endpoints(
            settings.versions,
            production_name=settings.production_name,
            regular=PoolSize(0, settings.workers, settings.cool_down),
            production=PoolSize(settings.production_workers, settings.production_workers, settings.cool_down),
            limits=settings.limits,
            places=replace(settings.places, folders=settings.places.folders + own_folders(settings.state)),
            path=list(settings.path),
            store=self.store,
            metrics=self.metrics,
            done=self.tasks.done,
        )
        self.protocol = Protocol(self.tasks, self.endpoints, settings.limits, settings.unknown_task)
        self.playground = Playground(self.tasks, settings.state, settings.limits)
        self.stopping = False

    async def start(self) -> None:
        """Take up the production endpoint and the tasks of an earlier run."""
        kept = await self.store.setting("production")
        choice = msgspec.json.decode(kept, type=Production) if kept else self.endpoints.production_choice
        if choice.version not in self.settings.versions:
            choice = Production(next(iter(self.settings.versions)), False)
        if self.settings.production is not None:
            choice = Production(self.settings.production, True)
        await self._produce(choice)
        resumed = await self.tasks.start(self.endpoints)
        if resumed:
            _log.info("%s tasks of an earlier run go on", f"{resumed:,}")

    async def _produce(self, choice: Production) -> None:
        self.endpoints.produce(choice)
        await self.store.set("production", msgspec.json.encode(choice).decode())

    async def stop(self) -> None:
        """Let tasks under way finish for a while; what waits goes on at the next start."""
        self.stopping = True
        await self.endpoints.close(self.settings.grace)
        await self.tasks.close()
        self.store.close()

    def routes(self) -> list[Route]:
        """All routes."""
        return [
            *self.protocol.routes(),
            *self.playground.routes(),
            Route("/healthz", self.health, methods=["GET"]),
            Route("/metrics", self.show_metrics, methods=["GET"]),
            Route(openapi.PATH, self.openapi, methods=["GET"]),
            Route("/status", self.status, methods=["GET"]),
            Route("/production", self.production, methods=["GET", "PUT"]),
        ]

    # --- routes ----------------------------------------------------------------------------------

    async def health(self, _: Request) -> Response:
        """Whether tasks are taken."""
        trouble = "shutting down" if self.stopping else self.tasks.trouble
        if trouble is not None:
            return json_response({"status": "unavailable", "detail": trouble}, 503)
        return json_response({"status": "ok"})

    async def show_metrics(self, _: Request) -> Response:
        """Metrics in the text format of Prometheus."""
        queued = {endpoint.name: len(endpoint.pool.waiting) for endpoint in self.endpoints.all()}
        workers: dict[tuple[str, str], int] = {}
        for endpoint in self.endpoints.all():
            workers[endpoint.name, "busy"] = endpoint.pool.busy
            workers[endpoint.name, "idle"] = endpoint.pool.workers - endpoint.pool.busy
        return PlainTextResponse(self.metrics.text(queued, workers), media_type="text/plain; version=0.0.4")

    async def openapi(self, _: Request) -> Response:
        """What can be asked, as an OpenAPI document."""
        return Response(openapi.document(), media_type="application/json")

    async def status(self, _: Request) -> Response:
        """Endpoints with their versions, workers, queues and latencies in seconds."""
        return json_response({"endpoints": [self._status_of(endpoint) for endpoint in self.endpoints.all()]})

    def _status_of(self, endpoint: Endpoint) -> dict[str, Any]:
        answered, started = self.metrics.answered[endpoint.name], self.metrics.started[endpoint.name]
        return {
            "name": endpoint.name,
            "version": endpoint.version,
            "model": endpoint.source.shown,
            "production": endpoint.production,
            "workers": endpoint.pool.workers,
            "queued": len(endpoint.pool.waiting),
            "answered": len(answered),
            "latency": {"p50": answered.quantile(0.5), "p99": answered.quantile(0.99)},
            "cold_starts": len(started),
            "cold_start": {"p50": started.quantile(0.5)},
        }

    async def production(self, request: Request) -> Response:
        """Which version the production endpoint has, and whether it is enabled; with PUT, set both."""
        if request.method == "PUT":
            await self._set_production(request)
        choice = self.endpoints.production_choice
        content = {"name": self.settings.production_name, "version": choice.version, "enabled": choice.enabled}
        return json_response(content)

    async def _set_production(self, request: Request) -> None:
        body = await read_body(request, _SMALL_BODY)
        try:
            given = msgspec.json.decode(body, type=_ProductionBody)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Refusal.invalid(str(error)) from None
        try:
            await self._produce(Production(given.version or self.endpoints.production_choice.version, given.enabled))
        except UsageError as error:
            raise Refusal.unprocessable(["body", "version"], str(error), "value_error") from None


class _Guard:
    """In front of everything: the key, the headers that all answers have, the count of requests."""

    def __init__(self, app: ASGIApp, *, check: KeyCheck, metrics: Metrics, public: frozenset[str]) -> None:
        self._app, self._check, self._metrics, self._public = app, check, metrics, public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], (b"x-content-type-options", b"nosniff")]}
            await send(message)

        try:
            if scope["path"] in self._public or is_page(scope["path"]) or self._check(_authorization(scope)):
                await self._app(scope, receive, counted)
            else:
                await Refusal.unauthenticated().response(scope, receive, counted)
        finally:
            handler = scope.get("endpoint")
            self._metrics.requests[scope["method"], getattr(handler, "__name__", "none"), status] += 1


def _authorization(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            return str(value, "latin-1")
    return ""


def make_app(settings: Settings, key: ApiKey) -> Starlette:
    """The application of a local endpoint.

    Raises
    ------
    UsageError
        For settings that do not fit together.
    StorageError
        Where the state folder is in use, or cannot be written.
    """
    server = _Server(settings)

    @contextlib.asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        await server.start()
        try:
            yield
        finally:
            await server.stop()

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        return error.response

    async def not_routed(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return json_response({"detail": error.detail}, error.status_code, error.headers)

    async def broken(_: Request, error: Exception) -> Response:
        refusal, request_id = Refusal.broken()
        _log.error("request %s failed", request_id, exc_info=error)
        return refusal.response

    app = Starlette(
        routes=server.routes(),
        lifespan=life,
        exception_handlers={Refusal: refused, HTTPException: not_routed, Exception: broken},
    )
    app.add_middleware(
        _Guard, check=KeyCheck(key), metrics=server.metrics, public=frozenset({"/healthz", "/metrics", openapi.PATH})
    )
    return app
