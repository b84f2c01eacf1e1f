"""What an evaluation counts: thresholds, area ranges, limits, conventions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from rapideval.errors import UsageError

__all__ = ["COCO_AREAS", "AreaRange", "Protocol", "SummaryMetric", "Task"]

Task = Literal["detection", "instance", "semantic"]
AreaSource = Literal["coco", "box", "mask", "given"]

TASKS = ("detection", "instance", "semantic")
AREA_SOURCES = ("coco", "box", "mask", "given")
MOST_THRESHOLDS, MOST_AREAS = 64, 62


class SummaryMetric(NamedTuple):
    """One of the numbers that COCO reports: a mean of AP or AR over labels, and what else it is a mean over."""

    kind: Literal["AP", "AR"]
    iou: float | None = None
    """The threshold; all where None."""
    area: str | None = None
    limit: int | None = None


class AreaRange(NamedTuple):
    """Objects of one size: areas from `low` to `high` pixels, both included."""

    name: str
    low: float
    high: float


COCO_AREAS = (
    AreaRange("all", 0.0, 1e10),
    AreaRange("small", 0.0, 1024.0),
    AreaRange("medium", 1024.0, 9216.0),
    AreaRange("large", 9216.0, 1e10),
)


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """All that decides a number besides ground truth and predictions. The defaults are COCO's.

    Parameters
    ----------
    task
        ``"detection"`` compares boxes, ``"instance"`` masks, ``"semantic"`` pixels.
    iou_thresholds
        Rising, at most 64; 0.50 to 0.95 in steps of 0.05 by default.
    recall_thresholds
        Where precision is read off, rising; 101 from 0 to 1 by default.
    area_ranges
        At most 62; by default all, small (to 32²), medium, large (from 96²). The first is what numbers without a
        size speak of.
    limits
        How many detections of an image and label may count, rising; 1, 10, 100 by default.
    class_agnostic
        Labels play no role in matching (pycocotools' ``useCats = 0``).
    area_source
        What decides a detection's size: ``"coco"`` as pycocotools' ``loadRes`` (the box's area where the predictions
        carry a box, else the mask's), ``"box"``, ``"mask"``, or ``"given"`` (the area column).
        Ground truth always goes by its own area.
    iou_floor
        The best IoU of a detection is not told below this; it bears on no score.
    ignore_labels
        Semantic: ground truth of these labels marks pixels that do not count.
    unlabelled
        Semantic: pixels that no mask of the ground truth holds are ``"background"``, on which a predicted label is
        wrong, or left out (``"ignore"``: the holdout is labelled in part).

    Raises
    ------
    UsageError
        Where they contradict each other.

    Examples
    --------
    >>> protocol = Protocol(limits=(1, 10, 300))
    >>> protocol.threshold_place(0.75), protocol.area_place("small"), protocol.limits[-1]
    (5, 1, 300)
    >>> protocol.differences(Protocol())
    {'limits': ((1, 10, 300), (1, 10, 100))}
    """

    task: Task = "detection"
    iou_thresholds: tuple[float, ...] = tuple(np.linspace(0.5, 0.95, 10).tolist())
    recall_thresholds: tuple[float, ...] = tuple(np.linspace(0.0, 1.0, 101).tolist())
    area_ranges: tuple[AreaRange, ...] = COCO_AREAS
    limits: tuple[int, ...] = (1, 10, 100)
    class_agnostic: bool = False
    area_source: AreaSource = "coco"
    iou_floor: float = 0.1
    ignore_labels: tuple[str, ...] = ()
    unlabelled: Literal["background", "ignore"] = "background"

    def __post_init__(self) -> None:
        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        put("iou_thresholds", tuple(float(t) for t in self.iou_thresholds))
        put("recall_thresholds", tuple(float(t) for t in self.recall_thresholds))
        put("area_ranges", tuple(AreaRange(str(n), float(low), float(high)) for n, low, high in self.area_ranges))
        put("limits", tuple(int(limit) for limit in self.limits))
        put("ignore_labels", tuple(self.ignore_labels))
        put("iou_floor", float(self.iou_floor))
        if self.task not in TASKS:
            raise UsageError(f"no task {self.task!r}: there are {', '.join(TASKS)}")
        if self.area_source not in AREA_SOURCES:
            raise UsageError(f"no area source {self.area_source!r}: there are {', '.join(AREA_SOURCES)}")
        if self.unlabelled not in ("background", "ignore"):
            raise UsageError(f"unlabelled {self.unlabelled!r}: expected 'background' or 'ignore'")
        _check_rising("iou_thresholds", self.iou_thresholds, 0.0, 1.0, MOST_THRESHOLDS)
        _check_rising("recall_thresholds", self.recall_thresholds, 0.0, 1.0, 100_001)
        _check_rising("limits", self.limits, 1, 2**31 - 1, 64)
        if not 0 <= self.iou_floor <= 1:
            raise UsageError(f"iou_floor {self.iou_floor}: expected 0 to 1")
        names = [area.name for area in self.area_ranges]
        if not 1 <= len(names) <= MOST_AREAS or len(set(names)) != len(names):
            raise UsageError(f"area_ranges {names}: expected 1 to {MOST_AREAS}, with names of their own")
        for area in self.area_ranges:
            if not area.low <= area.high or math.isnan(area.low):
                raise UsageError(f"area range {area.name!r}: from {area.low} to {area.high} is no range")

    # --- places ----------------------------------------------------------------------------------

    def threshold_place(self, iou: float | None) -> int:
        """Place of an IoU threshold (None: the reference); UsageError where detections were not matched at it."""
        iou = self.reference_iou if iou is None else iou
        for place, threshold in enumerate(self.iou_thresholds):
            if math.isclose(threshold, iou, rel_tol=1e-12, abs_tol=1e-12):
                return place
        known = ", ".join(f"{t:.4g}" for t in self.iou_thresholds)
        raise UsageError(f"no IoU threshold {iou:g} in this evaluation: there are {known}; evaluate with it")

    def area_place(self, name: str | None) -> int:
        """Place of an area range by its name; the first where None."""
        if name is None:
            return 0
        for place, area in enumerate(self.area_ranges):
            if area.name == name:
                return place
        raise UsageError(f"no area range {name!r}: there are {', '.join(area.name for area in self.area_ranges)}")

    def limit_place(self, limit: int | None) -> int:
        """Place of a detection limit; the highest where None."""
        if limit is None:
            return len(self.limits) - 1
        if limit in self.limits:
            return self.limits.index(limit)
        raise UsageError(f"no limit of {limit} detections: there are {', '.join(map(str, self.limits))}")

    @property
    def reference_iou(self) -> float:
        """The threshold whose pairs the match table tells: 0.5 where there is one, else the lowest."""
        return next((t for t in self.iou_thresholds if math.isclose(t, 0.5)), self.iou_thresholds[0])

    def summary_metrics(self) -> dict[str, SummaryMetric]:
        """The numbers that COCO reports, by name; twelve under COCO's protocol.

        AP over all thresholds, AP50 and AP75 (where matched at them), AP by size, AR by limit, AR by size.
        """
        sizes = [area.name for area in self.area_ranges[1:]]
        metrics = {"AP": SummaryMetric("AP")}
        for percent in (50, 75):
            if any(abs(t - percent / 100) < 1e-12 for t in self.iou_thresholds):
                metrics[f"AP{percent}"] = SummaryMetric("AP", iou=percent / 100)
        metrics |= {f"AP_{size}": SummaryMetric("AP", area=size) for size in sizes}
        metrics |= {f"AR{limit}": SummaryMetric("AR", limit=limit) for limit in self.limits}
        return metrics | {f"AR_{size}": SummaryMetric("AR", area=size) for size in sizes}

    # --- arrays ----------------------------------------------------------------------------------

    @property
    def ious(self) -> npt.NDArray[np.float64]:
        """IoU thresholds, (T,)."""
        return np.array(self.iou_thresholds)

    @property
    def areas(self) -> npt.NDArray[np.float64]:
        """Area ranges, (A, 2)."""
        return np.array([(area.low, area.high) for area in self.area_ranges])

    # --- identity --------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        document = asdict(self)
        document["area_ranges"] = [{"name": area.name, "low": area.low, "high": area.high} for area in self.area_ranges]
        return {name: list(value) if isinstance(value, tuple) else value for name, value in document.items()}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """The protocol that `to_dict` wrote."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(document.keys() - known)
        if unknown:
            raise UsageError(f"no protocol field {unknown[0]!r}: there are {', '.join(sorted(known))}")
        values: dict[str, Any] = dict(document)
        if "area_ranges" in values:
            values["area_ranges"] = tuple((a["name"], a["low"], a["high"]) for a in values["area_ranges"])
        for name, value in values.items():
            values[name] = tuple(value) if isinstance(value, list) else value
        return cls(**values)

    def fingerprint(self) -> str:
        """Hash of all fields: ``"sha256:"`` and 64 hexadecimal digits."""
        import hashlib
        import json

        text = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

    def differences(self, other: Protocol) -> dict[str, tuple[Any, Any]]:
        """Fields in which two protocols differ: name -> (this one's value, the other's)."""
        pairs = {field.name: (getattr(self, field.name), getattr(other, field.name)) for field in fields(self)}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _check_rising(name: str, values: tuple[float, ...], low: float, high: float, most: int) -> None:
    if not 1 <= len(values) <= most:
        raise UsageError(f"{name}: {len(values)} values, expected 1 to {most}")
    if any(not low <= value <= high for value in values):
        raise UsageError(f"{name} {list(values)[:12]}: expected values from {low:g} to {high:g}")
    if any(b <= a for a, b in itertools.pairwise(values)):
        raise UsageError(f"{name} {list(values)[:12]}: expected values that rise")
