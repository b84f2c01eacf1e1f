"""The compiled scanner and the plain one see the same tree, and the same fault in the same place."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers.payload_cases import FIXTURES
from helpers.plain_scanner import plain_scan
from hypothesis import given
from hypothesis import strategies as st

from rapideval import _core
from rapideval.errors import InputError
from rapideval.payloads.masks import is_bitmask
from rapideval.payloads.objects import BITMASK_KEYS, OTHER_KEYS

FILES = sorted(path for folder in FIXTURES.iterdir() for path in folder.iterdir() if path.suffix != ".png")
SMALL = [path for path in FILES if path.stat().st_size < 3000]

pixels = st.sampled_from(["0", "1", "0", "1", "true", "false", "0.0", "1.0", "255", "2", "0.5", "-1"])
rows = st.lists(pixels, max_size=4).map(lambda row: f"[{','.join(row)}]")
nests = st.recursive(
    rows, lambda inner: st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]"), max_leaves=6
)


def outcome(scan, text, **options):
    """The tree, plain, or the fault."""
    try:
        return plain(scan(text, **options))
    except (_core.CoreError, InputError) as error:
        return fault(error)


def fault(error):
    if isinstance(error, InputError):
        return ("fault", error.rule)
    # The plain scanner decodes the whole text first: it does not know which value holds the bytes that are not UTF-8.
    return ("fault", error.rule, "" if error.rule in ("json-utf8", "json-truncated") else error.path)


def plain(tree):
    """A tree that can be compared: bitmasks and faults as tuples, deferred strings as text."""
    if is_bitmask(tree):
        return ("bitmask", tree.ndim, tree.counts.tolist(), tree.offsets.tolist(), np.asarray(tree.sizes).tolist())
    if isinstance(tree, _core.CoreError):
        return ("fault", tree.rule, tree.path)
    if isinstance(tree, dict):
        return {key: plain(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [plain(value) for value in tree]
    if isinstance(tree, _core.JsonText):
        return str(tree)
    return (type(tree).__name__, repr(tree)) if isinstance(tree, float) else tree


def assert_same(text, **options):
    both = {"max_depth": 64, **options}
    keys = {"bitmask_keys": BITMASK_KEYS, "other_keys": OTHER_KEYS}
    assert outcome(_core.scan_payload, text, **keys, **both) == outcome(plain_scan, text, **both)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_fixtures(path):
    for options in ({}, {"any_key": True}, {"values_255": True}):
        assert_same(path.read_bytes(), **options)


@given(st.sampled_from(SMALL), st.data())
def test_truncated_fixtures(path, data):
    text = path.read_bytes()
    assert_same(text[: data.draw(st.integers(0, len(text)))])


@given(
    nests, st.sampled_from(["masks", "semantic_segmentation_mask", "boxes", "road_mask"]), st.booleans(), st.booleans()
)
def test_nested_arrays(text, key, any_key, values_255):
    assert_same(f'{{"{key}": {text}}}'.encode(), any_key=any_key, values_255=values_255)
    assert_same(text.encode(), root_is_bitmask=True, values_255=values_255)


@given(
    st.lists(
        st.one_of(
            nests.filter(lambda text: text.startswith("[[")),
            st.sampled_from(['"a"', '{"size": [1, 1], "counts": [1]}', "null", "[]"]),
        ),
        max_size=3,
    )
)
def test_arrays_among_other_things(items):
    assert_same(f'{{"masks": [{",".join(items)}]}}'.encode())


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
        lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
        max_leaves=10,
    )
)
def test_any_document(value):
    assert_same(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("count", [10, 1200])
def test_strings_that_hold_documents(count):
    inner = json.dumps([{"masks": [[[0, 1] * count]], "scores": [0.5], "labels": ["a"]}])
    tree = _core.scan_payload(json.dumps({"result": inner}).encode())
    assert str(tree["result"]) == inner
    if isinstance(tree["result"], _core.JsonText):
        assert plain(tree["result"].scan()) == outcome(plain_scan, inner.encode())
