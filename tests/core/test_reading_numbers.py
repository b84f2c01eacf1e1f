"""Numbers are read exactly: doubles as Python's float rounds them, integers whole or refused."""

from __future__ import annotations

import math
import runpy
import struct
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rapideval import _core


def read(texts, pad=True):
    """The scores as the reader gives them; without padding the last number ends the text but for brackets."""
    rows = ",".join(f'{{"score":{text}}}' for text in texts)
    return _core.read_coco_results((f"[{rows}]" + " " * 64 * pad).encode())


def assert_equal_to_float(texts):
    kept = [text for text in texts if math.isfinite(float(text))]
    for pad in (True, False):
        got = read(texts, pad)
        assert got["problem_count"] == len(texts) - len(kept)
        if kept:
            score, present = got["annotations"]["score"], got["annotations"]["present"]["score"]
            want = np.array([float(text) for text in kept])
            np.testing.assert_array_equal(score[present].view(np.uint64).ravel(), want.view(np.uint64))


finite = st.floats(allow_nan=False, allow_infinity=False)
digits = st.text("0123456789", min_size=1, max_size=40)
whole = digits.map(lambda text: text.lstrip("0") or "0")


@st.composite
def decimals(draw):
    """Any number of the grammar."""
    text = draw(st.sampled_from(["", "-"])) + draw(whole)
    if draw(st.booleans()):
        text += "." + draw(digits)
    if draw(st.booleans()):
        text += draw(st.sampled_from("eE")) + draw(st.sampled_from(["", "+", "-"])) + str(draw(st.integers(0, 400)))
    return text


@given(st.lists(decimals(), min_size=1, max_size=20))
@example(
    ["0.000", "-0", "-0.0", "0e99999999999999999999", "1e-99999999999999999999", "1e99999999999999999999", "1e400"]
)
@example(["5e-324", "2.4703282292062327e-324", "2.4703282292062328e-324", "2.2250738585072011e-308"])
@example(["1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308", "179769313486231580793e289"])
@example(
    ["9007199254740993", "9007199254740992.5", "9007199254740993.0000000000000000000000000001", "9007199254740991"]
)
@example(["0." + "0" * 400 + "1e400", "1" + "0" * 400 + "e-400", "1." + "0" * 900 + "1"])
def test_any_number_equals_pythons_float(texts):
    assert_equal_to_float(texts)


@given(st.lists(finite, min_size=1, max_size=20), st.integers(0, 25))
def test_what_writers_print_comes_back(values, places):
    assert_equal_to_float([repr(value) for value in values] + [f"{value:.{places}e}" for value in values])


@given(st.lists(st.floats(-5000, 5000, width=32), min_size=1, max_size=20), st.integers(0, 20))
def test_fixed_places_come_back(values, places):
    assert_equal_to_float([f"{value:.{places}f}" for value in values])


@given(st.integers(0, 2**63 - 2**52 - 2), st.text("0123456789", max_size=30), st.integers(0, 900))
def test_half_way_between_two_doubles_is_decided_by_the_last_digit(bits, tail, zeros):
    low, high = struct.unpack("<2d", struct.pack("<2Q", bits, bits + 1))
    if not (math.isfinite(low) and math.isfinite(high)):
        return
    with localcontext() as context:
        context.prec = 1100
        half = f"{(Decimal(low) + Decimal(high)) / 2:e}"
        mantissa, _, exponent = half.partition("e")
        point = "" if "." in mantissa else "."
    above = f"{mantissa}{point}{'0' * zeros}{tail}1e{exponent}"
    below = f"{mantissa[:-1]}{int(mantissa[-1]) - 1}{point}{'9' * 20}e{exponent}" if mantissa[-1] > "0" else above
    assert_equal_to_float([half, above, below])


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20))
@example([2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 0, 10**15, 10**16, 99999999, 100000000])
def test_ids_of_64_bits_are_exact(values):
    rows = ",".join(f'{{"id":{value}}}' for value in values)
    for text in (f"[{rows}]", f"[{rows}]" + " " * 64):
        np.testing.assert_array_equal(_core.read_coco_results(text.encode())["annotations"]["id"], values)


@pytest.mark.parametrize(
    ("text", "value"), [("7.0", 7), ("7e2", 700), ("-0", 0), ("0.0e5", 0), ("12300e-2", 123), ("9.0e18", 9 * 10**18)]
)
def test_a_whole_number_may_be_written_as_a_real_one(text, value):
    assert _core.read_coco_results(f'[{{"id":{text}}}]'.encode())["annotations"]["id"].tolist() == [value]


@pytest.mark.parametrize(
    "text",
    [
        "9223372036854775808",
        "-9223372036854775809",
        "1e19",
        "0.5",
        "1e-1",
        "123456789012345678901",
        "null",
        "true",
        "[1]",
        "{}",
    ],
)
def test_what_is_no_integer_of_64_bits_is_no_id(text):
    result = _core.read_coco_results(f'[{{"id":{text}}}]'.encode())
    (problem,) = result["problems"]
    assert (problem.rule, problem.path) == ("coco-id", "$[0].id")
    assert result["annotations"]["id"] is None


@pytest.mark.parametrize("length", [800, 5_000, 1_000_000])
def test_endless_digits_take_linear_time(length):
    many = "7" * length
    texts = [f"0.{many}", f"{many}e-{length}", "0." + "0" * length + f"1e{length}", f"1e-{many}", "0." + "9" * length]
    want = [float(f"0.{many[:2000]}"), float(f"0.{many[:2000]}"), 0.1, 0.0, 1.0]
    np.testing.assert_array_equal(read(texts)["annotations"]["score"], want)


def test_the_table_of_powers_is_what_its_maker_prints(project_root):
    reading = project_root / "core" / "src" / "reading"
    made = runpy.run_path(str(reading / "make_powers_of_five.py"))["header"]()
    assert (reading / "powers_of_five.hpp").read_text() == made + "\n"
