"""The registry finds, names and loads formats, and refuses what it does not know."""

import subprocess
import sys

import pytest

from rapideval import Annotations, Dataset, Images, Labels, formats
from rapideval.errors import FormatError, UsageError
from rapideval.formats.registry import _KNOWN


@pytest.mark.parametrize("name", formats.FORMATS)
def test_what_the_registry_says_without_loading_is_what_the_format_says(name):
    known = formats.get(name)
    assert known.name == name
    assert known.suffixes == _KNOWN[name][1]
    assert known.title
    assert known.capabilities.convention
    assert known.capabilities.specification


def test_formats_are_loaded_when_they_are_needed():
    code = "import sys, rapideval.formats; print([m for m in sys.modules if m.startswith('rapideval.formats.coco')])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


def test_an_unknown_format_is_refused_with_the_nearest_names():
    with pytest.raises(UsageError, match="no format 'cocoo': did you mean coco"):
        formats.get("cocoo")


def test_unknown_options_are_refused_with_those_there_are():
    with pytest.raises(UsageError, match="coco has no option 'mood' to read: there are extras, lenient, label_base"):
        formats.read(b"[]", "coco", mood=1)
    data = Dataset(Images(), Labels(), Annotations.empty())
    with pytest.raises(UsageError, match="coco has no option 'mood' to write: there are rle"):
        formats.write(data, "x.json", "coco", mood=1)


def test_content_that_is_no_known_format_is_refused_with_its_beginning():
    with pytest.raises(FormatError, match=r"<bytes>: found 'hello', expected one of the formats coco.*format-unknown"):
        formats.detect(b"hello")
    with pytest.raises(FormatError, match="an empty file"):
        formats.detect(b"")


def test_a_suffix_that_several_formats_have_needs_a_name():
    data = Dataset(Images(), Labels(), Annotations.empty())
    with pytest.raises(UsageError, match="which format"):
        formats.write(data, "x.json")
