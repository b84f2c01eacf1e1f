"""When a request is made again, and how long to wait before: jittered, as the server asks, and not for ever."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["RETRIED_STATUS", "Backoff", "retry_after"]

#: Statuses that another try may change: timeouts, too many requests, and faults of servers and proxies.
RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})

_LONGEST_ASKED = 600.0


@dataclass(slots=True)
class Backoff:
    """Waits between tries of one request, doubling, each cut by chance so that many clients do not come at once.

    Attributes
    ----------
    patience
        Seconds after which no further try is made.
    first, longest
        Shortest and longest wait.
    """

    patience: float
    first: float = 0.2
    longest: float = 20.0
    tries: int = 0
    _began: float = 0.0

    def __post_init__(self) -> None:
        self._began = time.monotonic()

    def wait(self, asked: float | None = None) -> float | None:
        """Seconds until the next try, at least as many as the server asked for; None when patience has ended."""
        self.tries += 1
        span = min(self.longest, self.first * 2 ** (self.tries - 1))
        seconds = random.uniform(span / 2, span)
        if asked is not None:
            seconds = max(seconds, min(asked, _LONGEST_ASKED))
        return seconds if time.monotonic() + seconds - self._began <= self.patience else None


def retry_after(value: str | None) -> float | None:
    """Seconds that a Retry-After header asks for: a number of them, or a date; None where there is no sense in it.

    Examples
    --------
    >>> retry_after("3"), retry_after(None), retry_after("soon")
    (3.0, None, None)
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
