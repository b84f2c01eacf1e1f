"""Requests that are refused, in the words and shapes of the hosted service."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self

import msgspec
from starlette.responses import Response

__all__ = ["Refusal", "json_response"]


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON."""
    return Response(msgspec.json.encode(content), status, headers, "application/json")


def _now() -> str:
    return datetime.now(UTC).isoformat()


class Refusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}: {body}")
        self.status, self.body, self.headers = status, body, headers

    @property
    def response(self) -> Response:
        """The answer."""
        return json_response(self.body, self.status, self.headers)

    @classmethod
    def invalid(cls, reason: str) -> Self:
        """A request that cannot be carried out."""
        return cls(400, {"detail": f"Invalid request: {reason}"})

    @classmethod
    def unprocessable(cls, place: list[str | int], message: str, kind: str) -> Self:
        """A body with something wrong at a place."""
        return cls(422, {"detail": [{"loc": place, "msg": message, "type": kind}]})

    @classmethod
    def conflict(cls, reason: str) -> Self:
        """A request at odds with an earlier one."""
        return cls(409, {"detail": f"Invalid request: {reason}"})

    @classmethod
    def unauthenticated(cls) -> Self:
        """No key, or another one."""
        headers = {"WWW-Authenticate": 'Basic realm="endpoint", charset="UTF-8"'}
        return cls(401, {"detail": "Could not authenticate user"}, headers)

    @classmethod
    def no_endpoint(cls) -> Self:
        """An endpoint that does not exist, or not for this key."""
        return cls(404, {"detail": "The specified endpoint could not be found."})

    @classmethod
    def no_task(cls) -> Self:
        """A task that was never taken, or is forgotten."""
        return cls(404, {"detail": "The specified task could not be found."})

    @classmethod
    def too_many(cls, seconds: int) -> Self:
        """A queue that is full."""
        return cls(429, {"error": "Too many requests", "timestamp": _now()}, {"Retry-After": str(seconds)})

    @classmethod
    def late(cls) -> Self:
        """A synchronous request that takes too long."""
        return cls(408, {"detail": "Request timed out."})

    @classmethod
    def unavailable(cls, reason: str) -> Self:
        """A server that cannot take tasks now."""
        return cls(503, {"detail": f"{reason}. Please retry."}, {"Retry-After": "5"})

    @classmethod
    def broken(cls) -> tuple[Self, str]:
        """A fault of the server, and the id that its log knows it by."""
        request_id = str(uuid.uuid4())
        body = {"error": "Internal error occurred.", "timestamp": _now(), "request_id": request_id}
        return cls(500, body), request_id
