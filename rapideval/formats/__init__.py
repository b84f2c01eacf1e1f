"""Files of the ecosystem to and from `Dataset`; one module a format, behind one registry."""

from rapideval.formats.capabilities import Capabilities, Loss, Losses
from rapideval.formats.files import Source, whole_file, whole_folder
from rapideval.formats.registry import FORMATS, Format, Guess, by_suffix, detect, get, losses, read, write

__all__ = [
    "FORMATS",
    "Capabilities",
    "Format",
    "Guess",
    "Loss",
    "Losses",
    "Source",
    "by_suffix",
    "detect",
    "get",
    "losses",
    "read",
    "whole_file",
    "whole_folder",
    "write",
]
