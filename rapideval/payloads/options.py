"""What a caller can say about an answer, since the answer itself does not: labels, conventions, what to let through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from rapideval.errors import UsageError
from rapideval.model import Labels

__all__ = ["BoxOrder", "LabelNames", "Options", "Prefer"]

BoxOrder = Literal["xyxy", "xywh", "cxcywh", "yxyx", "xxyy"]
"""Corner, corner; corner, size; centre, size; corners with y first; both x, then both y."""

Prefer = Literal["instance", "semantic"]

DEFAULT_SEMANTIC_LABEL = "foreground"


@dataclass(frozen=True, slots=True)
class Options:
    """How an answer is to be read; see `parse` for each."""

    boxes: BoxOrder | None = None
    relative: bool | None = None
    percent: bool | None = None
    clip: bool = False
    class_masks: bool = False
    lenient: bool = False
    prefer: Prefer = "instance"
    semantic_label: str = DEFAULT_SEMANTIC_LABEL
    tensors: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("boxes", self.boxes, (None, *get_args(BoxOrder))),
            ("prefer", self.prefer, get_args(Prefer)),
        ):
            if value not in allowed:
                raise UsageError(f"{name}={value!r}: one of {', '.join(map(repr, filter(None, allowed)))} is expected")
        if not isinstance(self.semantic_label, str) or not self.semantic_label:
            raise UsageError("semantic_label: a name that is not empty is expected")


class LabelNames:
    """Names of labels: those that the caller gave, and those that the answer brings.

    Parameters
    ----------
    given
        `Labels` or names in the order of the model's integers, from 0; or a mapping of integer (or its text) to name.
    """

    def __init__(self, given: Labels | Sequence[str] | Mapping[Any, str] | None = None) -> None:
        self.given = given is not None
        self.by_number: dict[int, str] = {}
        renames: dict[str, str] = {}
        if isinstance(given, str):
            raise UsageError(f"labels={given!r}: a list of names is expected, not one text")
        if isinstance(given, Labels):
            numbers = range(len(given)) if given.ids is None else given.ids.tolist()
            self.by_number = dict(zip(numbers, given.names, strict=True))
        elif isinstance(given, Mapping):
            for key, name in given.items():
                if isinstance(key, int) and not isinstance(key, bool):
                    self.by_number[key] = name
                elif isinstance(key, str) and key.lstrip("-").isdecimal():
                    self.by_number[int(key)] = name
                elif isinstance(key, str):
                    renames[key] = name
                else:
                    raise UsageError(f"labels: {key!r} is no label number")
        elif given is not None:
            self.by_number = dict(enumerate(given))
        for name in (*self.by_number.values(), *renames.values()):
            if not isinstance(name, str) or not name:
                raise UsageError(f"labels: {name!r} is no name of a label")
        self.renames = renames
        self._place: dict[str, int] = {}
        for name in (*self.by_number.values(), *renames.values()):
            self._place.setdefault(name, len(self._place))
        self.number_given = len(self._place)

    @property
    def only(self) -> str | None:
        """The only label that was given, or None."""
        return next(iter(self._place)) if self.given and self.number_given == 1 else None

    def place(self, name: str) -> int:
        """Place of a name among the dataset's labels; a new one is added."""
        name = self.renames.get(name, name)
        return self._place.setdefault(name, len(self._place))

    def number_range(self) -> str:
        """The integers that have a name, as a message shows them."""
        numbers = sorted(self.by_number)
        if not numbers:
            return "no integers"
        if numbers == list(range(numbers[0], numbers[-1] + 1)):
            return f"{numbers[0]} to {numbers[-1]}"
        return ", ".join(map(str, numbers[:8])) + (", …" if len(numbers) > 8 else "")

    def labels(self) -> Labels:
        """All labels, the given ones first."""
        return Labels(self._place)


def to_xywh(boxes: npt.NDArray[np.float64], order: BoxOrder) -> npt.NDArray[np.float64]:
    """Boxes (N, 4) in any order as x, y, width, height."""
    a, b, c, d = boxes.T
    if order == "xywh":
        return boxes
    if order == "xyxy":
        return np.stack([a, b, c - a, d - b], axis=1)
    if order == "yxyx":
        return np.stack([b, a, d - b, c - a], axis=1)
    if order == "xxyy":
        return np.stack([a, c, b - a, d - c], axis=1)
    return np.stack([a - c / 2, b - d / 2, c, d], axis=1)
