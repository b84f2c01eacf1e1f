"""The API key: where it comes from, and that nothing shows it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import os
import stat
from pathlib import Path
from typing import NoReturn

from rapideval.errors import UsageError
from rapideval.payloads.redact import redact

__all__ = ["KEY_VARIABLE", "ApiKey", "KeyFilter", "read_key", "read_key_file"]

#: Environment variable that holds the key.
KEY_VARIABLE = "SCALE_API_KEY"

_LONGEST_KEY = 4096

_log = logging.getLogger(__name__)


class ApiKey:
    """An API key that no message, log, repr, pickle or traceback shows.

    Its text leaves through :meth:`authorization` alone, the value of the header that carries it.

    Examples
    --------
    >>> key = ApiKey("live_0123456789abcdef")
    >>> key, f"{key}", str(key)
    (ApiKey(***), '***', '***')
    >>> key.redact("no access for live_0123456789abcdef")
    'no access for ***'
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        fault = _fault(text)
        if fault:
            raise UsageError(f"the API key {fault}")
        self.__text = text

    def authorization(self) -> str:
        """Value of the Authorization header: the key as user name, with an empty password."""
        return "Basic " + base64.b64encode(f"{self.__text}:".encode()).decode("ascii")

    def same_as(self, given: str) -> bool:
        """Whether it is this key; takes as long whatever is given."""
        mine, theirs = (hashlib.sha256(text.encode("utf-8", "surrogatepass")) for text in (self.__text, given))
        return hmac.compare_digest(mine.digest(), theirs.digest())

    def redact(self, text: str) -> str:
        """Take this key, anything that looks like one, and credentials out of a text."""
        for secret in (self.__text, self.authorization().removeprefix("Basic ")):
            text = text.replace(secret, "***")
        return redact(text)

    def write(self, path: Path) -> None:
        """Write it to a new file that only its owner can read."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(self.__text + "\n")

    def reveal(self) -> str:
        """The key itself, for the one place that must show it: a key that was just made for a local endpoint."""
        return self.__text

    def __repr__(self) -> str:
        return "ApiKey(***)"

    def __str__(self) -> str:
        return "***"

    def __format__(self, specification: str) -> str:
        return format("***", specification)

    def __reduce__(self) -> NoReturn:
        raise TypeError("an ApiKey is not pickled")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ApiKey) and self.same_as(other.__text)

    __hash__ = None  # type: ignore[assignment]


class KeyFilter(logging.Filter):
    """Takes the key out of every record that passes a handler, its arguments and its traceback included."""

    def __init__(self, key: ApiKey) -> None:
        super().__init__()
        self._key = key
        self._formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record in place; every record passes."""
        record.msg = self._key.redact(record.getMessage())
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        record.exc_info = None
        if record.exc_text:
            record.exc_text = self._key.redact(record.exc_text)
        return True


def read_key(path: Path | None = None) -> ApiKey:
    """The key from a file, or from the environment variable ``SCALE_API_KEY``.

    Raises
    ------
    UsageError
        Where there is none, or it cannot be one.
    """
    if path is not None:
        return read_key_file(path)
    text = os.environ.get(KEY_VARIABLE, "").strip()
    if not text:
        raise UsageError(f"no API key: set {KEY_VARIABLE}, or name a file that holds it with --key-file")
    return ApiKey(text)


def read_key_file(path: Path) -> ApiKey:
    """The key that a file holds, on a line of its own.

    Raises
    ------
    UsageError
        Where the file cannot be read, or holds something else. That others may read it is logged as a warning:
        secrets mounted into a container are readable by all that run in it.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(_LONGEST_KEY + 1)
    except OSError as error:
        raise UsageError(f"the key file {path} cannot be read: {error.strerror}") from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        _log.warning("the key file %s can be read by others (mode %03o): chmod 600 %s", path, stat.S_IMODE(mode), path)
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        text = "\n"
    if _fault(text):
        raise UsageError(
            f"the key file {path} should hold the API key alone, on one line: what it holds {_fault(text)}"
        )
    return ApiKey(text)


def _fault(text: str) -> str:
    """What keeps a text from being a key; never the text itself."""
    if not text:
        return "is empty"
    if len(text) > _LONGEST_KEY:
        return f"is longer than {_LONGEST_KEY} characters"
    if any(character.isspace() or not character.isprintable() for character in text):
        return "has blanks or control characters in it"
    if ":" in text:
        return "has a colon in it, which Basic authentication cannot carry"
    return ""
