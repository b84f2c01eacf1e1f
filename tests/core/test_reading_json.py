"""What is JSON and what is not: the readers agree with a strict judge, and say where a text goes wrong."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from helpers.strict_json import core_takes, is_json, judge
from hypothesis import given
from hypothesis import strategies as st

from rapideval import _core

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["\\", '"', "\x7f", "\u2028", "\U0001f600", "a" * 40]),
)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=12),
    max_leaves=20,
)
separators = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:\r\n "), (",\n" + " " * 30, ":" + " " * 40)])


@st.composite
def texts(draw):
    """The JSON text of a document, as an unknown member."""
    document = {"unknown": draw(documents), "other": draw(documents)}
    return json.dumps(document, ensure_ascii=draw(st.booleans()), separators=draw(separators)).encode()


SCRAPS = [bytes([byte]) for byte in b'\\",:]}[{0.-e t\x00\x1f\x80\xff\n']
SCRAPS += [b"", b"\xed\xa0\x80", b"\xc0\xaf", b"\\u12", b"\\ud800", b"NaN", b"1e9", b'"a":1,']


@st.composite
def broken(draw):
    """A text with some bytes changed, left out or put in: mostly no JSON any more, sometimes still."""
    text = bytearray(draw(texts()))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        what = draw(st.sampled_from(SCRAPS))
        text[at : at + draw(st.integers(0, 2))] = what
    return bytes(text)


@given(texts())
def test_what_python_writes_is_taken_and_kept_verbatim(text):
    top = _core.read_coco_dataset(text)["top"]
    assert {name: json.loads(value) for name, value in top.items()} == json.loads(text)


def named_by_half_a_pair(text):
    """Whether a member's name holds half a surrogate pair, which JSON allows and the reader refuses."""
    document = judge(text) if is_json(text) else None
    return isinstance(document, dict) and any(re.search("[\ud800-\udfff]", name) for name in document)


@given(broken())
def test_a_broken_text_is_refused_exactly_where_the_judge_refuses_it(text):
    assert core_takes(text) == (is_json(text) and not named_by_half_a_pair(text))


@given(texts(), st.data())
def test_a_text_cut_short_is_refused_as_truncated_or_empty(text, data):
    end = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(_core.CoreError) as caught:
        _core.read_coco_dataset(text[:end])
    assert caught.value.rule in {"json-truncated", "json-empty"} or not text[:end].isascii()


ACCEPTED = [
    "[]", "[ ]", " [] ", "[\n]", "\ufeff[]", "[0]", "[-0]", "[-0.0]", "[1E22]", "[1e+2]", "[1e-2]",
    "[123.456e78]", "[0e1]", "[0e+1]", "[20e1]", "[1E+2]", "[-1]", "[-123]", "[1.000000000000005]",
    "[-0.000000000000000000000000000000000000000000000001]", '[""]', '["\\u0060\\u012a\\u12AB"]',
    '["\\uD801\\udc37"]', '["\\ud83d\\ude39\\ud83d\\udc8d"]', '["\\"\\\\\\/\\b\\f\\n\\r\\t"]',
    '["\\\\u0000"]', '["\\""]', '["a/*b*/c/*d//e"]', '["\\\\a"]', '["\\\\n"]', '["\\u0012"]', '["\\uFFFF"]',
    '["asd"]', '["\U0010ffff"]', '["\uffff"]', '["\\u0000"]', '["\\u0123"]', '["\u2028"]', '["\u2029"]',
    '["\x7f"]', '["\\uA66D"]', '["new\\u00A0line"]', '["\\u0061\\u30af\\u30EA\\u30b9"]', '["\U0001f600"]',
    '["\u20ac\U0001d11e"]', "[[]   ]", "[null]", "[false]", "[true]", "[null, 1, \"1\", {}]", "[1\n]", " [1]",
    "[1,null,null,null,2]", "[2] ", "{}", '{"asd":"sdf", "dfg":"fgh"}', '{"asd":"sdf"}', '{"":0}',
    '{"foo\\u0000bar": 42}', '{ "min": -1.0e+28, "max": 1.0e+28 }', '{"x":[{"id": "x"}], "id": "x"}',
    '{"a":[]}', '{"title":"\\u041f\\u043e\\u043b"}', "{\n\"a\": \"b\"\n}", '"asd"', "null", "true", "false",
    "42", "-0.1", '""', " 1 ", '["a",\n4\n,1]', '["\\uDBFF\\uDFFF"]', '["\\ud834\\udd1e"]',
    "[" * 400 + "]" * 400, "[123123e100000]",
    "[0.4e00669999999999999999999999999999999999999999999999999999999999999999999999999999999999969999999006]",
    "[-1e+9999]", "[100000000000000000000]", '["\\uDFAA"]', '["\\uD888\\u1234"]', '["\\ud800"]',
    '["\\uD800\\uD800\\n"]',
]  # fmt: skip

