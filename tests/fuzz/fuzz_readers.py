"""Coverage-guided fuzzing of the readers' Python face: the core's errors are the only ones that may leave it.

Run it by hand (atheris has wheels for Linux and Python 3.11 to 3.13)::

    pip install atheris
    python tests/fuzz/fuzz_readers.py -max_total_time=300 build/fuzz/found/readers core/fuzz/seeds/*

Every input is read as results, as a dataset and as an answer; what is taken must be what a strict judge takes, and the
tree of an answer without bitmasks must be the judge's.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import atheris

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

with atheris.instrument_imports(include=["rapideval.payloads", "rapideval.formats"]):
    import rapideval.formats.coco_read
    import rapideval.payloads

from helpers.strict_json import judge  # noqa: E402

from rapideval import _core  # noqa: E402
from rapideval.errors import RapidevalError  # noqa: E402

MOST_DIGITS = 4300


def one_input(data: bytes) -> None:
    """One text through every reader."""
    for read in (_core.read_coco_results, _core.read_coco_dataset):
        try:
            result = read(data, extras=True, threads=2, chunk_bytes=32)
        except _core.CoreError:
            continue
        assert result["problem_count"] >= len(result["problems"])
    try:
        expected = repr(judge(data))
    except (ValueError, RecursionError):
        expected = None
    rule, found = "", expected
    try:
        found = repr(_core.scan_payload(data, []))
    except _core.CoreError as error:
        rule = error.rule
    assert found == expected
    assert bool(rule) == (expected is None) or rule in ("json-surrogate", "json-depth")
    with contextlib.suppress(RapidevalError):
        rapideval.payloads.parse(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
