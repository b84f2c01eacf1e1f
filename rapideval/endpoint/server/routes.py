"""The routes of the two dialects: tasks are submitted, polled, waited for; endpoints are listed.

v0 is what scale-launch 0.1.0 to 0.3.3 and the documentation's ``curl`` requests speak, v1 what launch-python-client 0.4
speaks. They differ in paths, in the names ``state`` and ``status``, and in how deep the result is nested.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rapideval.endpoint.protocol import IDEMPOTENCY_HEADER, V0_BASE, V1_BASES
from rapideval.endpoint.server.bodies import read_body, read_submission
from rapideval.endpoint.server.endpoints import Endpoint, Endpoints
from rapideval.endpoint.server.limits import Limits
from rapideval.endpoint.server.refusals import Refusal, json_response
from rapideval.endpoint.server.store import Finished
from rapideval.endpoint.server.tasks import FullError, OtherRequestError, Tasks, unpacked
from rapideval.errors import StorageError

__all__ = ["Protocol"]

_LARGEST_IGNORED_BODY = 1 << 16
_LONGEST_SUBMISSION = 255

_PENDING = Response(b'{"state":"PENDING"}', media_type="application/json")


class Protocol:
    """The protocol's handlers.

    Parameters
    ----------
    unknown_task
        What a poll for a task that never was is told: ``"missing"`` (404), or ``"pending"`` for ever, as the hosted
        service's task queue says it.
    """

    def __init__(
        self, tasks: Tasks, endpoints: Endpoints, limits: Limits, unknown_task: Literal["missing", "pending"]
    ) -> None:
        self._tasks, self._endpoints, self._limits, self._unknown_task = tasks, endpoints, limits, unknown_task
        self._born = datetime.now(UTC).isoformat()

    def routes(self) -> list[Route]:
        """All routes of the two dialects; those that are asked most come first."""
        v0 = [
            _route("POST", f"{V0_BASE}/task_async/{{endpoint}}", self.v0_submit),
            _route("GET", f"{V0_BASE}/endpoints/{{endpoint}}/task_async/{{task_id}}", self.v0_poll),
            _route("GET", f"{V0_BASE}/task/result/{{task_id}}", self.v0_poll),
            _route("POST", f"{V0_BASE}/task_sync/{{endpoint}}", self.v0_sync),
            _route("GET", f"{V0_BASE}/endpoints", self.v0_list),
            _route("GET", f"{V0_BASE}/endpoints/{{endpoint}}", self.v0_get),
        ]
        return v0 + [
            route
            for base in V1_BASES
            for route in (
                _route("POST", f"{base}/async-tasks", self.v1_submit),
                _route("GET", f"{base}/async-tasks/{{task_id}}", self.v1_poll),
                _route("POST", f"{base}/sync-tasks", self.v1_sync),
                _route("GET", f"{base}/model-endpoints", self.v1_list),
                _route("GET", f"{base}/model-endpoints/{{endpoint_id}}", self.v1_get),
            )
        ]

    # --- v0 --------------------------------------------------------------------------------------

    async def v0_submit(self, request: Request) -> Response:
        """Take a task: ``{"task_id": ...}``."""
        return await self._submitted(request, self._endpoint(request.path_params["endpoint"]))

    async def v0_poll(self, request: Request) -> Response:
        """The state of a task, and its result once there is one."""
        await read_body(request, _LARGEST_IGNORED_BODY)
        found = await self._find(request.path_params["task_id"], request.path_params.get("endpoint"))
        return _PENDING if found is None else await _v0_answer(found)

    async def v0_sync(self, request: Request) -> Response:
        """Take a task and answer with its result."""
        _, finished = await self._waited(request, self._endpoint(request.path_params["endpoint"]))
        return await _v0_answer(finished)

    async def v0_list(self, request: Request) -> Response:
        """All endpoints."""
        await read_body(request, _LARGEST_IGNORED_BODY)
        return json_response({"endpoints": [self._v0_described(endpoint) for endpoint in self._endpoints.all()]})

    async def v0_get(self, request: Request) -> Response:
        """One endpoint."""
        await read_body(request, _LARGEST_IGNORED_BODY)
        return json_response(self._v0_described(self._endpoint(request.path_params["endpoint"])))

    def _v0_described(self, endpoint: Endpoint) -> dict[str, Any]:
        size = endpoint.pool.size
        return {
            "name": endpoint.name,
            "endpoint_type": "async",
            "bundle_name": endpoint.version,
            "status": "READY",
            "resource_settings": {},
            "worker_settings": {"min_workers": size.least, "max_workers": size.most},
            "metadata": _metadata(endpoint),
        }

    # --- v1 --------------------------------------------------------------------------------------

    async def v1_submit(self, request: Request) -> Response:
        """Take a task: ``{"task_id": ...}``."""
        return await self._submitted(request, self._endpoint_by_id(request))

    async def v1_poll(self, request: Request) -> Response:
        """The state of a task, and its result once there is one."""
        await read_body(request, _LARGEST_IGNORED_BODY)
        task_id = request.path_params["task_id"]
        found = await self._find(task_id, None)
        if found is None:
            nothing = {"status": "PENDING", "result": None, "traceback": None, "status_code": None}
            return json_response({"task_id": task_id, **nothing})
        return await _v1_answer(found, {"task_id": task_id})

    async def v1_sync(self, request: Request) -> Response:
        """Take a task and answer with its result."""
        _, finished = await self._waited(request, self._endpoint_by_id(request))
        return await _v1_answer(finished, {})

    async def v1_list(self, request: Request) -> Response:
        """All endpoints, or the one that a name is given of."""
        await read_body(request, _LARGEST_IGNORED_BODY)
        name = request.query_params.get("name")
        listed = [endpoint for endpoint in self._endpoints.all() if name in (None, endpoint.name)]
        return json_response({"model_endpoints": [self._v1_described(endpoint) for endpoint in listed]})

    async def v1_get(self, request: Request) -> Response:
        """One endpoint, by its id."""
        await read_body(request, _LARGEST_IGNORED_BODY)
        return json_response(
            self._v1_described(self._endpoint(request.path_params["endpoint_id"].removeprefix("end_")))
        )

    def _v1_described(self, endpoint: Endpoint) -> dict[str, Any]:
        return {
            "id": endpoint.id,
            "name": endpoint.name,
            "endpoint_type": "async",
            "destination": f"local.{endpoint.name}",
            "bundle_name": endpoint.version,
            "status": "READY",
            "created_by": "local",
            "created_at": self._born,
            "last_updated_at": self._born,
            "metadata": _metadata(endpoint),
            "num_queued_items": len(endpoint.pool.waiting),
        }

    # --- both ------------------------------------------------------------------------------------

    def _endpoint(self, name: str) -> Endpoint:
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            raise Refusal.no_endpoint()
        return endpoint

    def _endpoint_by_id(self, request: Request) -> Endpoint:
        given = request.query_params.get("model_endpoint_id")
        if given is None:
            raise Refusal.unprocessable(["query", "model_endpoint_id"], "Field required", "missing")
        return self._endpoint(given.removeprefix("end_"))

    async def _submitted(self, request: Request, endpoint: Endpoint) -> Response:
        return json_response({"task_id": await self._submit(request, endpoint)})

    async def _submit(self, request: Request, endpoint: Endpoint) -> str:
        args = await read_submission(request, self._limits)
        submission = request.headers.get(IDEMPOTENCY_HEADER)
        if submission is not None and not 0 < len(submission) <= _LONGEST_SUBMISSION:
            raise Refusal.invalid(f"{IDEMPOTENCY_HEADER} should have 1 to {_LONGEST_SUBMISSION} characters")
        try:
            return await self._tasks.submit(endpoint, args.text, submission)
        except FullError:
            raise Refusal.too_many(1) from None
        except OtherRequestError as error:
            raise Refusal.conflict(str(error)) from None
        except StorageError as error:
            raise Refusal.unavailable(f"Tasks cannot be kept: {error}") from None

    async def _find(self, task_id: str, endpoint: str | None) -> Finished | None:
        """A finished task; None while it is pending."""
        found = await self._tasks.find(task_id, endpoint)
        if found is None and self._unknown_task == "missing":
            raise Refusal.no_task()
        return found if isinstance(found, Finished) else None

    async def _waited(self, request: Request, endpoint: Endpoint) -> tuple[str, Finished]:
        task_id = await self._submit(request, endpoint)
        if not await self._tasks.wait(task_id, self._limits.task_seconds + self._limits.start_seconds):
            raise Refusal.late()
        found = await self._tasks.find(task_id)
        if not isinstance(found, Finished):
            raise Refusal.late()
        return task_id, found


def _route(method: str, path: str, handler: Callable[[Request], Any]) -> Route:
    return Route(path, handler, methods=[method])


def _metadata(endpoint: Endpoint) -> dict[str, Any]:
    return {"model": endpoint.source.shown, "production": endpoint.production}


async def _v0_answer(finished: Finished) -> Response:
    answer = await unpacked(finished)
    if finished.state == "success":
        return _json(b'{"state":"SUCCESS","result":', answer)
    return _json(b'{"state":"FAILURE","traceback":', answer)


async def _v1_answer(finished: Finished, begin: dict[str, str]) -> Response:
    answer = await unpacked(finished)
    start = (msgspec.json.encode(begin)[:-1] + b"," if begin else b"{") + b'"status":'
    if finished.state == "success":
        return _json(start + b'"SUCCESS","traceback":null,"status_code":200,"result":{"result":', answer, b"}")
    traceback: str = msgspec.json.decode(answer)
    last = msgspec.json.encode(traceback.rstrip().rpartition("\n")[2])
    return _json(start + b'"FAILURE","status_code":null,"result":' + last + b',"traceback":', answer)


def _json(start: bytes, answer: bytes, end: bytes = b"") -> Response:
    return Response(b"".join((start, answer, end, b"}")), media_type="application/json")
