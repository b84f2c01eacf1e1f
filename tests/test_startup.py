"""What a command loads before it works: start-up is kept short by what is not imported."""

from __future__ import annotations

import json
import subprocess
import sys

from helpers.versions import detector, holdout

from rapideval import evaluate

PROBE = """
import json, sys
before = set(sys.modules)
{code}
added = set(sys.modules) - before
print(json.dumps(sorted(added)), file=sys.stderr)
"""

RUN = """
from rapideval.cli import main
try:
    main({arguments!r}, prog_name="rapideval")
except SystemExit as end:
    assert not end.code, end.code
"""


def loaded(code):
    """Modules that a fresh interpreter loads for this code."""
    done = subprocess.run([sys.executable, "-c", PROBE.format(code=code)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


def packages(modules):
    """Top-level packages among them that are not Python's own."""
    return {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names)


def of_the_project(modules):
    return {name for name in modules if name.partition(".")[0] == "rapideval"}


def test_importing_the_package_loads_nothing_else():
    modules = loaded("import rapideval")
    # An editable installation finds the package by a finder of its own, from the standard library's importlib.
    assert packages(modules) == {"rapideval"}
    assert of_the_project(modules) == {"rapideval"}


def test_help_loads_click_and_no_verb():
    modules = loaded(RUN.format(arguments=["--help"]))
    assert packages(modules) == {"click", "rapideval"}
    assert of_the_project(modules) == {"rapideval", "rapideval.cli", "rapideval.cli.group", "rapideval.cli.help"}


def test_the_help_of_a_verb_loads_no_kernels_and_no_arrays():
    for verb in verbs():
        modules = loaded(RUN.format(arguments=[verb, "--help"]))
        assert packages(modules) == {"click", "rapideval"}, verb


ALLOWED = """
    rapideval rapideval._core rapideval.errors rapideval.loading
    rapideval.cli rapideval.cli.evaluate rapideval.cli.group rapideval.cli.help rapideval.cli.lists
    rapideval.cli.options rapideval.cli.output rapideval.cli.protocol
    rapideval.formats rapideval.formats.capabilities rapideval.formats.coco rapideval.formats.coco_columns
    rapideval.formats.coco_geometry rapideval.formats.coco_images rapideval.formats.coco_labels
    rapideval.formats.coco_read rapideval.formats.files rapideval.formats.jsonshape rapideval.formats.notes
    rapideval.formats.registry
    rapideval.metrics rapideval.metrics.by_label rapideval.metrics.confusion rapideval.metrics.detection
    rapideval.metrics.detection_evaluation rapideval.metrics.equal_scores rapideval.metrics.evaluation
    rapideval.metrics.guards rapideval.metrics.guards.boxes rapideval.metrics.guards.joins
    rapideval.metrics.guards.masks rapideval.metrics.guards.rules rapideval.metrics.guards.scores
    rapideval.metrics.label_table rapideval.metrics.matches rapideval.metrics.matching rapideval.metrics.operating
    rapideval.metrics.pr_curves rapideval.metrics.protocol rapideval.metrics.scoring rapideval.metrics.semantic
    rapideval.metrics.semantic_evaluation rapideval.metrics.voc
    rapideval.model rapideval.model.annotations rapideval.model.columns rapideval.model.dataset
    rapideval.model.images rapideval.model.join rapideval.model.labels rapideval.model.masks
    rapideval.model.polygons
    rapideval.report rapideval.report.evaluation rapideval.report.text
"""

# Python's own that take longest to import, or that show that something heavy has come in
HEAVY = {
    "asyncio", "bz2", "concurrent", "ctypes", "difflib", "email", "gzip", "http", "importlib.metadata", "lzma",
    "multiprocessing", "numpy.ma", "numpy.random", "shutil", "socket", "sqlite3", "ssl", "subprocess", "tempfile",
    "tomllib", "unittest", "xml",
}  # fmt: skip


def test_evaluating_coco_files_loads_only_what_it_needs(tmp_path):
    truth = '{"images": [{"id": 1, "file_name": "a.jpg", "width": 9, "height": 9}], "categories": [{"id": 1,'
    truth += ' "name": "cat"}], "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 5, 5]}]}'
    (tmp_path / "truth.json").write_text(truth)
    (tmp_path / "found.json").write_text('[{"image_id": 1, "category_id": 1, "bbox": [0, 0, 5, 5], "score": 0.9}]')
    arguments = ["evaluate", str(tmp_path / "truth.json"), str(tmp_path / "found.json")]
    modules = loaded(RUN.format(arguments=arguments))
    assert packages(modules) == {"click", "numpy", "rapideval"}
    assert of_the_project(modules) - set(ALLOWED.split()) == set()
    brought_by_numpy = loaded("import numpy, click")
    assert (modules - brought_by_numpy) & HEAVY == set()


def test_a_gate_on_saved_evaluations_loads_only_what_it_needs(tmp_path):
    truth = holdout(images=30)
    for name, seed in (("v1", 1), ("v2", 2)):
        evaluate(truth, detector(truth, seed)).save(tmp_path / f"{name}.parquet")
    policy = 'version = 1\n[[rule]]\nmetric = "AP"\nfloor = 0.0\nfloor_by = "point"\n'
    (tmp_path / "gate.toml").write_text(policy)
    files = [str(tmp_path / name) for name in ("v1.parquet", "v2.parquet", "gate.toml")]
    modules = loaded(RUN.format(arguments=["gate", *files[:2], "--policy", files[2]]))
    brought = {name for name in packages(modules) if "cython" not in name} - {"typing_extensions"}
    assert brought == {"click", "msgspec", "numpy", "pyarrow", "rapideval"}
    assert modules & {"numpy.ma", "pyarrow.compute", "urllib.request", "sqlite3", "xml"} == set()
    assert {m for m in of_the_project(modules) if m.startswith(("rapideval.formats", "rapideval.loading"))} == set()


def verbs():
    from rapideval.cli.group import VERBS

    return list(VERBS)
