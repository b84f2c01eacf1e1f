"""The policy of a gate: a TOML file that says what a candidate must keep, and what to do in doubt.

`Policy.read` checks everything that can be checked without evaluations; names of metrics, labels and slices are checked
against the evaluations by the gate. `TEMPLATE` is what ``rapideval gate init`` writes.
"""

from __future__ import annotations

import datetime
import fnmatch
import math
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from rapideval.errors import InputError, Problem

__all__ = ["TEMPLATE", "OperatingPoint", "Policy", "Rule", "Settings", "Waiver", "nearest"]

Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Level = Annotated[float, msgspec.Meta(gt=0.5, lt=1.0)]


class OperatingPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a detector will be used: detections of at least this score count."""

    score: Share | Literal["baseline-best-f1"]
    """Score threshold; ``"baseline-best-f1"`` takes, per label, the one that gives the baseline its best F1."""
    iou: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.5
    """IoU from which a detection counts as found."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing the candidate must keep."""

    metric: str
    """Name of a metric, as ``rapideval evaluate`` prints it: AP, AP50, AR100, mIoU, precision, recall, F1, ECE, ..."""
    name: str | None = None
    """What reports call the rule; made from metric, labels and slice where not given."""
    margin: Annotated[float, msgspec.Meta(ge=0.0)] | None = None
    """Non-inferiority: by how much the candidate may at most be worse than the baseline."""
    floor: float | None = None
    """The candidate's own value must be at least this (at most, for metrics of which less is better)."""
    floor_by: Literal["interval", "point"] = "interval"
    """What is held against the floor: the candidate's interval, or its value alone."""
    labels: list[str] | None = None
    """Labels, with globs (``*``, ``vehicle/*``): the rule is applied to each; they form one family."""
    slice: str | None = None
    """``size:small``, ``count:crowded``, or ``COLUMN:VALUE`` of the images' attributes; all images where not given."""
    at: OperatingPoint | None = None
    """For precision, recall and F1."""


class Waiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule's failure that somebody has accepted, for a time."""

    rule: str
    """The rule's name."""
    reason: Annotated[str, msgspec.Meta(min_length=1)]
    until: datetime.date
    """Last day on which it holds; a gate with an expired waiver is refused."""
    labels: list[str] | None = None
    """Only for these labels (globs); the whole rule where not given."""

    def covers(self, rule: str, label: str | None) -> bool:
        """Whether it speaks of this outcome."""
        if self.rule != rule:
            return False
        return self.labels is None or (label is not None and matches_any(label, self.labels))


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the gate decides."""

    level: Level = 0.95
    """Level of each interval; a verdict rests on one of its ends."""
    draws: Annotated[int, msgspec.Meta(ge=200, le=1_000_000)] = 2000
    """Bootstrap draws of the images."""
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0
    family: Literal["holm", "bh", "none"] = "holm"
    """Correction over the labels of a rule, for the verdict "fail"."""
    inconclusive: Literal["inconclusive", "pass", "fail"] = "inconclusive"
    """What a rule that neither passes nor fails counts as."""
    insufficient: Literal["inconclusive", "ignore", "fail"] = "inconclusive"
    """What a label or slice with too few objects counts as; never a pass."""
    min_objects: Annotated[int, msgspec.Meta(ge=1)] = 20
    """Fewer ground-truth objects than this are too few."""
    min_images: Annotated[int, msgspec.Meta(ge=2)] = 10
    """Fewer images with such objects than this are too few."""


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    r"""What a candidate must keep to be promoted.

    Examples
    --------
    >>> policy = Policy.parse('version = 1\n[[rule]]\nmetric = "AP"\nmargin = 0.01\n')
    >>> policy.rules[0].margin, policy.title(0), policy.settings.family
    (0.01, 'AP', 'holm')
    """

    version: Literal[1]
    rules: list[Rule] = msgspec.field(name="rule", default_factory=list)
    settings: Settings = msgspec.field(name="gate", default_factory=Settings)
    waivers: list[Waiver] = msgspec.field(name="waiver", default_factory=list)

    @classmethod
    def read(cls, path: str | Path) -> Policy:
        """Policy of a TOML file; InputError names file, line and key of what is wrong."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise InputError(Problem("policy-file", str(path), error.strerror or str(error), "a policy file")) from None
        except UnicodeDecodeError as error:
            raise InputError(Problem("policy-file", str(path), f"byte {error.start} not UTF-8", "UTF-8")) from None
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str, source: str = "policy") -> Policy:
        """Policy of a TOML text."""
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise InputError(Problem("policy-toml", source, str(error), "TOML")) from None
        try:
            policy = msgspec.convert(document, cls)
        except msgspec.ValidationError as error:
            raise InputError(_conversion_problem(str(error), document, text, source)) from None
        problems = list(policy._problems(text, source))
        if problems:
            raise InputError(problems)
        return policy

    def title(self, index: int) -> str:
        """What reports call a rule."""
        rule = self.rules[index]
        if rule.name is not None:
            return rule.name
        parts = [rule.metric]
        if rule.at is not None:
            parts.append(f"at score {rule.at.score}")
        if rule.labels is not None:
            parts.append("of " + ", ".join(rule.labels))
        if rule.slice is not None:
            parts.append(f"in {rule.slice}")
        return " ".join(parts)

    def _problems(self, text: str, source: str) -> list[Problem]:
        found: list[Problem] = []

        def add(rule: str, key: str, place: int | None, what: str, expected: str, hint: str = "") -> None:
            table = key.split(".")[0]
            found.append(Problem(rule, _where(source, text, table, place, key), what, expected, hint))

        if not self.rules:
            found.append(
                Problem("policy-empty", source, "no [[rule]]", "at least one: a gate without rules passes nothing")
            )
        titles: dict[str, int] = {}
        for i, rule in enumerate(self.rules):
            if rule.margin is None and rule.floor is None:
                add("policy-rule", f"rule[{i}]", i, "neither margin nor floor", "at least one of them")
            for name, value in (("margin", rule.margin), ("floor", rule.floor)):
                if value is not None and not math.isfinite(value):
                    add("policy-number", f"rule[{i}].{name}", i, str(value), "a finite number")
            if rule.labels is not None and not rule.labels:
                add("policy-labels", f"rule[{i}].labels", i, "an empty list", 'labels or globs, such as ["*"]')
            title = self.title(i)
            if titles.setdefault(title, i) != i:
                add(
                    "policy-contradiction",
                    f"rule[{i}]",
                    i,
                    f"a second rule {title!r} (the first is rule[{titles[title]}])",
                    "one rule for one thing",
                    "give the rules names, if both are meant",
                )
        for i, waiver in enumerate(self.waivers):
            if waiver.rule not in titles:
                hint = nearest(waiver.rule, list(titles))
                add("policy-waiver", f"waiver[{i}].rule", i, repr(waiver.rule), "the name of a rule", hint)
        return found

    def expired(self, today: datetime.date, source: str = "policy") -> list[Problem]:
        """Waivers that no longer hold."""
        return [
            Problem(
                "policy-waiver-expired",
                f"{source}: waiver[{i}].until",
                f"{waiver.until}, {(today - waiver.until).days} days ago",
                "a day that is not past",
                f"rule {waiver.rule!r} was waived because: {waiver.reason}",
            )
            for i, waiver in enumerate(self.waivers)
            if waiver.until < today
        ]


def matches_any(name: str, patterns: Sequence[str]) -> bool:
    """Whether a name fits any of the globs, case mattering."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def nearest(name: str, known: Sequence[str]) -> str:
    """Hint that names what is nearest, or some of what there is."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=3, cutoff=0.5)
    if near:
        return "did you mean " + " or ".join(map(repr, near)) + "?"
    return "there are " + ", ".join(map(repr, known[:12])) + (", …" if len(known) > 12 else "") if known else ""


_PATH = re.compile(r" - at `\$(.*)`$")


