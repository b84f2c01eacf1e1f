"""Image files of a dataset: found by the images' names, asked for their sizes, put beside a dataset that is written."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np

from rapideval.errors import Problem, UsageError
from rapideval.formats.capabilities import Loss, Losses, plural
from rapideval.formats.common.documents import inside
from rapideval.formats.common.names import PICTURES, safe_path
from rapideval.formats.common.pictures import picture_beside, picture_sizes
from rapideval.model import Dataset, Images

__all__ = ["Found", "Laid", "Pictures", "Watch", "fill_sizes", "find_pictures", "picture_paths"]

Method: TypeAlias = Literal["copy", "link"]

Watch: TypeAlias = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""Told what is done and of how many steps; what it gives is told how many of them are over."""

_THREADS = 8
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Found:
    """Image files by the images' keys.

    Attributes
    ----------
    paths
        Where the file of an image is.
    missing
        Images without one, and why.
    """

    paths: dict[str, Path] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def only(self, images: Images) -> Found:
        """The same of some of the images."""
        kept = set(images.keys)
        return Found(
            {key: path for key, path in self.paths.items() if key in kept},
            {key: why for key, why in self.missing.items() if key in kept},
        )

    def describe_missing(self) -> str:
        """The first images without a file, with why."""
        shown = [f"{key} ({why})" for key, why in list(self.missing.items())[:_NAMED]]
        return ", ".join(shown) + (f" and {len(self.missing) - _NAMED:,} more" if len(self.missing) > _NAMED else "")


# --- finding ---------------------------------------------------------------------------------------


def find_pictures(
    images: Images, folders: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], *, search: bool = True
) -> Found:
    """Find the files of images by their names.

    An image is looked for under its name, path or address, without its first parts where it is not there
    (``https://host/x/a.jpg``: ``host/x/a.jpg``, ``x/a.jpg``, ``a.jpg``); then among all files of the folders, by as
    many of the last parts as possible; a name without a suffix is found with any. Nothing outside of the folders is
    looked at, whatever a name says. Where several files fit equally, or one fits several images by parts of their
    names only, none is taken.

    Parameters
    ----------
    images
        Whose names are looked for.
    folders
        Where, the first before the others.
    search
        Also in all folders below.

    Examples
    --------
    >>> find_pictures(Images(["a.jpg"]), "no-such-folder").missing
    {'a.jpg': 'no such file'}
    """
    roots = [Path(root) for root in ([folders] if isinstance(folders, str | os.PathLike) else folders)]
    found = Found()
    shortened: dict[str, Path] = {}  # by less than the whole name
    index: _Index | None = None
    for key in dict.fromkeys(images.keys):
        parts = _parts(key)
        path, whole = _straight(roots, parts)
        if path is None and search:
            index = index or _Index(roots)
            path, why = index.find(parts)
        else:
            why = "no such file"
        if path is None:
            found.missing[key] = why
        elif whole:
            found.paths[key] = path
        else:
            shortened[key] = path
    taken = Counter([*found.paths.values(), *shortened.values()])
    for key, path in shortened.items():
        if taken[path] == 1:
            found.paths[key] = path
        else:
            found.missing[key] = f"{path} fits {taken[path]} images"
    order = {key: place for place, key in enumerate(images.keys)}
    return Found(found.paths, dict(sorted(found.missing.items(), key=lambda item: order[item[0]])))


def _parts(key: str) -> tuple[str, ...]:
    """Parts of a path or an address; none that leads out of a folder."""
    if "://" in key:
        key = key.split("://", 1)[1].split("?", 1)[0].split("#", 1)[0]
    parts = key.replace("\\", "/").split("/")
    return tuple(part for part in parts if part not in ("", ".", "..") and not part.endswith(":") and "\0" not in part)


