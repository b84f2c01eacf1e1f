"""The sections of the page, in the order in which a release is decided."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from rapideval.report.html import figures
from rapideval.report.html.decision import (
    label_metrics,
    labels_section,
    metrics_section,
    rules_section,
    slices_section,
    verdict_section,
)
from rapideval.report.html.detections import (
    calibration_section,
    causes_section,
    confusion_section,
    costs,
    curves_section,
    pictures_section,
    thresholds_section,
)
from rapideval.report.html.evidence import Evidence
from rapideval.report.html.parts import LONG, Cell, Head, section, shown, table, text
from rapideval.report.html.skeleton import page
from rapideval.report.text import clean

if TYPE_CHECKING:
    from rapideval.judge import Comparison

__all__ = ["Evidence", "charts_of", "report_page"]

_TASKS = {"detection": "boxes", "instance": "masks of objects", "semantic": "pixels"}


def report_page(evidence: Evidence, title: str = "Baseline and candidate") -> str:
    """The page: the same evidence gives the same bytes.

    Raises
    ------
    ModuleNotFoundError
        Where the extra ``report`` is not installed, which draws the charts.
    """
    parts = [
        ("verdict", "Verdict", verdict_section(evidence)),
        ("rules", "Rules", rules_section(evidence.gate) if evidence.gate else ""),
        ("metrics", "Metrics", metrics_section(evidence.comparison)),
        ("labels", "Labels", labels_section(evidence.comparison)),
        ("slices", "Slices", slices_section(evidence.comparison)),
        ("pictures", "Pictures", pictures_section(evidence)),
        ("curves", "Curves", curves_section(evidence)),
        ("thresholds", "Thresholds", thresholds_section(evidence.comparison)),
        ("calibration", "Calibration", calibration_section(evidence.comparison)),
        ("confusion", "Confusion", confusion_section(evidence)),
        ("causes", "Causes", causes_section(evidence)),
        ("images", "Images", _images(evidence.comparison)),
        ("provenance", "Provenance", _provenance(evidence)),
        ("reading", "How to read it", _reading(evidence)),
    ]
    about = evidence.comparison.provenance
    counts = evidence.baseline.counts
    subtitle = f"{_TASKS[about.task].capitalize()} on {about.images:,} images with {counts.get('objects', 0):,} objects"
    if "objects" not in counts:
        subtitle = f"{_TASKS[about.task].capitalize()} on {about.images:,} images"
    footer = f"Made by {about.tool}. This page is complete in itself and asks nothing of a network."
    return page(title, subtitle, [part for part in parts if part[2]], footer)


def charts_of(evidence: Evidence) -> list[figures.Chart]:
    """The charts of the page, to be drawn as files."""
    comparison = evidence.comparison
    made = [figures.differences_chart(comparison, metric) for metric in label_metrics(comparison)]
    if evidence.versions is not None:
        made.append(figures.curve_chart(evidence.versions, None))
        made.append(figures.reliability_chart(comparison.reliability))
        if evidence.fresh:
            made.append(figures.causes_chart(costs(evidence.versions)))
    return [chart for chart in made if chart is not None]


# --- pictures and images -------------------------------------------------------------------------


def _images(comparison: Comparison) -> str:
    if not comparison.changes:
        return ""
    heads = [
        Head("Image", True), Head("Lost"), Head("Newly found"), Head("False positives"), Head("Balance"),
        Head("Lost labels", True),
    ]  # fmt: skip
    rows = [
        [
            text(one.image),
            Cell(str(one.lost), one.lost),
            Cell(str(one.gained), one.gained),
            Cell(f"{one.new_false_positives:+d}".replace("-", "−"), one.new_false_positives),
            shown(one.balance, signed=True),
            text(", ".join(dict.fromkeys(one.lost_labels)), free=True),
        ]
        for one in comparison.changes
    ]
    about = (
        "Where the versions differ most, the worst for the candidate first; balance: lost less newly found objects, "
        "plus additional false positives."
    )
    return section("images", "Images", about, table("images-table", "Changes by image", heads, rows, len(rows) > LONG))


# --- provenance ----------------------------------------------------------------------------------


def _provenance(evidence: Evidence) -> str:
    about = evidence.comparison.provenance
    rows = [("tool", about.tool), ("task", about.task), ("images", f"{about.images:,}"), ("draws", f"{about.draws:,}")]
    rows += [("seed", str(about.seed)), ("level", f"{about.level:g}")]
    for name in ("ground_truth", "protocol"):
        rows.append((name.replace("_", " "), about.baseline.get(name, "–")))
    rows += [(f"{side} predictions", prints.get("predictions", "–")) for side, prints in
             (("baseline", about.baseline), ("candidate", about.candidate))]  # fmt: skip
    if evidence.gate is not None:
        rows.append(("policy", evidence.gate.policy))
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(clean(value))}</dd>" for name, value in rows)
    missing = (
        ""
        if evidence.fresh or evidence.versions is None
        else "<p class='soft'>Pictures and causes of errors need ground truth and predictions themselves: give "
        "--ground-truth and the predictions instead of saved evaluations.</p>"
    )
    told = "What these numbers rest on: hashes of the content, and all that decides a draw."
    return section("provenance", "Provenance", told, f"<dl>{listed}</dl>{missing}")


# --- how to read it ------------------------------------------------------------------------------


def _reading(evidence: Evidence) -> str:
    about = evidence.comparison.provenance
    words = [
        (
            "difference",
            "Candidate minus baseline, on the same images. Higher is better for every number but those of calibration.",
        ),
        (
            "interval",
            f"Where the difference may lie, at level {about.level:.0%}: the images are drawn anew {about.draws:,} "
            "times, with both versions on the same draw. Fewer images give a wider interval.",
        ),
        (
            "p",
            "How often a difference as large as this one would be seen if the two versions were alike: their answers "
            "are swapped image by image, at random. Corrected over the labels of a metric.",
        ),
        (
            "better, worse",
            f"p is at most {1 - about.level:.2g}; on slices, which have no p, the interval keeps clear of zero. "
            "Otherwise no difference is shown, which is not a proof that there is none.",
        ),
        ("insufficient", "Too few objects or images to say anything. Never a pass."),
    ]  # fmt: skip
    if evidence.gate is not None:
        words += [
            ("pass", "The whole interval keeps the bound (or the value does, where the policy asks for the value)."),
            (
                "fail",
                "It falls short of the bound, and still does when corrected for the number of labels of the rule.",
            ),
            ("inconclusive", "The bound lies inside the interval: more images would tell."),
        ]
    listed = "".join(f"<dt>{escape(word)}</dt><dd>{escape(told)}</dd>" for word, told in words)
    return section("reading", "How to read it", "", f'<dl class="reading">{listed}</dl>')