def _conversion_problem(message: str, document: dict[str, Any], text: str, source: str) -> Problem:
    """Msgspec's message with file and line, and the nearest key where one is unknown."""
    match = _PATH.search(message)
    path = match.group(1).lstrip(".") if match else ""
    body = _PATH.sub("", message)
    table = re.match(r"(\w+)(?:\[(\d+)\])?", path)
    place = int(table.group(2)) if table and table.group(2) else None
    hint = ""
    unknown = re.search(r"unknown field `(.+?)`", body)
    if unknown:
        types: dict[str, type[msgspec.Struct]] = {"": Policy, "rule": Rule, "gate": Settings, "waiver": Waiver}
        kind = OperatingPoint if path.endswith(".at") else types.get(table.group(1) if table else "", Policy)
        hint = nearest(unknown.group(1), [field.encode_name for field in msgspec.structs.fields(kind)])
        path = f"{path}.{unknown.group(1)}".lstrip(".")
    where = _where(source, text, table.group(1) if table else "", place, path)
    expected = re.match(r"Expected (.+?)(?:, got .+)?$", body)
    if expected:
        return Problem("policy-value", where, repr(_value_at(document, path)), expected.group(1).replace("`", ""), hint)
    if body.startswith("Invalid enum value"):
        return Problem("policy-value", where, repr(_value_at(document, path)), "one of the values it can have", hint)
    return Problem("policy-key", where, body[:1].lower() + body[1:], "a policy of version 1", hint)


def _value_at(document: Any, path: str) -> Any:
    for step in re.findall(r"[^.\[\]]+", path):
        document = document[int(step)] if isinstance(document, list) else document.get(step)
    return document


def _where(source: str, text: str, table: str, place: int | None, key: str) -> str:
    """File, line and key: the line of the key in its table, else of the table."""
    lines = text.splitlines()
    name = table.split("[")[0]
    header = re.compile(rf"\s*\[\[?\s*{re.escape(name)}\s*\]?\]") if name else None
    start, seen = 0, -1
    if header is not None:
        for number, line in enumerate(lines):
            if header.match(line):
                seen += 1
                start = number
                if seen == (place or 0):
                    break
    leaf = key.rsplit(".", 1)[-1]
    for number in range(start + (1 if seen >= 0 else 0), len(lines)):
        if seen >= 0 and re.match(r"\s*\[", lines[number]):
            break
        if re.match(rf"\s*{re.escape(leaf)}\s*=", lines[number]):
            return f"{source}: line {number + 1}: {key}"
    return f"{source}: line {start + 1}: {key}" if seen >= 0 else f"{source}: {key}" if key else source


TEMPLATE = """\
# Policy of the gate before production: what a candidate must keep. Every key is explained; delete what is not needed.
# `rapideval gate BASELINE CANDIDATE --policy FILE` exits with 0 pass, 1 fail, 3 inconclusive, 2 unreadable input.
version = 1

[gate]
level = 0.95                    # level of each interval
draws = 2000                    # bootstrap draws of the images; each uses both versions' answers on the same images
seed = 0                        # the same seed gives the same verdict, on any machine
family = "holm"                 # correction over the labels of a rule: holm, bh (Benjamini-Hochberg) or none
inconclusive = "inconclusive"   # what a rule that neither passes nor fails counts as: inconclusive, pass or fail
insufficient = "inconclusive"   # what too few objects count as: inconclusive, ignore or fail (never pass)
min_objects = 20                # fewer ground-truth objects than this are too few for an interval to mean anything
min_images = 10                 # fewer images with such objects than this are too few

# Pass: the interval of the difference lies above -margin. Fail: it lies below. Otherwise: inconclusive.
[[rule]]
name = "overall quality"
metric = "AP"
margin = 0.01                   # the candidate may be worse by at most one point of AP

# [[rule]]
# name = "floor"
# metric = "AP50"
# floor = 0.60                  # the candidate's own value; judged on its interval
# floor_by = "interval"         # or "point": its value alone

# [[rule]]
# name = "every label"
# metric = "AP"
# labels = ["*"]                # globs; each label is judged, together they are one family
# margin = 0.05

# [[rule]]
# name = "recall in production"
# metric = "recall"
# at = { score = 0.5, iou = 0.5 }   # the threshold production will use; score = "baseline-best-f1" is possible
# margin = 0.02

# [[rule]]
# name = "small objects"
# metric = "AP"
# slice = "size:small"          # or "count:crowded", or "COLUMN:VALUE" of the images' attributes (--images-csv)
# margin = 0.03

# [[waiver]]
# rule = "every label"
# labels = ["legacy/*"]
# reason = "relabelled in the next holdout"
# until = 2030-01-31            # a gate with an expired waiver is refused
"""
