"""The demo's holdout, installed with the package: photographs, ground truth, recorded answers of two model versions.

How it was made, and from what, is written in ``fixtures/README.md`` of the project.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

__all__ = ["TASKS", "VERSIONS", "answer", "folder", "ground_truth", "images", "policy", "request"]

Task: TypeAlias = Literal["detection", "instance", "semantic"]

VERSIONS = ("v1", "v2")
TASKS: tuple[Task, ...] = ("detection", "instance", "semantic")


def folder() -> Path:
    """Where the samples are installed."""
    return Path(__file__).resolve().parents[1] / "demo_data"


def images() -> list[Path]:
    """The photographs, in the order of the recorded request.

    Examples
    --------
    >>> [path.name for path in images()][:2]
    ['coins-01.png', 'coins-02.png']
    """
    return sorted((folder() / "images").glob("*.png"))


def ground_truth(task: Task) -> Path:
    """COCO ground truth for a task: objects, or for ``"semantic"`` one foreground mask an image."""
    return folder() / ("ground_truth_semantic.json" if task == "semantic" else "ground_truth.json")


def request() -> Path:
    """The request that the recorded answers belong to: answers name no images, their order does."""
    return folder() / "answers" / "request.json"


def answer(version: str, task: Task) -> Path:
    """Recorded answer of a model version (``"v1"``, ``"v2"``) to the request, envelope and all."""
    return folder() / "answers" / f"{version}-{task}.json"


def policy() -> Path:
    """What a new version must keep: a policy for the gate."""
    return folder() / "gate.toml"