def _straight(roots: Iterable[Path], parts: tuple[str, ...]) -> tuple[Path | None, bool]:
    """The file of a name or of the end of it, and whether of the whole of it."""
    for start in range(len(parts)):
        for root in roots:
            path = root.joinpath(*parts[start:])
            with contextlib.suppress(OSError):  # a name that is too long
                if path.is_file():
                    return path, start == 0
                if path.suffix.lower() not in PICTURES:
                    beside = picture_beside(path, PICTURES)
                    if beside is not None:
                        return beside, start == 0
    return None, False


class _Index:
    """All picture files below some folders, by their names."""

    def __init__(self, roots: Iterable[Path]) -> None:
        self._by_name: dict[str, list[tuple[Path, tuple[str, ...]]]] = {}
        seen: set[tuple[int, int]] = set()
        for root in roots:
            for path in _below(root, seen):
                parts = path.relative_to(root).parts
                for name in (path.name, path.stem):
                    self._by_name.setdefault(name, []).append((path, parts))

    def find(self, parts: tuple[str, ...]) -> tuple[Path | None, str]:
        """The file that shares most of the last parts; None, and why, where there is none or no best."""
        fitting = self._by_name.get(parts[-1], []) if parts else []
        if not fitting:
            return None, "no such file"
        shared = [_shared(parts, found) for _, found in fitting]
        best = [path for (path, _), count in zip(fitting, shared, strict=True) if count == max(shared)]
        if len(best) > 1:
            return None, f"{len(best)} files of that name: {best[0]}, {best[1]}"
        return best[0], ""


def _shared(wanted: tuple[str, ...], found: tuple[str, ...]) -> int:
    """How many parts before the last are the same."""
    count = 0
    for one, other in zip(reversed(wanted[:-1]), reversed(found[:-1]), strict=False):
        if one != other:
            break
        count += 1
    return count


