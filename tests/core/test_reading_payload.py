"""The scanner of answers: a tree as json gives it, bitmasks as run-lengths, the same for every level."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers.strict_json import is_json, judge
from hypothesis import example, given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from rapideval import _core

LEVELS = _core.simd_levels()
STYLES = {
    "compact": (",", "{:d}".format),
    "spaces": (", ", "{:d}".format),
    "floats": (",", "{:.1f}".format),
    "words": (",", lambda bit: json.dumps(bool(bit))),
    "words and spaces": (", ", lambda bit: json.dumps(bool(bit))),
    "lines": (",\n      ", "{:d}".format),
    "far apart": (" ,\r\n\t" + " " * 70, "{:.1f}".format),
    "odd": (",", ["0", "1e0"].__getitem__),
    "zeros": (",", ["-0.00", "1.000"].__getitem__),
}


def text_of(masks, style):
    """The text of nested lists of 0 and 1, written in a style."""
    comma, write = STYLES[style]
    if isinstance(masks, list):
        return "[" + comma.join(text_of(mask, style) for mask in masks) + "]"
    return write(masks)


def runs_of(dense):
    """Column-major runs, by pycocotools."""
    coded = coco_mask.encode(np.asfortranarray(dense.astype(np.uint8)))
    text = coded["counts"]
    counts, _ = _core.rle_from_strings(text, np.array([0, len(text)]), np.array([dense.shape], np.uint32))
    return counts.tolist()


def assert_is(bitmask, stack, ndim):
    assert isinstance(bitmask, _core.BitmaskArray)
    assert (len(bitmask), bitmask.ndim) == (len(stack), ndim)
    assert bitmask.sizes.tolist() == [list(dense.shape) for dense in stack]
    for i, dense in enumerate(stack):
        assert bitmask.counts[bitmask.offsets[i] : bitmask.offsets[i + 1]].tolist() == runs_of(dense)


@st.composite
def stacks(draw):
    """A few masks, small or as wide as several blocks of 64 bytes, noise or shapes."""
    n, height = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    width = draw(st.one_of(st.integers(1, 5), st.integers(20, 140)))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    return list(random.random((n, height, width)) < draw(st.sampled_from([0.0, 0.02, 0.5, 0.98, 1.0])))


@given(stacks(), st.sampled_from(sorted(STYLES)), st.integers(2, 4), st.booleans())
def test_bitmasks_become_the_runs_that_pycocotools_makes(stack, style, ndim, wrapped):
    nested = [dense.astype(int).tolist() for dense in stack]
    value = {2: nested[0], 3: nested, 4: [[mask] for mask in nested]}[ndim]
    text = f'{{"masks" :{text_of(value, style)} , "scores":[1]}}'
    if wrapped:
        text = json.dumps({"result": text})
    for level in LEVELS:
        tree = _core.scan_payload(text.encode(), level=level, min_text=0)
        if wrapped:
            tree = tree["result"].scan(level=level)
        assert tree["scores"] == [1]
        assert_is(tree["masks"], stack[: 1 if ndim == 2 else None], ndim)


@pytest.mark.parametrize("style", sorted(STYLES))
@pytest.mark.parametrize("indent", [None, 2])
def test_large_masks_are_the_same_for_every_level_and_any_number_of_threads(style, indent):
    random = np.random.default_rng(3)
    y, x = np.mgrid[:90, :333]
    stack = [np.hypot(x - random.integers(333), y - random.integers(90)) < random.integers(5, 90) for _ in range(30)]
    stack.append(random.random((90, 333)) < 0.5)
    text = ('{"masks":' + text_of([dense.astype(int).tolist() for dense in stack], style) + "}").encode()
    if indent:
        text = json.dumps(json.loads(text), indent=indent).encode()
    seen = set()
    for level in LEVELS:
        for threads in (1, 2, 3):
            masks = _core.scan_payload(text, level=level, threads=threads)["masks"]
            seen.add((masks.counts.tobytes(), masks.offsets.tobytes(), masks.sizes.tobytes(), masks.ndim, masks.offset))
    assert len(seen) == 1
    assert_is(masks, stack, 3)


def test_masks_of_one_list_may_differ_in_size():
    masks = _core.scan_payload(b'{"masks":[[[0,1]],[[1],[1],[0]],[[0, 1, 1]]]}')["masks"]
    assert masks.sizes.tolist() == [[1, 2], [3, 1], [1, 3]]
    assert masks.counts.tolist() == [1, 1, 0, 2, 1, 1, 2]


PROBLEMS = [
    ("[[0,1],[0]]", "M31", "[1]", "a row of 1"),
    ("[[[0,1]],[[0,1],[0,1,1]]]", "M31", "[1][1]", "a row of 3"),
    ("[[0,1],[0,2]]", "M33", "[1][1]", "2"),
    ("[[0,0.5]]", "M33", "[0][1]", "0.5"),
    ("[[0,255]]", "M33", "[0][1]", "255"),
    ("[[0,-1]]", "M33", "[0][1]", "-1"),
    ("[[[0,1]],[[0,10]]]", "M33", "[1][0][1]", "10"),
    ("[[[[0,7]]]]", "M33", "[0][0][0][1]", "7"),
    ("[[]]", "M34", "", "a mask without columns"),
    ("[[],[]]", "M34", "", "a mask without columns"),
    ("[[[]]]", "M34", "[0]", "a mask without columns"),
    ("[[[0]],[]]", "M34", "[1]", "a mask without rows"),
    ("[0,1,1]", "M35", "", "one row of 3 numbers"),
    ("[[[[[0]]]]]", "M35", "", "5 levels of brackets"),
    ("[[0,1],1]", "M35", "[1]", "1"),
    ("[[[0,1]],[0,1]]", "M35", "[1][0]", "0"),
    ("[[[0,1]],1]", "M35", "[1]", "1"),
    ("[[0,[1]]]", "M35", "", "brackets of uneven depth"),
    ("[[[[0]],[[1]]]]", "M35", "[0]", "2 channels"),
    ("[[[[0]]],1]", "M35", "[1]", "1"),
]


@pytest.mark.parametrize(("value", "rule", "path", "found"), PROBLEMS)
def test_what_is_no_bitmask_is_a_problem_with_its_place(value, rule, path, found):
    for level in LEVELS:
        for text in (value, value.replace(",", " , ").replace("]", " ] ")):
            tree = _core.scan_payload(f'{{"a":[1],"masks":{text},"b":2}}'.encode(), level=level)
            problem = tree["masks"]
            assert isinstance(problem, _core.CoreError)
            assert (problem.rule, problem.path, problem.found) == (rule, path, found)
            assert (tree["a"], tree["b"]) == ([1], 2)


@pytest.mark.parametrize(("value", "rule", "path", "found"), PROBLEMS)
def test_under_any_key_what_is_no_bitmask_is_a_list(value, rule, path, found):
    tree = _core.scan_payload(f'{{"road":{value},"boxes":[[0,1,1,1]],"mask":[[1]]}}'.encode(), any_key=True)
    assert tree["road"] == json.loads(value)
    assert tree["boxes"] == [[0, 1, 1, 1]]
    assert_is(tree["mask"], [np.ones((1, 1), bool)], 2)


def test_255_counts_as_1_when_asked():
    text = b'{"masks":[[[0,255],[1,0]]]}'
    assert _core.scan_payload(text)["masks"].rule == "M33"
    assert "255 as 1" in _core.scan_payload(text)["masks"].hint
    assert_is(_core.scan_payload(text, values_255=True)["masks"], [np.array([[0, 1], [1, 0]])], 3)


def test_only_the_keys_asked_for_hold_bitmasks():
    text = b'{"boxes":[[0,1,1,1]],"masks":[[[1]]],"m":[[1]]}'
    tree = _core.scan_payload(text, ["m"])
    assert tree["boxes"] == [[0, 1, 1, 1]]
    assert tree["masks"] == [[[1]]]
    assert isinstance(tree["m"], _core.BitmaskArray)
    assert isinstance(_core.scan_payload(b" [[0,1]]", root_is_bitmask=True), _core.BitmaskArray)


def test_lists_of_other_things_stay_and_their_arrays_are_taken_one_by_one():
    masks = _core.scan_payload(b'{"masks":[{"size":[1,2],"counts":"11"},[[0,1]],"[[1]]",null,[[2]]]}')["masks"]
    assert masks[0] == {"size": [1, 2], "counts": "11"}
    assert_is(masks[1], [np.array([[0, 1]])], 2)
    assert masks[2:4] == ["[[1]]", None]
    assert masks[4].rule == "M33"
    assert _core.scan_payload(b'{"masks":[]}') == {"masks": []}
    assert _core.scan_payload(b'{"masks":null}') == {"masks": None}


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**80), 2**80),
    st.floats(allow_nan=False),
    st.text(max_size=6),
    st.just("[1,"),
).filter(lambda value: value not in (float("inf"), float("-inf")))
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=15,
)


@given(documents, st.booleans())
@example([1e400, -0.0, 0, -0], True)
def test_the_tree_is_what_json_gives(document, ascii_only):
    text = json.dumps(document, ensure_ascii=ascii_only).replace("Infinity", "1e400").encode("utf-8", "surrogatepass")
    if is_json(text):
        assert repr(_core.scan_payload(text)) == repr(judge(text))


@given(documents, st.integers(1, 3))
def test_layers_of_text_are_read_in_place(document, layers):
    text = json.dumps([document])
    for _ in range(layers):
        text = json.dumps([text])
    tree = _core.scan_payload(text.encode(), min_text=0)
    for layer in reversed(range(layers)):
        inner = tree[0]
        assert len(str(inner)) <= len(inner)
        tree = inner.scan(min_text=0 if layer else 10**9)
    assert repr(tree) == repr([document])


@given(st.binary(max_size=40), st.sampled_from([b"", b'{"masks":[[[0,1],[1,', b"[", b'{"a":"']))
def test_any_bytes_are_taken_or_refused_as_the_judge_does(noise, start):
    text = start + noise
    rule = ""
    try:
        _core.scan_payload(text, [])
    except _core.CoreError as error:
        rule = error.rule
    assert (rule == "") == is_json(text)
    assert rule == "" or rule.startswith("json-")


mask_text = st.text(alphabet='[]01, .etruefals\n2-\\"{}:n', max_size=60)


def is_refused(text):
    """Whether a text is refused; all levels make the same of it."""
    seen = set()
    for level in LEVELS:
        try:
            value = _core.scan_payload(text, level=level)["masks"]
        except _core.CoreError as error:
            seen.add((error.rule, error.offset, error.path))
            continue
        if isinstance(value, _core.BitmaskArray):
            seen.add((value.counts.tobytes(), value.sizes.tobytes(), value.ndim))
        else:
            seen.add(
                (value.rule, value.path, value.found, value.offset)
                if isinstance(value, _core.CoreError)
                else repr(value)
            )
    assert len(seen) == 1
    (outcome,) = seen
    return str(outcome[0]).startswith("json-")


@given(mask_text, st.sampled_from(["[[0,1],[", "[[[1,0,1],[1,1,0]],[[", "[" + "[0,1,1,1],\n" * 20 + "["]))
def test_every_level_makes_the_same_of_any_text(noise, start):
    text = f'{{"masks":{start}{noise}'.encode()
    for end in (b"", b"]]}", b"0]]}", b"1]]]}"):
        assert is_refused(text + end) == (not is_json(text + end))


pieces = st.tuples(
    st.sampled_from(["0", "1", "true", "false", "0.0", "1.0", "1e0", "00", "tru", "alse", "", "2"]),
    st.sampled_from([",", ", ", " ,", ",\n", ", ,", " ", ",  "]),
    st.integers(1, 90),
)


@given(st.lists(pieces, min_size=1, max_size=5), st.sampled_from(["0", "false", "1.0", ""]))
@example([("false", ",", 40), ("alse", ",", 40)], "false")
@example([("0", " ,", 90)], "1.0")
@example([("0", ", ,", 90)], "0")
def test_values_that_repeat_are_the_same_for_every_level_and_never_hide_a_fault(parts, end):
    row = "".join((value + separator) * count for value, separator, count in parts) + end
    text = f'{{"masks":[[{row}],[{row}]]}}'.encode()
    assert is_refused(text) == (not is_json(text))


def test_an_error_in_a_layer_counts_its_offset_in_the_outermost_text():
    inner = '{"a":"\u00e9\\n", "masks": [[0,1],\n[0,3]], "b": [1,}'
    text = json.dumps({"x": 1, "result": inner}).encode()
    layer = _core.scan_payload(text, min_text=0)["result"]
    assert text[layer.offset : layer.offset + 2] == b'"{'
    with pytest.raises(_core.CoreError) as caught:
        layer.scan()
    assert caught.value.path == "$.b[1]"
    assert text[caught.value.offset :] == b'}"}'
    fixed = json.dumps({"x": 1, "result": inner[:-2] + "]}"}).encode()
    problem = _core.scan_payload(fixed, min_text=0)["result"].scan()["masks"]
    assert problem.rule == "M33"
    assert fixed[problem.offset : problem.offset + 2] == b"3]"


@pytest.mark.parametrize("text", [b'{"a":"\\ud800"}', b'["\\udc00\\ud800"]', b'{"\\ud800":1}'])
def test_half_a_surrogate_pair_is_refused(text):
    with pytest.raises(_core.CoreError) as caught:
        _core.scan_payload(text)
    assert caught.value.rule == "json-surrogate"


def test_many_tiny_masks_take_little_room_and_time():
    masks = _core.scan_payload(b'{"masks":[' + b"[[1]]," * 200_000 + b"[[0]]]}")["masks"]
    assert len(masks) == 200_001
    assert masks.counts.tolist() == [0, 1] * 200_000 + [1]