REFUSED = [
    "", " ", "\ufeff", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "[1,,2]", "[,]", "[1 true]", "[a]",
    "[\"x\", truth]", "[3[4]]", "[1:2]", "[ , \"\"]", "[\"\": 1]", "[\"a\",\n4\n,1,", "[1,\n1\n,1", "[{}",
    "[\"\",]", "[\"\"", "[*]", "[\"asd]", "['single']", "[fals]", "[nul]", "[tru]", "[1]]", "[1]x", "[][]",
    "[-]", "[+1]", "[++1234]", "[-01]", "[-1.0.]", "[-2.]", "[-NaN]", "[.-1]", "[.2e-3]", "[0.1.2]",
    "[0.3e+]", "[0.3e]", "[0.e1]", "[0e+]", "[0e]", "[1.0e+]", "[1.0e-]", "[1.0e]", "[1 000.0]", "[1eE2]",
    "[2.e+3]", "[2.e-3]", "[2.e3]", "[9.e+]", "[Inf]", "[NaN]", "[Infinity]", "[-Infinity]", "[1+2]", "[0x1]",
    "[0x42]", "[-foo]", "[- 1]", "[-012]", "[-.123]", "[-1x]", "[1ea]", "[1.]", "[.123]", "[1.2a-3]",
    "[1.8011670033376514H-308]", "[012]", "[0e", "[\uff11]", "[\u0661]", '{"x", null}', '{"x"::"b"}',
    '{"a":"a" 123}', "{key: 'value'}", '{"a" b}', '{:"b"}', '{"a" "b"}', '{"a":', '{"a"', "{1:1}",
    "{9999E9999:1}", "{null:null,null:null}", '{"id":0,,,,,}', "{'a':0}", '{"id":0,}', '{"a":"b"}/**/',
    '{"a":"b"}/**//', '{"a":"b"}//', '{"a":"b",,"c":"d"}', "{a: \"b\"}", '{"a":"a', '{ "foo" : "bar", "a" }',
    '{"a":"b"}#', '{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '{"x":{"b":1,"b":1}}', '{"x":[{"":1,"":1}]}',
    '{"' + '":1,"'.join("abcdefghijklmnopa") + '":1}', '["\\uD800\\"]', '["\\uD800\\u"]', '["\\uD800\\u1"]',
    '["\\uD800\\u1x"]', "[\u00e9]", '["\\x00"]', '["\\\\\\"]', '["\\\t"]', '["\\\U0001f300"]', '["\\"]',
    '["\\u00A"]', '["\\uD834\\uDd"]', '["\\uD800\\uD800\\x"]', '["\\a"]', '["\\uqqqq"]', "[\\u0020\"asd\"]",
    "[\\n]", '"', "['single quote']", "abc", '["\\', '["a\x00a"]', '["new\nline"]', '["\t"]', '"\\UA66D"',
    '""x', "<.>", "[<null>]", "[1]x", "[1]]", '["asd]', "a\u00e5", "[True]", "1]", '{"x": true,', "[][]", "]",
    "{}}", '{"":', "\u2060", "\ufeff\ufeff[]", "[", "[\x0c]", "{[", '{"a":/*comment*/"b"}', '{"a": true} "x"',
    "['", "[,", "[{", "[\"a", "[\"a\"", "{]", "{,", "{[", "{\"a", "{'a'", '["\\{["\\{["\\{["\\{', "*",
    '{"a":"b"}#{}', "[\\u000A\"\"]", "[1", "[ false, nul", "[ true, fals", "[ false, tru", "\u00e5",
    "[\u2060]", "[" * 100_000, '[{"":' * 50_000, "nan", "NaN", "-", "\u201c\u201d", "//", "[1]//",
]  # fmt: skip

REFUSED_BYTES = [
    b'["\xff"]', b'["\xe9"]', b'["\xc0\xaf"]', b'["\xe0\x80\xaf"]', b'["\xed\xa0\x80"]',
    b'["\xf4\x90\x80\x80"]', b'["\xf0\x80\x80\x80"]', b'["\xe2\x82"]', b'["\x81"]', b"[\xff]", b"[1\xe5]",
    b"[-1\xe5]", b"[0\xe5]", b"[1e1\xe5]", b"[123\xe5]", b'["\\\xe5"]', b'["\\u\xe5"]', b"\xe5",
    b"\xff\xfe[\x00]\x00", b"\xfe\xff\x00[\x00]", b"[\x00]\x00", b"\x00[\x00]", b"\xef\xbb", b"\xef\xbb{}",
    b"\x80\x04]\x94.", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"123\x00",
    b'["\xf8\x88\x80\x80\x80"]', b'["\xfc\x84\x80\x80\x80\x80"]', b'{"\xb9":"0",}', b"[a\xe5]",
]  # fmt: skip


