"""Files in and out: read whole, written whole or not at all, compressed or not, or the standard streams."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from rapideval.errors import FormatError, InputError, Problem

__all__ = ["Source", "Writable", "whole_file", "whole_folder"]

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
STREAM = "-"


class Writable(Protocol):
    """What writers write to."""

    def write(self, data: bytes | memoryview, /) -> object:
        """Append these bytes."""


class Source:
    """What a reader reads: a file, a folder, the standard input (``-``), an open binary stream, or bytes.

    Attributes
    ----------
    name
        What messages call it.
    path
        Where it is; None for streams and bytes.
    suffix
        Of the content, in lower case: ``.json`` for ``a.JSON.gz``.
    compression
        ``"gzip"``, ``"zstd"`` or None, by the suffix.
    shape
        Keys that the beginning shows, once `json_shape` has looked.
    """

    def __init__(self, source: str | os.PathLike[str] | bytes | BinaryIO, name: str | None = None) -> None:
        self._data: bytes | None = None
        self._listed: list[tuple[str, str]] | None = None
        self.shape: dict[str, set[str]] | None = None
        self.path: Path | None = None
        if isinstance(source, bytes):
            self._data = source
            self.name = name or "<bytes>"
        elif isinstance(source, str | os.PathLike) and os.fspath(source) != STREAM:
            self.path = Path(source)
            self.name = name or str(self.path)
        else:
            self._stream = sys.stdin.buffer if isinstance(source, str | os.PathLike) else source
            self.name = name or ("<stdin>" if self._stream is sys.stdin.buffer else "<stream>")
        suffixes = [suffix.lower() for suffix in Path(self.name).suffixes]
        self.compression = COMPRESSIONS.get(suffixes[-1]) if suffixes else None
        if self.compression:
            suffixes.pop()
        self.suffix = suffixes[-1] if suffixes else ""

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.path is not None and self.path.is_dir()

    def listed(self) -> list[tuple[str, str]]:
        """Paths of all files of a folder, in order, and their suffixes; walked once. Hidden ones are passed over."""
        if self._listed is None:
            assert self.path is not None
            self._listed = list(_walk(os.fspath(self.path)))
        return self._listed

    def data(self) -> bytes:
        """All of it, decompressed."""
        if self._data is None:
            if self.path is None:
                self._data = self._stream.read()
            else:
                with readable(self.path):
                    raw = self.path.read_bytes()
                self._data = decompress(raw, self.compression, self.name) if self.compression else raw
        return self._data

    def head(self, length: int = 16384) -> bytes:
        """The first bytes, decompressed."""
        if self._data is None and self.path is not None and not self.compression:
            with readable(self.path), self.path.open("rb") as file:
                return file.read(length)
        return self.data()[:length]

    def for_core(self) -> str | bytes:
        """What the kernels' readers take: the path of a plain file, which they map, else the bytes."""
        if self._data is None and self.path is not None and not self.compression:
            with readable(self.path), self.path.open("rb"):
                if stat.S_ISREG(self.path.stat().st_mode):
                    return str(self.path)
        return self.data()

    def __repr__(self) -> str:
        return f"Source({self.name})"


def _walk(folder: str) -> Iterator[tuple[str, str]]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield os.path.join(place, name), os.path.splitext(name)[1].lower()


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what the system says of a path into an error a user understands."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(Problem("file-missing", str(path), "no such file", "a file")) from None
    except IsADirectoryError:
        raise InputError(Problem("file-folder", str(path), "a folder", "a file")) from None
    except PermissionError:
        raise InputError(
            Problem("file-unreadable", str(path), "a file that may not be read", "read permission")
        ) from None


