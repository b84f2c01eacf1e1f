"""Counts and durations, shown in the text format of Prometheus and as quantiles."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping

__all__ = ["Durations", "Metrics"]

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_KEPT = 2000


class Durations:
    """Durations in seconds: a histogram of all, and the last ones for quantiles."""

    def __init__(self) -> None:
        self.buckets = [0] * (len(_BUCKETS) + 1)
        self.total = 0.0
        self._last: deque[float] = deque(maxlen=_KEPT)

    def __len__(self) -> int:
        return sum(self.buckets)

    def add(self, seconds: float) -> None:
        """Count a duration."""
        self.buckets[bisect_left(_BUCKETS, seconds)] += 1
        self.total += seconds
        self._last.append(seconds)

    def quantile(self, share: float) -> float | None:
        """The duration that this share of the last 2,000 did not exceed; None where there are none.

        Examples
        --------
        >>> durations = Durations()
        >>> for seconds in (0.1, 0.2, 0.3, 0.4):
        ...     durations.add(seconds)
        >>> durations.quantile(0.5), durations.quantile(0.99)
        (0.2, 0.4)
        """
        if not self._last:
            return None
        ordered = sorted(self._last)
        return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


class Metrics:
    """What ``/metrics`` tells."""

    def __init__(self) -> None:
        self.requests: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self.tasks: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.answered: defaultdict[str, Durations] = defaultdict(Durations)
        self.worked: defaultdict[str, Durations] = defaultdict(Durations)
        self.started: defaultdict[str, Durations] = defaultdict(Durations)

    def text(self, queued: Mapping[str, int], workers: Mapping[tuple[str, str], int]) -> str:
        """The metrics in Prometheus' text format.

        Parameters
        ----------
        queued
            Waiting tasks by endpoint.
        workers
            Worker processes by endpoint and ``busy`` or ``idle``.
        """
        return "\n".join([*self._lines(queued, workers), ""])

    def _lines(self, queued: Mapping[str, int], workers: Mapping[tuple[str, str], int]) -> Iterator[str]:
        yield from _head("http_requests_total", "counter", "Requests by method, route and status.")
        for (method, route, status), count in sorted(self.requests.items()):
            yield _line("http_requests_total", {"method": method, "route": route, "status": str(status)}, count)
        yield from _head("tasks_total", "counter", "Finished tasks by endpoint and state.")
        for (endpoint, state), count in sorted(self.tasks.items()):
            yield _line("tasks_total", {"endpoint": endpoint, "state": state}, count)
        yield from _head("tasks_queued", "gauge", "Tasks that wait for a worker.")
        for endpoint, count in sorted(queued.items()):
            yield _line("tasks_queued", {"endpoint": endpoint}, count)
        yield from _head("workers", "gauge", "Worker processes by endpoint and state.")
        for (endpoint, state), count in sorted(workers.items()):
            yield _line("workers", {"endpoint": endpoint, "state": state}, count)
        for name, text, durations in (
            ("task_seconds", "From a task's submission to its answer.", self.answered),
            ("task_work_seconds", "How long a worker had a task.", self.worked),
            ("worker_start_seconds", "From starting a worker process until its model was ready.", self.started),
        ):
            yield from _head(name, "histogram", text)
            for endpoint, values in sorted(durations.items()):
                yield from _histogram(name, endpoint, values)


def _head(name: str, kind: str, text: str) -> tuple[str, str]:
    return f"# HELP rapideval_{name} {text}", f"# TYPE rapideval_{name} {kind}"


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"rapideval_{name}{{{shown}}} {value:.9g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _histogram(name: str, endpoint: str, values: Durations) -> Iterator[str]:
    count = 0
    for bound, inside in zip((*map(str, _BUCKETS), "+Inf"), values.buckets, strict=True):
        count += inside
        yield _line(f"{name}_bucket", {"endpoint": endpoint, "le": bound}, count)
    yield _line(f"{name}_sum", {"endpoint": endpoint}, values.total)
    yield _line(f"{name}_count", {"endpoint": endpoint}, count)
