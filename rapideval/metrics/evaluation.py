"""An evaluation: what was compared, by which protocol, and all numbers that can be counted from it."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rapideval.errors import FormatError, Problem, RapidevalError, UsageError
from rapideval.metrics.label_table import LabelTable
from rapideval.metrics.protocol import Protocol, Task
from rapideval.model import Aligned, Dataset, Images, Labels

if TYPE_CHECKING:
    from rapideval.metrics.document import EvaluationDocument
    from rapideval.metrics.storage import Group

__all__ = ["Evaluation", "plural", "shown"]


class Evaluation(ABC):
    """Scores of one set of predictions: of boxes or masks (`DetectionEvaluation`) or of pixels (`SemanticEvaluation`).

    `evaluate` makes one, `Evaluation.load` reads a saved one. Numbers are counted when they are asked for, and kept.

    Attributes
    ----------
    protocol
        What the evaluation counts.
    images, labels
        The ground truth's images; its labels, and after them those that only the predictions have.
    truth_labels : int
        How many of the labels are the ground truth's.
    notes : tuple of Problem
        What the guards found worth knowing: labels that only the predictions have, images without an answer, ...
    """

    kind: ClassVar[str]
    file_format: ClassVar[str]

    def __init__(
        self,
        protocol: Protocol,
        images: Images,
        labels: Labels,
        truth_labels: int,
        notes: tuple[Problem, ...] = (),
        fingerprints: Mapping[str, str] | None = None,
        datasets: tuple[Dataset, Dataset] | None = None,
        aligned: Aligned | None = None,
    ) -> None:
        self.protocol = protocol
        self.images = images
        self.labels = labels
        self.truth_labels = truth_labels
        self.notes = notes
        self._fingerprints = dict(fingerprints or {})
        self._datasets = datasets
        self._aligned = aligned

    @property
    def task(self) -> Task:
        """``"detection"``, ``"instance"`` or ``"semantic"``."""
        return self.protocol.task

    @property
    def is_fresh(self) -> bool:
        """Whether ground truth and predictions themselves are at hand; not where it was loaded."""
        return self._aligned is not None

    def aligned(self, purpose: str) -> Aligned:
        """The datasets as they were joined; UsageError, naming the purpose, where they are not at hand."""
        if self._aligned is None:
            raise UsageError(f"{purpose} need ground truth and predictions: evaluate them, a saved table is not enough")
        return self._aligned

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """Hashes of the content of ``ground_truth``, ``predictions`` and ``protocol``."""
        known = dict(self._fingerprints)
        if self._datasets is not None:
            for name, dataset in zip(("ground_truth", "predictions"), self._datasets, strict=True):
                known.setdefault(name, dataset.fingerprint())
        known["protocol"] = self.protocol.fingerprint()
        return known

    @property
    @abstractmethod
    def summary(self) -> dict[str, float]:
        """The numbers that matter, by name; NaN where undefined."""

    @property
    def summary_names(self) -> tuple[str, ...]:
        """Names of the summary, known before its numbers are counted."""
        return tuple(self.summary)

    @property
    @abstractmethod
    def counts(self) -> dict[str, int]:
        """How much there is."""

    @abstractmethod
    def label_table(self) -> LabelTable:
        """One row a label."""

    # --- out -------------------------------------------------------------------------------------

    def document(self) -> EvaluationDocument:
        """All of it as one typed document, which `rapideval evaluate --json` prints; undefined numbers are None."""
        import rapideval
        from rapideval.metrics.document import EvaluationDocument, defined

        return EvaluationDocument(
            rapideval=rapideval.__version__,
            task=self.task,
            summary={name: defined(value) for name, value in self.summary.items()},
            counts=self.counts,
            labels=[{name: defined(value) for name, value in row.items()} for row in self.label_table().rows()],
            notes=list(self.notes),
            protocol=self.protocol.to_dict(),
            fingerprints=self.fingerprints,
        )

    def to_dict(self) -> dict[str, Any]:
        """The document as plain values."""
        import msgspec

        values: dict[str, Any] = msgspec.to_builtins(self.document())
        return values

    def to_json(self) -> bytes:
        """The document as JSON."""
        import msgspec

        return msgspec.json.encode(self.document())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write what the numbers are counted from, and fingerprints, as one Parquet file.

        All numbers can be counted from it again, and two saved evaluations compared, without images, ground truth or
        predictions. A detection takes some tens of bytes.
        """
        from rapideval.metrics.storage import write_groups

        document, groups = self._columns()
        common = {
            "format": self.file_format,
            "protocol": self.protocol.to_dict(),
            "labels": list(self.labels.names),
            "label_ids": None if self.labels.ids is None else self.labels.ids.tolist(),
            "truth_labels": self.truth_labels,
            "fingerprints": self.fingerprints,
            "notes": [asdict(note) for note in self.notes],
        }
        write_groups(path, common | document, groups)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Evaluation:
        """The evaluation that `save` wrote.

        Raises
        ------
        FormatError
            Where the file is something else, of another version, or damaged.
        """
        from rapideval.metrics.storage import read_groups

        families = {family.file_format: family for family in Evaluation.__subclasses__()}
        document, groups = read_groups(path, tuple(families))
        try:
            notes = tuple(Problem(**note) for note in document["notes"])
            return families[document["format"]]._restored(document, groups, notes)
        except (RapidevalError, KeyError, TypeError, ValueError, IndexError) as error:
            found = f"content that does not fit ({error})"
            raise FormatError(Problem("evaluation-file", os.fspath(path), found, "what save wrote")) from None

    @abstractmethod
    def _columns(self) -> tuple[dict[str, Any], dict[str, Group]]:
        """What `save` writes: the family's own members of the document, and the columns."""

    @classmethod
    @abstractmethod
    def _restored(cls, document: dict[str, Any], groups: dict[str, Group], notes: tuple[Problem, ...]) -> Evaluation:
        """The evaluation of such a document and such columns; any error for what does not fit."""

    def __repr__(self) -> str:
        named = (("detection", "detections"), ("object", "objects"), ("label", "labels"), ("image", "images"))
        parts = [plural(self.counts[key], name) for name, key in named if key in self.counts]
        lines = [f"Evaluation of {self.kind}: " + ", ".join(parts)]
        lines += ["  " + "   ".join(f"{name} {shown(self.summary[name])}" for name in row) for row in self._rows()]
        lines += [f"  {note.severity}: {note}" for note in self.notes]
        return "\n".join(lines)

    def _rows(self) -> list[list[str]]:
        """Names of the summary as lines of text show them."""
        return [list(self.summary)]

    def _repr_html_(self) -> str:
        from html import escape

        cells = "".join(f"<th>{escape(name)}</th>" for name in self.summary)
        values = "".join(f"<td>{shown(value)}</td>" for value in self.summary.values())
        caption = escape(repr(self).splitlines()[0])
        notes = "".join(f"<li>{escape(str(note))}</li>" for note in self.notes)
        return (
            f"<table><caption>{caption}</caption><thead><tr>{cells}</tr></thead>"
            f"<tbody><tr>{values}</tr></tbody></table><ul>{notes}</ul>{self.label_table()._repr_html_()}"
        )


def plural(count: int, noun: str) -> str:
    """Count and noun: ``"1 image"``, ``"2,000 images"``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def shown(value: float) -> str:
    """A number as tables show it; a dash where it is undefined."""
    return "–" if np.isnan(value) else f"{value:.3f}"
