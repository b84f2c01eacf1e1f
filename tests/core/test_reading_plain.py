"""The columns are those that a plain reader makes by way of Python objects."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers import plain_coco
from helpers.coco_text import rows, written
from hypothesis import given
from hypothesis import strategies as st

from rapideval import _core


def assert_same(core, plain, path=""):
    """Equal columns; extra members as objects, for the core keeps them as they are written."""
    if isinstance(plain, dict):
        assert isinstance(core, dict), path
        if set(plain) == {"data", "offsets"} and path.endswith("extras"):
            core, plain = texts(core), texts(plain)
            assert [json.loads(text or "{}") for text in core] == [json.loads(text or "{}") for text in plain]
            return
        assert core.keys() == plain.keys(), path
        for name in plain:
            assert_same(core[name], plain[name], f"{path}.{name}")
    elif isinstance(plain, np.ndarray):
        assert core.dtype == plain.dtype, path
        np.testing.assert_array_equal(core, plain, err_msg=path)
    else:
        assert core == plain, path


def texts(column):
    data = column["data"].tobytes()
    return [data[a:b].decode() for a, b in zip(column["offsets"], column["offsets"][1:], strict=False)]


def all_or_none(columns):
    """A column in which every value is absent is None in the one, and may be filled with nothing in the other."""
    for name, present in columns["present"].items():
        if present is False:
            columns[name] = None
    return columns


@given(rows(), st.integers(0, 10**6))
def test_results_are_read_as_a_plain_reader_reads_them(document, seed):
    text = written(document, seed)
    core = _core.read_coco_results(text, extras=True)["annotations"]
    plain = plain_coco.read_coco_results(text, extras=True)["annotations"]
    assert_same(core, all_or_none(plain))


@pytest.mark.parametrize("name", ["coco-val2014-100", "tool-exports", "stuff-2", "panoptic-2"])
def test_real_files_are_read_as_a_plain_reader_reads_them(shared_data, name):
    compared = 0
    for path in sorted((shared_data / name).rglob("*.json")):
        text = path.read_bytes()
        is_list = text.lstrip()[:1] == b"["
        try:
            core = _core.read_coco_results(text, True) if is_list else _core.read_coco_dataset(text, True)
        except _core.CoreError:
            continue
        if core["problem_count"] or (is_list and not core["annotations"]["present"]["image_id"]):
            continue
        plain = plain_coco.read_coco_results(text, True) if is_list else plain_coco.read_coco_dataset(text, True)
        for member in ("images", "categories", "annotations"):
            if plain.get(member) is not None:
                assert_same(core[member], all_or_none(plain[member]), f"{path.name}: {member}")
                compared += 1
    assert compared
