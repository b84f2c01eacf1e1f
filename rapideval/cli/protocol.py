"""The options of ``evaluate`` that decide a number, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from rapideval.cli.help import Option
from rapideval.errors import UsageError

__all__ = ["PROTOCOL_OPTIONS", "label_map", "protocol_options", "protocol_settings"]

F = TypeVar("F", bound=Callable[..., Any])

SECTION = "What is counted (the defaults are COCO's)"
PROTOCOL_OPTIONS = ("iou", "areas", "max_dets", "class_agnostic", "area_source", "ignore_label", "unlabelled")
_RANGE = re.compile(r"([^=:,]+)=([0-9.e+]*):([0-9.e+]*)", re.IGNORECASE)


def protocol_options(function: F) -> F:
    """Options that decide a number; see `rapideval.Protocol`."""

    def option(name: str, text: str, **settings: Any) -> Callable[[F], F]:
        return click.option(name, cls=Option, section=SECTION, help=text, **settings)

    options = [
        option("--iou", "IoU thresholds: 0.5,0.75 or 0.5:0.95:0.05.", metavar="LIST"),
        option("--areas", "Sizes in pixels: tiny=0:256,large=256: (all comes by itself).", metavar="LIST"),
        option("--max-dets", "Detections of an image and label that count: 1,10,100.", metavar="LIST"),
        option("--class-agnostic", "Labels play no role in matching.", is_flag=True),
        option(
            "--area-source",
            "What decides a detection's size; coco: as pycocotools.",
            type=click.Choice(["coco", "box", "mask", "given"]),
        ),
        option("--ignore-label", "Semantic: pixels of this label do not count; repeatable.", multiple=True),
        option(
            "--unlabelled",
            "Semantic: whether pixels without a label count.",
            type=click.Choice(["background", "ignore"]),
        ),
    ]
    for decorate in reversed(options):
        function = decorate(function)
    return function


def protocol_settings(options: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a `Protocol` from the options; only what was given."""
    fields: dict[str, Any] = {}
    if options["iou"]:
        fields["iou_thresholds"] = _thresholds(options["iou"])
    if options["areas"]:
        fields["area_ranges"] = _areas(options["areas"])
    if options["max_dets"]:
        fields["limits"] = tuple(_numbers("--max-dets", options["max_dets"], int))
    if options["class_agnostic"]:
        fields["class_agnostic"] = True
    if options["area_source"]:
        fields["area_source"] = options["area_source"]
    if options["ignore_label"]:
        fields["ignore_labels"] = options["ignore_label"]
    if options["unlabelled"]:
        fields["unlabelled"] = options["unlabelled"]
    return fields


def _numbers(name: str, text: str, kind: Callable[[str], Any]) -> list[Any]:
    try:
        return [kind(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"{name} {text!r}: expected numbers with commas") from None


def _thresholds(text: str) -> tuple[float, ...]:
    """Thresholds listed, or from : to : step, made as COCO makes its own, so that 0.5:0.95:0.05 are the same bits."""
    if ":" not in text:
        return tuple(_numbers("--iou", text, float))
    import numpy as np

    parts = _numbers("--iou", text.replace(":", ","), float)
    if len(parts) != 3 or not parts[2] > 0 or not 0 <= parts[0] <= parts[1] <= 1:
        raise UsageError(f"--iou {text!r}: expected FROM:TO:STEP, such as 0.5:0.95:0.05")
    low, high, step = parts
    count = round((high - low) / step) + 1
    if count > 10_000:
        raise UsageError(f"--iou {text!r}: {count:,} thresholds")
    return tuple(np.linspace(low, high, count).tolist())


def _areas(text: str) -> tuple[tuple[str, float, float], ...]:
    ranges: list[tuple[str, float, float]] = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        try:
            if match is None:
                raise ValueError(part)
            ranges.append((match[1].strip(), float(match[2] or 0), float(match[3] or 1e10)))
        except ValueError:
            raise UsageError(f"--areas {part!r}: expected NAME=LOW:HIGH, such as small=0:1024") from None
    if ranges[0][0] != "all":
        ranges.insert(0, ("all", 0.0, 1e10))
    return tuple(ranges)


def label_map(values: tuple[str, ...]) -> dict[str, str] | None:
    """Prediction label -> ground-truth label, from ``NAME=NAME`` and files of such lines or a JSON object."""
    from rapideval.cli.lists import name_pairs

    names: dict[str, str] = {}
    for value in values:
        for name, other in name_pairs(value, "--label-map").items():
            if names.setdefault(name, other) != other:
                raise UsageError(f"--label-map: {name!r} is mapped to {names[name]!r} and to {other!r}")
    return names or None