def _below(root: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    """Picture files of a folder and all below it, also through links to folders; no folder that was seen."""
    if root.resolve() == Path(root.resolve().anchor):
        return  # the whole disk: names are looked for as they stand, and no further
    for place, folders, names in os.walk(root, followlinks=True):
        status = os.stat(place)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if os.path.splitext(name)[1].lower() in PICTURES:
                yield Path(place, name)


# --- sizes -----------------------------------------------------------------------------------------


def fill_sizes(dataset: Dataset, found: Found, *, watch: Watch | None = None) -> Dataset:
    """Give the images whose size is not known that of their files; only the heads of the files are read.

    Parameters
    ----------
    dataset
        Sizes that it knows stay as they are.
    found
        The files; see `find_pictures`.

    Returns
    -------
    Dataset
        A note says how many sizes were read, a warning which files are missing or are no images.

    Raises
    ------
    InputError
        Where a mask is of another size than the file of its image.
    """
    images = dataset.images
    unknown = np.flatnonzero(~images.sizes_known).tolist()
    if not unknown:
        return dataset
    keys = [images.key(place) for place in unknown]
    paths = [found.paths.get(key) for key in keys]
    with watch("sizes of images", len(paths)) if watch else contextlib.nullcontext() as advance:
        read = picture_sizes(paths, _THREADS, advance)
    sizes = images.sizes.copy()
    unread = Found()
    for place, key, path, size in zip(unknown, keys, paths, read, strict=True):
        if size is not None:
            sizes[place] = size
        else:
            unread.missing[key] = found.missing.get(key, "no file") if path is None else f"{path} is no image"
    filled = len(unknown) - len(unread.missing)
    notes = list(dataset.notes)
    if filled:
        notes.append(Problem("image-size", "images", "sizes read from the heads of files", "", "", "info", filled))
    if unread.missing:
        what, expected = f"no size of {unread.describe_missing()}", "image files, to know the sizes"
        notes.append(Problem("image-file", "images", what, expected, "", "warning", len(unread.missing)))
    return dataset.replace(images=images.with_sizes(sizes), notes=notes)


# --- putting them beside a dataset -----------------------------------------------------------------


def picture_paths(images: Images) -> list[str]:
    """Where image files go in the folder of a format that says nothing of it: under their names in ``images/``.

    Examples
    --------
    >>> picture_paths(Images(["a.jpg", "../b.png"]))
    ['images/a.jpg', 'images/_/b.png']
    """
    return [f"images/{safe_path(key)}" for key in images.keys]


@dataclass(frozen=True, slots=True)
class Laid:
    """What became of the image files.

    Attributes
    ----------
    copied, linked, symbolic
        How many were copied, share their content by a hard link, or are symbolic links, as a hard link could not be
        made (across file systems, for instance).
    """

    copied: int = 0
    linked: int = 0
    symbolic: int = 0


class Pictures:
    """Image files to put into the folder that is written.

    Parameters
    ----------
    found
        The files; see `find_pictures`.
    how
        ``"copy"``, or ``"link"``: hard links, symbolic ones where those cannot be made.
    watch
        Is told how far it is.

    Attributes
    ----------
    laid
        What became of them, once the folder is written.
    """

    def __init__(self, found: Found, how: Method, *, watch: Watch | None = None) -> None:
        if how not in get_args(Method):
            raise UsageError(f"image files {how!r}: expected copy or link")
        self.found = found
        self.how = how
        self.laid: Laid | None = None
        self._watch = watch

    def losses(self, lost: Losses, images: Images) -> Losses:
        """What a format loses where image files lie beside it: those that are missing; sizes only of their images."""
        missing = self.found.only(images)
        count = len(missing.missing)
        kept = [loss for loss in lost if loss.kind != "image_sizes"]
        if len(kept) < len(lost):
            unsaid = sum(1 for image in images if image.height and image.key not in missing.paths)
            kept.append(Loss("image_sizes", unsaid, f"the sizes of {plural(unsaid, 'image')}"))
        files = Loss("missing_files", count, f"the files of {plural(count, 'image')}: {missing.describe_missing()}")
        return Losses([*kept, files])

    def lay(self, folder: Path, images: Images, paths: Sequence[str]) -> None:
        """Put the files of images into a folder, under these paths; a path without suffix gets that of the file.

        Raises
        ------
        UsageError
            Where two images would share a file, or a file of the format has its path.
        """
        targets = self._targets(folder, images, paths)
        for parent in {target.parent for target in targets}:
            parent.mkdir(parents=True, exist_ok=True)
        place = _copy if self.how == "copy" else _link
        counts = Counter[str]()
        with (
            ThreadPoolExecutor(_THREADS) as pool,
            self._watch("image files", len(targets)) if self._watch else contextlib.nullcontext() as advance,
        ):
            for kind in pool.map(place, targets.values(), targets):
                counts[kind] += 1
                if advance is not None:
                    advance(1)
        self.laid = Laid(**counts)

    def _targets(self, folder: Path, images: Images, paths: Sequence[str]) -> Mapping[Path, Path]:
        """Path of the file to come -> path of the file there is."""
        targets: dict[Path, Path] = {}
        owners: dict[str, str] = {}
        for key, below in zip(images.keys, paths, strict=True):
            path = self.found.paths.get(key)
            if path is None:
                continue
            suffixed = os.path.splitext(below)[1].lower() in PICTURES
            target = inside(folder, below if suffixed else below + path.suffix)
            other = owners.setdefault(str(target).lower(), key)  # some systems do not tell upper from lower case
            if other != key:
                raise UsageError(f"the images {other!r} and {key!r} would share the file {below!r}: rename one of them")
            if target.exists():
                raise UsageError(f"the file of image {key!r} would be written over {below!r}, which is of the format")
            targets[target] = path
        return targets


def _copy(path: Path, target: Path) -> str:
    import shutil

    shutil.copyfile(path, target)
    return "copied"


def _link(path: Path, target: Path) -> str:
    file = path.resolve()  # not a link to a link
    try:
        os.link(file, target)
    except OSError:
        os.symlink(file, target)
        return "symbolic"
    return "linked"
