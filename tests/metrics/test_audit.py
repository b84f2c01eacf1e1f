"""pycocotools as an engine."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapideval import evaluate
from rapideval.errors import UsageError
from rapideval.metrics.guards import RULES
from tests.helpers.coco_oracle import problems
from tests.helpers.datasets import datasets
from tests.helpers.rows import BOX, FAR, small
from tests.metrics.test_evaluate import semantic_pair

TASKS = {"bbox": "detection", "segm": "instance"}


@pytest.mark.parametrize("kind", ["bbox", "segm"])
@settings(max_examples=15, deadline=None)
@given(problem=problems(), seed=st.integers(0, 2**32), agnostic=st.booleans())
def test_the_audit_finds_no_difference(kind, problem, seed, agnostic):
    pair = datasets(problem, kind, np.random.default_rng(seed))
    evaluation = evaluate(*pair, TASKS[kind], limits=(1, 3, 7), class_agnostic=agnostic, allow=RULES)
    audit = evaluation.audit()
    assert audit.equal
    assert audit.differences == {}


def test_the_reference_as_engine():
    truth, found = small([(0, 0, BOX)], [(0, 0, BOX, 0.9), (1, 2, FAR, 0.5)], found_labels=("cat", "dog", "tiger"))
    by_reference = evaluate(truth, found, engine="pycocotools")
    assert by_reference.summary == pytest.approx(evaluate(truth, found).summary, nan_ok=True, abs=0)
    assert by_reference.audit().equal


def test_the_audit_shows_a_difference(monkeypatch):
    evaluation = evaluate(*small([(0, 0, BOX)], [(0, 0, BOX, 0.9)]))
    evaluation.curves._precision[0, -1, 0] = 0.5
    audit = evaluation.audit()
    assert not audit.equal
    assert audit.differences["AP50"] == (0.5, pytest.approx(1))


def test_unknown_engines_are_refused():
    with pytest.raises(UsageError, match="no engine 'coco'"):
        evaluate(*small([(0, 0, BOX)], [(0, 0, BOX, 0.9)]), engine="coco")
    with pytest.raises(UsageError, match="no engine 'pycocotools' for the task 'semantic'"):
        evaluate(*semantic_pair(), "semantic", engine="pycocotools")
