"""Damaged files are refused as such: no other error comes out, and what ends early never passes."""

import random
import re

import pytest
from helpers.written import small, written

from rapideval import formats
from rapideval.errors import RapidevalError

VALUES = [
    b"null", b"-1", b"1e400", b'"x"', b"[]", b"{}", b"true", b"0", b"99999999999999999999", b'""', b"[[[]]]", b"3.5",
    b"NaN", b'"\\u0000"', b"\xff", b'"\\ud800"',
]  # fmt: skip
TOKEN = re.compile(rb'"[^"\n]*"|-?\d+(?:\.\d+)?|true|null')


def damaged(text, random):
    """The text with a value exchanged, a piece cut out, a byte changed, or a piece doubled."""
    text = bytearray(text)
    kind = random.randrange(4)
    place = random.randrange(len(text))
    if kind == 0:
        token = random.choice(list(TOKEN.finditer(bytes(text))))
        text[token.start() : token.end()] = random.choice(VALUES)
    elif kind == 1:
        del text[place : place + random.randint(1, 30)]
    elif kind == 2:
        text[place] = random.randrange(256)
    else:
        start = random.randrange(len(text))
        text[place:place] = text[start : start + random.randint(1, 40)]
    return bytes(text)


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("name", formats.FORMATS)
def test_a_damaged_file_is_read_or_refused(name, lenient):
    options = {"lenient": True} if lenient and "lenient" in formats.get(name).read_options else {}
    chance = random.Random(name)
    text = written(small(scored=True, outlines=name != "rle"), name)[0]
    refused = 0
    for _ in range(400):
        try:
            formats.read(damaged(text, chance), name, **options)
        except RapidevalError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize("name", [name for name in formats.FORMATS if name != "rle"])
def test_a_file_that_ends_early_is_refused(name):
    text = written(small(), name)[0].rstrip()
    for end in range(0, len(text), 7):
        with pytest.raises(RapidevalError):
            formats.read(text[:end], name)


def test_lines_that_end_early_are_refused_within_the_line():
    lines = written(small(outlines=False), "rle")[0].splitlines(keepends=True)
    whole = b"".join(lines[:-1])
    for end in range(1, len(lines[-1]) - 1, 5):
        with pytest.raises(RapidevalError):
            formats.read(whole + lines[-1][:end], "rle")
