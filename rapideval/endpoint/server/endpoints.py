"""The endpoints of a server: one for each model version, and the production endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from rapideval.endpoint.server.limits import Limits, Places
from rapideval.endpoint.server.metrics import Metrics
from rapideval.endpoint.server.models import ModelSource
from rapideval.endpoint.server.store import Store
from rapideval.endpoint.server.worker import Setup
from rapideval.endpoint.server.workers import Job, Pool, PoolSize, Reply
from rapideval.errors import UsageError

__all__ = ["Endpoint", "Endpoints", "Production"]

_GRACE_SECONDS = 30.0


@dataclass(slots=True)
class Endpoint:
    """A name that tasks are sent to, the model version behind it, and its workers."""

    name: str
    version: str
    source: ModelSource
    pool: Pool
    production: bool = False

    @property
    def id(self) -> str:
        """What the v1 routes know it by."""
        return f"end_{self.name}"


@dataclass(frozen=True, slots=True)
class Production:
    """Which version the production endpoint has, and whether it is enabled."""

    version: str
    enabled: bool


class Endpoints:
    """All endpoints of a server.

    Parameters
    ----------
    versions
        Model versions by name; each has the regular endpoint of that name.
    production_name
        Name of the production endpoint.
    regular, production
        Sizes of the pools of the two kinds.
    path
        Folders that workers import models from.
    done
        Called with each endpoint, job and reply.
    """

    def __init__(
        self,
        versions: Mapping[str, ModelSource],
        *,
        production_name: str,
        regular: PoolSize,
        production: PoolSize,
        limits: Limits,
        places: Places,
        path: list[str],
        store: Store,
        metrics: Metrics,
        done: Callable[[Endpoint, Job, Reply], None],
    ) -> None:
        if production_name in versions:
            raise UsageError(f"{production_name!r} is the production endpoint's name: a model version needs another")
        self.versions = dict(versions)
        self.production_name = production_name
        self._sizes = {False: regular, True: production}
        self._limits, self._path, self._store, self._metrics, self._done = limits, path, store, metrics, done
        self._places = places
        self._production: Endpoint | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self.production_choice = Production(next(iter(versions)), False)
        self._regular = {name: self._made(name, name, False) for name in versions}

    def all(self) -> list[Endpoint]:
        """The endpoints that take tasks: the regular ones, and the production endpoint while it is enabled."""
        enabled = self._production is not None and self.production_choice.enabled
        return [*self._regular.values(), *([self._production] if enabled and self._production else [])]

    def get(self, name: str) -> Endpoint | None:
        """An endpoint that takes tasks, by its name."""
        if name == self.production_name:
            return self._production if self.production_choice.enabled else None
        return self._regular.get(name)

    def resumed(self, name: str) -> Endpoint | None:
        """An endpoint for a task that was taken before: the production endpoint even if it is disabled now."""
        if name == self.production_name:
            if self._production is None:
                self._production = self._made(name, self.production_choice.version, True)
            return self._production
        return self._regular.get(name)

    def produce(self, choice: Production) -> None:
        """Give the production endpoint a version, enable or disable it; its queue goes on with the new workers."""
        if choice.version not in self.versions:
            raise UsageError(f"no model version {choice.version!r}; there are {', '.join(self.versions)}")
        old, self.production_choice = self._production, choice
        if old is not None and old.version != choice.version:
            self._production = self._made(self.production_name, choice.version, True)
            for job in old.pool.drain():
                self._production.pool.put(job)
            self._leave(old.pool)
        elif old is None and choice.enabled:
            self._production = self._made(self.production_name, choice.version, True)
        if self._production is None:
            return
        # disabled, it finishes what it took, and its workers end
        size = self._sizes[True]
        self._production.pool.size = size if choice.enabled else replace(size, least=0, cool_down=0.0)
        self._production.pool.warm()
        self._production.pool.cool()

    def _leave(self, pool: Pool) -> None:
        leaving = asyncio.create_task(pool.close(_GRACE_SECONDS))
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def close(self, grace: float) -> None:
        """End all workers, after some time for tasks under way."""
        everyone = [*self._regular.values(), *([self._production] if self._production else [])]
        for leaving in self._leaving:
            leaving.cancel()
        await asyncio.gather(*(endpoint.pool.close(grace) for endpoint in everyone))

    def _made(self, name: str, version: str, production: bool) -> Endpoint:
        source = self.versions[version]
        folders = [(prefix, str(folder)) for prefix, folder in self._places.folders]
        pool = Pool(
            Setup(source.text, self._limits, folders, self._places.private, self._path),
            self._sizes[production],
            task_seconds=self._limits.task_seconds,
            start_seconds=self._limits.start_seconds,
            fetch=lambda job: self._store.args(job.number),
            done=lambda job, reply: self._done(endpoint, job, reply),
            started=lambda seconds: self._metrics.started[name].add(seconds),
        )
        endpoint = Endpoint(name, version, source, pool, production)
        return endpoint
