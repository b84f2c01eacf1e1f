"""Image files: found by names, asked for their sizes, laid beside a dataset."""

import os

import numpy as np
import pytest
from PIL import Image

from rapideval import Annotations, Dataset, Images, Labels, Masks, formats, load
from rapideval.errors import InputError, UsageError
from rapideval.formats.picture_files import Found, Pictures, fill_sizes, find_pictures


def picture(path, width=40, height=30):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), (200, 30, 60)).save(path)
    return path


def dataset(names, sizes=None):
    rows = Annotations([0] * len(names), [0] * len(names), [[1, 2, 3, 4]] * len(names))
    return Dataset(Images(names, sizes=sizes), Labels(["cat"]), rows.replace(image=np.arange(len(names))))


@pytest.mark.parametrize(
    ("key", "file"),
    [
        ("a.png", "a.png"),
        ("train/a.png", "train/a.png"),
        ("https://host/x/a.png?signature=1", "a.png"),
        ("https://host/x/a.png", "x/a.png"),
        ("C:\\photos\\a.png", "photos/a.png"),
        ("/somewhere/else/a.png", "a.png"),
        ("a", "a.png"),
        ("train/a", "train/a.PNG"),
        ("a.png", "images/train/a.png"),
        ("train/a.png", "images/train/a.png"),
        ("A b_ü.png", "A b_ü.png"),
    ],
)
def test_a_name_finds_its_file(tmp_path, key, file):
    path = picture(tmp_path / file)
    assert find_pictures(Images([key]), tmp_path).paths == {key: path}


def test_the_file_that_shares_most_of_the_path_is_taken(tmp_path):
    picture(tmp_path / "all" / "val" / "a.png")
    train = picture(tmp_path / "all" / "train" / "a.png")
    assert find_pictures(Images(["train/a.png"]), tmp_path).paths == {"train/a.png": train}
    missing = find_pictures(Images(["test/a.png"]), tmp_path).missing
    assert missing["test/a.png"].startswith("2 files of that name")


def test_one_file_is_never_that_of_two_images(tmp_path):
    path = picture(tmp_path / "a.png")
    found = find_pictures(Images(["train/a.png", "val/a.png"]), tmp_path)
    assert not found.paths
    assert list(found.missing) == ["train/a.png", "val/a.png"]
    assert "fits 2 images" in found.missing["val/a.png"]
    exact = find_pictures(Images(["a.png", "val/a.png"]), tmp_path)
    assert exact.paths == {"a.png": path}
    assert list(exact.missing) == ["val/a.png"]


@pytest.mark.parametrize("key", ["../secret.png", "/../secret.png", "x/../../secret.png", "..\\secret.png", "..", "/"])
def test_nothing_outside_of_the_folder_is_looked_at(tmp_path, key):
    picture(tmp_path / "secret.png")
    (tmp_path / "inside").mkdir()
    assert find_pictures(Images([key]), tmp_path / "inside").missing == {key: "no such file"}


def test_folders_below_are_searched_only_where_asked_for_and_the_first_folder_counts(tmp_path):
    picture(tmp_path / "one" / "deep" / "a.png")
    second = picture(tmp_path / "two" / "a.png")
    folders = [tmp_path / "one", tmp_path / "two"]
    assert find_pictures(Images(["a.png"]), folders[0], search=False).missing
    assert find_pictures(Images(["a.png"]), folders).paths == {"a.png": second}
    first = picture(tmp_path / "one" / "a.png")
    assert find_pictures(Images(["a.png"]), folders).paths == {"a.png": first}


def test_folders_within_each_other_hold_a_file_once(tmp_path):
    path = picture(tmp_path / "images" / "train" / "a.png")
    assert find_pictures(Images(["a.png"]), [tmp_path, tmp_path / "images"]).paths == {"a.png": path}


@pytest.mark.skipif(os.name != "posix", reason="symbolic links")
def test_links_between_folders_are_followed_once(tmp_path):
    path = picture(tmp_path / "far" / "deep" / "a.png")
    (tmp_path / "near").mkdir()
    (tmp_path / "near" / "link").symlink_to(tmp_path / "far")
    (tmp_path / "far" / "round").symlink_to(tmp_path / "far")
    found = find_pictures(Images(["a.png"]), tmp_path / "near").paths["a.png"]
    assert found.resolve() == path


def test_names_that_no_system_allows_are_missing(tmp_path):
    long, null = "x" * 5000, "a\0.png"
    found = find_pictures(Images([long, null]), tmp_path)
    assert set(found.missing) == {long, null}


# --- sizes -----------------------------------------------------------------------------------------


def test_sizes_come_from_heads_and_known_ones_stay(tmp_path):
    path = picture(tmp_path / "a.png", 40, 30)
    path.write_bytes(path.read_bytes()[:60])  # the pixels are cut off: the head is enough
    picture(tmp_path / "b.png", 50, 20)
    data = dataset(["a.png", "b.png"], [[0, 0], [7, 9]])
    filled = fill_sizes(data, find_pictures(data.images, tmp_path))
    assert filled.images.sizes.tolist() == [[30, 40], [7, 9]]
    assert [(note.rule, note.severity, note.count) for note in filled.notes] == [("image-size", "info", 1)]
    assert fill_sizes(filled, Found()) is filled


def test_files_that_are_missing_or_no_images_are_told(tmp_path):
    (tmp_path / "b.png").write_text("not an image")
    data = dataset([f"{letter}.png" for letter in "abcdef"])
    filled = fill_sizes(data, find_pictures(data.images, tmp_path))
    assert not filled.images.sizes_known.any()
    (note,) = filled.notes
    assert (note.rule, note.severity, note.count) == ("image-file", "warning", 6)
    assert "a.png (no such file)" in note.found
    assert "b.png is no image" in note.found
    assert note.found.endswith("and 3 more")


