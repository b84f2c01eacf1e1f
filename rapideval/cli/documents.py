"""What the verbs print with ``--json``, as types; JSON Schemas are made from these."""

from __future__ import annotations

import msgspec

from rapideval.errors import InputError, Problem

__all__ = ["FailedImage", "Prediction", "Refusal", "Version", "print_refusal"]


class Version(msgspec.Struct):
    """The version, and what it runs on (``rapideval version --json``)."""

    rapideval: str
    python: str
    numpy: str
    platform: str
    processors: int

    @classmethod
    def of_this_machine(cls) -> Version:
        """What runs here."""
        import os
        import platform

        import numpy as np

        import rapideval

        return cls(
            rapideval.__version__,
            platform.python_version(),
            np.__version__,
            platform.platform(),
            os.cpu_count() or 1,
        )


class Refusal(msgspec.Struct):
    """Why an input was refused (any command with ``--json``, exit code 2)."""

    problems: list[Problem]
    problem_count: int

    @classmethod
    def of(cls, error: InputError) -> Refusal:
        """The problems of an error."""
        return cls(list(error.problems), error.total)


def print_refusal(error: InputError) -> None:
    """Print the problems of an error as a document."""
    from rapideval.cli.output import print_json

    print_json(Refusal.of(error))


class FailedImage(msgspec.Struct):
    """An image without an answer, and why."""

    image: str
    state: str
    reason: str
    task_id: str | None


class Prediction(msgspec.Struct):
    """What came of a run (``rapideval predict --json``)."""

    answers: str
    images: int
    answered: int
    tasks: int
    uncertain: int
    """Tasks that may have been sent twice: the answer to the first submission was lost."""
    failed: list[FailedImage]