def decompress(data: bytes, compression: str, name: str) -> bytes:
    """Bytes of a gzip or zstd file."""
    import zlib

    try:
        if not data:
            raise EOFError("there are none")
        if compression == "gzip":
            import gzip

            return gzip.decompress(data)
        import pyarrow as pa

        with pa.input_stream(pa.BufferReader(data), compression=compression) as stream:
            unpacked: bytes = stream.read()
            return unpacked
    except (OSError, EOFError, zlib.error) as error:
        problem = Problem(
            "file-compression", name, f"bytes that are not {compression} ({error})", f"a {compression} file"
        )
        raise FormatError(problem) from None


@contextlib.contextmanager
def _compressed(file: BinaryIO, compression: str | None) -> Iterator[Writable]:
    if compression == "gzip":
        import gzip

        # No name and no time: the same content gives the same bytes.
        with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
            yield packed
    elif compression:
        import pyarrow as pa

        whole = io.BytesIO()
        yield whole
        file.write(pa.compress(whole.getvalue(), compression, asbytes=True))
    else:
        yield file


@contextlib.contextmanager
def whole_file(target: str | os.PathLike[str] | BinaryIO) -> Iterator[Writable]:
    """A file that appears whole, when the block ends well, or stays as it was.

    Bytes go to a temporary file in the same folder, which is flushed to the disk and renamed. ``-`` is the standard
    output; a device or pipe is written directly. ``.gz`` and ``.zst`` are compressed.
    """
    if not isinstance(target, str | os.PathLike):
        yield target
        return
    if os.fspath(target) == STREAM:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(target)
    compression = COMPRESSIONS.get(path.suffix.lower())
    path = path.resolve()  # a symbolic link stays one
    if path.is_dir():
        raise InputError(Problem("file-folder", str(target), "a folder", "the name of a file to write"))
    if not path.parent.is_dir():
        raise InputError(Problem("folder-missing", str(path.parent), "no such folder", "a folder to write into"))
    if path.exists() and not path.is_file():
        with path.open("wb") as file, _compressed(file, compression) as stream:
            yield stream
        return
    handle, temporary = _temporary_file(path)
    try:
        with os.fdopen(handle, "wb") as file:
            with _compressed(file, compression) as stream:
                yield stream
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _mode(path))
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_folder(path.parent)


def check_new_folder(target: str | os.PathLike[str]) -> None:
    """Refuse a folder that is to be written and has something in it, or is none."""
    path = Path(target)
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise InputError(
            Problem("folder-exists", str(target), "something that is there already", "a new or empty folder")
        )


@contextlib.contextmanager
def whole_folder(target: str | os.PathLike[str]) -> Iterator[Path]:
    """A new folder that appears whole, when the block ends well, or not at all.

    Raises
    ------
    InputError
        Where the target exists and is not an empty folder: nothing is ever written over.
    """
    check_new_folder(target)
    path = Path(target).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    import tempfile

    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    try:
        yield temporary
        _flush(temporary)
        temporary.chmod(0o777 & ~_umask())
        if path.exists():
            path.rmdir()
        temporary.rename(path)
    except BaseException:
        import shutil

        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _sync_folder(path.parent)


_MOST_FLUSHED = 64


def _flush(folder: Path) -> None:
    """Have the disk keep the files of a folder, where they are few.

    Each waits for the disk: of thousands that takes longer than all else, and no tool waits for it. The folder still
    appears whole or not at all, whatever becomes of the process; the disk has it when the system writes it back.
    """
    paths = [os.path.join(place, name) for place, _, names in os.walk(folder) for name in names]
    if len(paths) > _MOST_FLUSHED:
        return
    for path in paths:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_nlink == 1:  # what is only linked lies on the disk already
                os.fsync(file.fileno())


def _temporary_file(path: Path) -> tuple[int, str]:
    try:
        import tempfile

        return tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except PermissionError:
        raise InputError(
            Problem("folder-unwritable", str(path.parent), "a folder that may not be written to", "write permission")
        ) from None


def _mode(path: Path) -> int:
    """Permissions of the file that is replaced, or those a new file would get."""
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