@pytest.mark.parametrize("text", ACCEPTED, ids=lambda text: text[:30])
def test_the_shapes_that_are_json_are_taken(text):
    assert is_json(text.encode())
    assert core_takes(text.encode())


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:30])
def test_the_shapes_that_are_no_json_are_refused(text):
    assert not core_takes(text.encode())


@pytest.mark.parametrize("text", REFUSED_BYTES, ids=repr)
def test_bytes_that_are_no_utf8_are_refused(text):
    assert not core_takes(text)


@pytest.mark.parametrize("text", [t.encode() for t in ACCEPTED], ids=lambda text: repr(text[:30]))
def test_what_stands_alone_may_stand_as_a_member_too(text):
    wrapped = b'{"unknown":' + text.removeprefix(b"\xef\xbb\xbf") + b"}"
    assert is_json(wrapped)
    assert core_takes(wrapped)


def test_the_public_test_suite():
    """Cases of https://github.com/nst/JSONTestSuite: y_ must be taken, n_ refused, i_ only survived."""
    folder = os.environ.get("JSON_TEST_SUITE", "")
    if not folder:
        pytest.skip("JSON_TEST_SUITE does not name the folder test_parsing of JSONTestSuite")
    wrong = []
    cases = sorted(Path(folder).glob("[yni]_*.json"))
    for path in cases:
        takes = core_takes(path.read_bytes())
        twice = "duplicated_key" in path.name  # valid by the grammar; refused here, and said so
        if (path.name.startswith("y_") and not takes and not twice) or (path.name.startswith("n_") and takes):
            wrong.append(path.name)
    assert cases
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "rule", "offset", "line", "path"),
    [
        (b'{"a": [1, 2,\n 3 4]}', "json-syntax", 16, 2, "$.a[2]"),
        (b'{"a": {"b": [true, nope]}}', "json-syntax", 19, 1, "$.a.b[1]"),
        (b'{"a": {"odd name": NaN}}', "json-nan", 19, 1, '$.a["odd name"]'),
        (b'{"a": -Infinity}', "json-nan", 6, 1, "$.a"),
        (b'{"a": 1, "b": 2, "a": 3}', "json-duplicate-key", 17, 1, "$.a"),
        (b'{"x": [{"a": 1, "b": 2, "b": 3}]}', "json-duplicate-key", 24, 1, "$.x[0].b"),
        (b'{"a": 1} x', "json-trailing", 9, 1, "$"),
        (b'{"a": "x\xff"}', "json-utf8", 8, 1, "$.a"),
        (b'{"a": "x', "json-truncated", 8, 1, "$.a"),
        (b"\n\n ", "json-empty", 0, 1, "$"),
        (b"\xff\xfe{\x00}\x00", "json-encoding", 0, 1, "$"),
        (b'{"a": [[[[[[[[[[1]]]]]]]]]]}', "json-depth", 15, 1, "$.a[0][0][0][0][0][0][0][0][0]"),
    ],
)
def test_an_error_says_where(text, rule, offset, line, path):
    with pytest.raises(_core.CoreError) as caught:
        _core.read_coco_dataset(text, max_depth=10)
    error = caught.value
    assert (error.rule, error.offset, error.line, error.path) == (rule, offset, line, path)
    assert error.found
    assert error.expected
    if offset and rule not in {"json-depth"}:
        assert _core.json_place(text, offset) == (line, path)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (b"{'a': 1}", "repr of a Python object"),
        (b'{"a": True}', "repr of a Python object"),
        (b'{"a": NaN}', "allow_nan"),
        ("{\u201ca\u201d: 1}".encode(), "typographic"),
        (b"<html></html>", "HTML"),
        (b'{"a": [1,]}', "comma before"),
        (b'{"a": 01}', "leading zero"),
        (b'{"a": 1 // no\n}', "comments"),
        (b"\x80\x04\x95", "return_pickled=false"),
        (b"\x1f\x8b\x08", "decompress"),
        (b'{"a": 1, "a": 1}', "keep one of the two"),
    ],
)
def test_a_likely_cause_is_named(text, hint):
    with pytest.raises(_core.CoreError) as caught:
        _core.read_coco_dataset(text)
    assert hint in caught.value.hint


@pytest.mark.parametrize("depth", [9, 50, 512])
def test_depth_is_limited_exactly(depth):
    def nested(n):
        return b'{"x":' + b"[" * (n - 1) + b"]" * (n - 1) + b"}"

    _core.read_coco_dataset(nested(depth), max_depth=depth)
    with pytest.raises(_core.CoreError) as caught:
        _core.read_coco_dataset(nested(depth + 1), max_depth=depth)
    assert caught.value.rule == "json-depth"


def test_many_members_that_differ_little_take_no_quadratic_time():
    names = ",".join(f'"{i:06d}":0' for i in range(200_000))
    _core.read_coco_dataset(f'{{"x":{{{names}}}}}'.encode())
    _core.read_coco_results(f"[{{{names}}}]".encode())