def test_what_is_read_is_told_while_it_goes_on(tmp_path):
    import contextlib

    told = []

    @contextlib.contextmanager
    def watch(what, steps):
        told.append((what, steps))
        yield told.append

    for letter in "abc":
        picture(tmp_path / f"{letter}.png")
    data = dataset(["a.png", "b.png", "c.png"])
    fill_sizes(data, find_pictures(data.images, tmp_path), watch=watch)
    assert told == [("sizes of images", 3), 3]


def test_a_mask_of_another_size_than_its_file_is_refused(tmp_path):
    picture(tmp_path / "a.png", 40, 30)
    rows = Annotations([0], [0], masks=Masks.from_dense(np.ones((1, 40, 30), bool)))
    data = Dataset(Images(["a.png"]), Labels(["cat"]), rows)
    with pytest.raises(InputError, match="height and width look swapped"):
        fill_sizes(data, find_pictures(data.images, tmp_path))


def test_loading_fills_sizes(tmp_path):
    picture(tmp_path / "a.png", 40, 30)
    answer = b'[{"boxes": [[1, 2, 31, 22]], "scores": [0.9], "labels": ["car"]}]'
    loaded = load(answer, images=["a.png"], image_folder=tmp_path)
    assert loaded.dataset.images.sizes.tolist() == [[30, 40]]


# --- laying them down ------------------------------------------------------------------------------


@pytest.fixture
def photographs(tmp_path):
    for name in ("a.png", "x/b.png"):
        picture(tmp_path / "photos" / name)
    return tmp_path / "photos"


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("yolo", ["images/a.png", "images/x/b.png"]),
        ("voc", ["JPEGImages/a.png", "JPEGImages/x/b.png"]),
        ("labelme", ["a.png", "x/b.png"]),
        ("kitti", ["image_2/a.png", "image_2/x/b.png"]),
    ],
)
def test_each_format_has_its_place_for_them(tmp_path, photographs, name, places):
    data = dataset(["a.png", "x/b.png"], [[30, 40]] * 2)
    formats.write(data, tmp_path / "out", name, pictures=Pictures(find_pictures(data.images, photographs), "copy"))
    written = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png")}
    assert written == set(places)
    assert formats.detect(tmp_path / "out")[0].name == name
    assert set(formats.read(tmp_path / "out").images.keys) == {"a.png", "x/b.png"}


@pytest.mark.parametrize("how", ["copy", "link"])
def test_files_lie_where_the_format_looks_for_them(tmp_path, photographs, how):
    data = dataset(["a.png", "x/b.png"], [[30, 40]] * 2)
    pictures = Pictures(find_pictures(data.images, photographs), how)
    assert not formats.write(data, tmp_path / "out", "yolo", pictures=pictures)
    for name in data.images.keys:
        written = tmp_path / "out" / "images" / name
        assert written.read_bytes() == (photographs / name).read_bytes()
        assert written.samefile(photographs / name) == (how == "link")
    assert pictures.laid.copied + pictures.laid.linked == 2
    again = formats.read(tmp_path / "out")
    assert again.images.keys == ("a.png", "x/b.png")
    assert again.images.sizes.tolist() == [[30, 40]] * 2


def test_where_a_hard_link_cannot_be_made_it_is_a_symbolic_one(tmp_path, photographs, monkeypatch):
    def across_file_systems(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", across_file_systems)
    data = dataset(["a.png"], [[30, 40]])
    pictures = Pictures(find_pictures(data.images, photographs), "link")
    formats.write(data, tmp_path / "out", "yolo", pictures=pictures)
    assert pictures.laid.symbolic == 1
    assert (tmp_path / "out" / "images" / "a.png").resolve() == photographs / "a.png"


def test_missing_files_are_a_loss(tmp_path, photographs):
    data = dataset(["a.png", "c.png"], [[30, 40]] * 2)
    pictures = Pictures(find_pictures(data.images, photographs), "copy")
    lost = formats.write(data, tmp_path / "out", "yolo", pictures=pictures)
    assert lost.counts() == {"missing_files": 1, "image_sizes": 1}
    assert "c.png (no such file)" in str(lost)


def test_two_images_never_share_a_file(tmp_path):
    found = Found({name: picture(tmp_path / name) for name in ("one/a.png", "two/a.png")})
    pictures = Pictures(Found({"a.png": found.paths["one/a.png"], "A.png": found.paths["two/a.png"]}), "copy")
    with pytest.raises(UsageError, match=r"the images 'a\.png' and 'A\.png' would share"):
        pictures.lay(tmp_path / "out", Images(["a.png", "A.png"]), ["images/a.png", "images/A.png"])


def test_a_file_of_the_format_is_not_written_over(tmp_path, photographs):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_bytes(b"a mask")
    pictures = Pictures(find_pictures(Images(["a.png"]), photographs), "copy")
    with pytest.raises(UsageError, match="which is of the format"):
        pictures.lay(tmp_path / "out", Images(["a.png"]), ["a.png"])
    with pytest.raises(UsageError, match="outside of its folder"):
        pictures.lay(tmp_path / "out", Images(["a.png"]), ["../a.png"])


def test_a_format_that_is_one_file_has_no_place_for_them(tmp_path, photographs):
    pictures = Pictures(find_pictures(Images(["a.png"]), photographs), "copy")
    with pytest.raises(UsageError, match=r"coco is one file, .* those of yolo.* are written as folders"):
        formats.write(dataset(["a.png"]), tmp_path / "out.json", "coco", pictures=pictures)
    assert not (tmp_path / "out.json").exists()
    with pytest.raises(UsageError, match="expected copy or link"):
        Pictures(Found(), "move")
