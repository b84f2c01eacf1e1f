"""Names that patterns choose: ``*`` for any text, ``?`` for one character, ``[ab]`` for one of some."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from rapideval.errors import UsageError

__all__ = ["chosen_names", "is_pattern"]


def is_pattern(text: str) -> bool:
    """Whether a name has characters that stand for others."""
    return any(character in text for character in "*?[")


def chosen_names(
    names: Sequence[str], patterns: Sequence[str], option: str, *, what: str, by_tail: bool = False
) -> set[str]:
    """Names that one of the patterns fits; a name that is there is meant as it stands, whatever characters it has.

    Parameters
    ----------
    names
        Those there are.
    patterns
        What is looked for.
    option
        Where the patterns come from, for messages.
    what
        What the names are of, for messages.
    by_tail
        A pattern without ``/`` may also fit the last part of a path or address.

    Raises
    ------
    UsageError
        For a pattern that fits none, with the nearest names: nothing would be chosen, and nobody be told.
    """
    known, chosen = set(names), set()
    for pattern in patterns:
        if pattern in known:
            chosen.add(pattern)
            continue
        fits = _tail_fits if by_tail and "/" not in pattern else fnmatchcase
        found = {name for name in known if fits(name, pattern)}
        if not found:
            raise UsageError(f"{option} {pattern!r}: there is no such {what}{_near(pattern, names, by_tail)}")
        chosen |= found
    return chosen


def _tail_fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or fnmatchcase(name.rsplit("/", 1)[-1], pattern)


def _near(pattern: str, names: Sequence[str], by_tail: bool) -> str:
    from difflib import get_close_matches

    tail: Callable[[str], str] = (lambda name: name.rsplit("/", 1)[-1]) if by_tail else str
    written = {tail(name).lower(): name for name in names}
    near = [written[key] for key in get_close_matches(pattern.lower(), written, n=3)]
    if near:
        return f"; did you mean {' or '.join(map(repr, near))}?"
    shown = ", ".join(map(repr, names[:5])) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
    return f"; there are {shown}" if names else "; there are none"
