"""Text tables: alignment, width, what a label cannot do to a terminal."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapideval.errors import Problem
from rapideval.report.text import Column, Page, clean, number, percent, spark, width_of

COLUMNS = [Column("label", "<", shrink=True, keep=9), Column("AP", keep=5), Column("objects", keep=1)]


def test_a_table_aligns_text_left_and_numbers_right():
    assert Page().table(COLUMNS, [["cat", "0.512", "1,204"], ["bird", "–", "3"]]).split("\n") == [
        "  label     AP  objects",
        "  ─────────────────────",
        "  cat    0.512    1,204",
        "  bird       –        3",
    ]


def test_wide_letters_keep_the_columns_aligned():
    lines = Page().table(COLUMNS, [["猫", "1", "2"], ["e\u0301", "1", "2"]]).split("\n")
    assert {width_of(line) for line in lines} == {width_of(lines[1])}


def test_a_narrow_page_cuts_labels_before_it_leaves_out_columns():
    page = Page(width=40)
    table = page.table(COLUMNS, [["a very long label that would not fit into the page", "0.5", "1,204"]])
    assert max(map(width_of, table.split("\n"))) <= 40
    assert "…" in table
    assert "objects" in table


def test_a_page_too_narrow_leaves_out_what_is_least_kept_and_says_so():
    table = Page(width=24).table(COLUMNS, [["a very long label", "0.512", "1,204,000,000"]])
    assert table.split("\n")[-1].strip() == "not shown for want of width: objects"
    assert "0.512" in table


def test_a_page_without_unicode_gets_ascii():
    table = Page(unicode=False).table(COLUMNS, [["cat", "–", "1"]])
    assert table.isascii()


@given(st.text(), st.integers(1, 60))
def test_no_text_leaves_its_column_or_line(text, width):
    table = Page(width=width).table(COLUMNS, [[text, "1", "2"]])
    assert len(table.split("\n")) in (3, 4)
    assert not any(character in table for character in "\x1b\r\x9b\u202e")


@given(st.text())
def test_clean_text_stays_in_its_line_and_is_clean_already(text):
    shown = clean(text)
    assert clean(shown) == shown
    assert len(shown.splitlines()) <= 1
    shown.encode()


def test_marks_take_no_width_and_only_colour_pages_have_them():
    page = Page(color=True)
    assert page.mark("x", "error") == "\x1b[1;31mx\x1b[0m"
    assert width_of(page.mark("x", "error")) == 1
    assert Page().mark("x", "error") == "x"


def test_many_problems_are_shown_up_to_a_limit_and_counted():
    problems = [Problem(f"rule-{row % 2}", f"$[{row}]", "3", "4") for row in range(14)]
    text = Page().problems(problems, total=20)
    assert text.count("error[") == 10
    assert text.split("\n")[-1] == "and 2 × rule-0, 2 × rule-1, 6 that are not listed"


@pytest.mark.parametrize(("severity", "sign"), [("error", "error["), ("warning", "warning["), ("info", "note[")])
def test_problems_begin_with_their_severity(severity, sign):
    assert Page().problems([Problem("r", "w", "f", severity=severity)]).startswith(sign)


def test_long_hints_are_wrapped_into_their_column():
    text = Page(width=50).problems([Problem("r", "w", "f", hint="many words " * 12)])
    lines = text.split("\n")
    assert max(map(len, lines)) <= 50
    assert all(line.startswith(" " * 9) for line in lines[3:])


def test_the_page_of_a_file_has_no_width_and_no_colour():
    page = Page.of(io.StringIO())
    assert page.width is None
    assert not page.color


def test_the_page_of_a_latin_file_is_ascii():
    assert not Page.of(io.TextIOWrapper(io.BytesIO(), encoding="latin-1")).unicode


def test_undefined_numbers_are_dashes():
    assert [number(float("nan")), number(None), number(1234.5, 1), percent(float("nan")), percent(0.123)] == [
        "–",
        "–",
        "1,234.5",
        "–",
        "12.3 %",
    ]


def test_bars_show_something_wherever_there_is_something():
    assert spark([]) == ""
    assert spark([0, 0]) == "  "
    assert spark([0, 1, 1000]) == " ▁█"
