"""Folders, tables and pictures as people bring them, one generated input per kind: what is read, and what is told."""

import csv
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from zoo import images
from zoo.data import archives, datasets
from zoo.errors import DatasetUnavailable

COUNT = 20


def shade(index: int, mode: str = "L") -> Image.Image:
    """A picture of 12×12 that no other index has."""
    pixels = np.full((12, 12), 10 * index, np.uint8)
    pixels[3:6, 2:9] = 255 - 10 * index
    return Image.fromarray(pixels).convert(mode)


def encoded(picture: Image.Image, form: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def put(path: Path, content: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def cats_and_dogs(folder: Path, form: str = "PNG", suffix: str = "png", mode: str = "L") -> None:
    for index in range(COUNT):
        put(folder / ("cats", "dogs")[index % 2] / f"{index}.{suffix}", encoded(shade(index, mode), form))


def heic(picture: Image.Image) -> bytes:
    plugin = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    plugin.from_pillow(picture.convert("RGB").resize((64, 64))).save(buffer, quality=90)
    return buffer.getvalue()


def mpo(*pictures: Image.Image) -> bytes:
    return encoded(pictures[0].convert("RGB"), "MPO", save_all=True, append_images=[p.convert("RGB") for p in pictures])


def table(folder: Path, columns: dict, features: dict | None = None, part: str = "train", **options) -> None:
    """A parquet file, with the types that the Hub's `datasets` library declares."""
    found = pa.table(columns)
    if features:
        info = {"info": {"features": {name: {"_type": kind} for name, kind in features.items()}}}
        found = found.replace_schema_metadata({"huggingface": json.dumps(info)})
    path = folder / "data" / f"{part}-00000-of-00001.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(found, path, **options)


def cells(pictures: list[bytes | None]) -> list[dict | None]:
    return [{"bytes": content, "path": "x"} for content in pictures]


def shades(mode: str = "L", form: str = "PNG") -> list[bytes]:
    return [encoded(shade(index, mode), form) for index in range(COUNT)]


def labelled(folder: Path, labels) -> None:
    table(folder, {"image": cells(shades()), "label": labels})


# Folders


def hidden_folders(folder):
    cats_and_dogs(folder)
    for name in (".ipynb_checkpoints", "__MACOSX/cats", ".Trash-1000/files", "@eaDir"):
        put(folder / name / "0.png", encoded(shade(9)))


def resource_forks(folder):
    cats_and_dogs(folder)
    for index in range(0, COUNT, 2):
        put(folder / "cats" / f"._{index}.png", b"\0\5\x16\7")


def broken_jpeg(folder):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    for index in range(COUNT):
        content = encoded(Image.fromarray(np.roll(noise, index)), "JPEG")
        put(folder / ("cats", "dogs")[index % 2] / f"{index}.jpg", content[: len(content) // 2 if index == 4 else None])


def empty_file(folder):
    cats_and_dogs(folder)
    put(folder / "cats" / "4.png", b"")


def text_named_png(folder):
    cats_and_dogs(folder)
    put(folder / "dogs" / "notes.png", "these are my dogs")


def folder_named_like_a_picture(folder):
    cats_and_dogs(folder)
    (folder / "cats" / "old.png").mkdir()


def metadata_csv(folder):
    rows = [["file_name", "label"]]
    for index in range(COUNT):
        put(folder / f"{index}.png", encoded(shade(index)))
        rows.append([f"{index}.png", ("cats", "dogs")[index % 2]])
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    put(folder / "metadata.csv", "\ufeff" + buffer.getvalue())


def metadata_in_splits(folder):
    for part, first, last in (("train", 0, 12), ("test", 12, COUNT)):
        lines = [f"images/{index}.png,{('cats', 'dogs')[index % 2]},4.2" for index in range(first, last)]
        put(folder / part / "metadata.csv", "\n".join(["file_name,category,weight", *lines]))
        for index in range(first, last):
            put(folder / part / "images" / f"{index}.png", encoded(shade(index)))


def metadata_jsonl(folder):
    lines = []
    for index in range(COUNT):
        put(folder / "x" / f"{index}.png", encoded(shade(index)))
        lines.append(json.dumps({"file_name": f"x/{index}.png", "class": ("cats", "dogs")[index % 2]}))
    put(folder / "metadata.jsonl", "\n".join(lines))


def metadata_with_a_stray(folder):
    metadata_csv(folder)
    put(folder / "stray.png", encoded(shade(7)))


def metadata_without_labels(folder):
    cats_and_dogs(folder)
    put(folder / "metadata.csv", "file_name,caption\ncats/0.png,a cat\n")


CATS = {"classes": ("cats", "dogs")}
FOLDERS = {
    "hidden folders": (hidden_folders, CATS),
    "resource forks": (resource_forks, CATS),
    "broken jpeg": (broken_jpeg, CATS | {"count": COUNT - 1, "told": "1 image left out: cats/4.jpg"}),
    "empty file": (empty_file, CATS | {"count": COUNT - 1, "told": "1 image left out: cats/4.png"}),
    "text named png": (text_named_png, CATS | {"told": "1 image left out: dogs/notes.png"}),
    "folder named like a picture": (folder_named_like_a_picture, CATS),
    "tiff": (lambda folder: cats_and_dogs(folder, "TIFF", "TIF"), CATS),
    "avif": (lambda folder: cats_and_dogs(folder, "AVIF", "avif", "RGB"), CATS),
    "metadata.csv": (metadata_csv, CATS),
    "metadata.csv in splits": (metadata_in_splits, CATS),
    "metadata.jsonl": (metadata_jsonl, CATS),
    "metadata.csv and a stray": (metadata_with_a_stray, CATS | {"told": "1 image left out: stray.png"}),
    "metadata.csv without labels": (metadata_without_labels, CATS),
}

# Tables

RIFF = b"RIFF\x24\0\0\0WAVEfmt "


def null_image(folder):
    pictures = shades()
    table(folder, {"image": pa.array([None if i == 3 else {"bytes": p} for i, p in enumerate(pictures)])})


def null_bytes(folder):
    pictures = [None if index == 3 else content for index, content in enumerate(shades())]
    table(folder, {"image": cells(pictures), "label": [index % 2 for index in range(COUNT)]})


def lacks_a_class(folder):
    table(folder, {"image": cells(shades()), "label": ["ant", "bee"] * (COUNT // 2)})
    table(folder, {"image": cells(shades()[:5]), "label": ["bee"] * 5}, part="test")


def sound_first(declared: bool):
    def make(folder):
        columns = {"audio": cells([RIFF + bytes([i]) for i in range(COUNT)]), "image": cells(shades())}
        table(folder, columns, {"audio": "Audio", "image": "Image"} if declared else None)

    return make


def depth_first(folder):
    table(folder, {"depth": cells(shades("L")), "image": cells(shades("RGB"))})


def declared_last(folder):
    table(folder, {"thumbnail": [b"?"] * COUNT, "photo": cells(shades("RGB"))}, {"photo": "Image"})


def large_binary(folder):
    table(folder, {"picture": pa.array(shades("RGB"), pa.large_binary())})


def categories(folder):
    labelled(folder, pa.array(["cats", "dogs"] * (COUNT // 2)).dictionary_encode())


def halves(folder):
    labelled(folder, [index / 2 for index in range(COUNT)])


TABLES = {
    "a null image": (null_image, {"count": COUNT - 1, "told": "1 image left out: row 3", "classes": ()}),
    "null bytes": (null_bytes, {"count": COUNT - 1, "told": "1 image left out: row 3", "classes": ("0", "1")}),
    "strings": (lambda folder: labelled(folder, ["cats", "dogs"] * (COUNT // 2)), CATS),
    "categories": (categories, CATS),
    "booleans": (lambda folder: labelled(folder, [i % 2 > 0 for i in range(COUNT)]), {"classes": ("False", "True")}),
    "whole floats": (lambda folder: labelled(folder, [float(i % 3) for i in range(COUNT)]), {"classes": tuple("012")}),
    "halves": (halves, {"classes": (), "told": "no labels: the numbers in label are not whole"}),
    "from one": (lambda folder: labelled(folder, [1 + i % 3 for i in range(COUNT)]), {"classes": tuple("123")}),
    "a test split that lacks a class": (lacks_a_class, {"classes": ("ant", "bee"), "count": COUNT + 5}),
    "declared sound first": (sound_first(True), {"classes": ()}),
    "sound first": (sound_first(False), {"classes": ()}),
    "depth first": (depth_first, {"classes": (), "told": "from the column image (there is also depth)", "channels": 3}),
    "declared last": (declared_last, {"classes": (), "channels": 3}),
    "large binary": (large_binary, {"classes": (), "channels": 3}),
}


@pytest.mark.parametrize("make, wanted", [*FOLDERS.values(), *TABLES.values()], ids=[*FOLDERS, *TABLES])
def test_a_folder_or_table_is_read_as_it_is_meant(tmp_path, quick_tables, make, wanted):
    make(tmp_path)
    train, test = (datasets.load(tmp_path, part) for part in ("train", "test"))
    assert len(train.images) + len(test.images) == wanted.get("count", COUNT)
    assert train.images.shape[1:] == test.images.shape[1:]
    assert train.images.shape[3] == wanted.get("channels", train.images.shape[3])
    assert train.classes == test.classes == wanted["classes"]
    assert wanted.get("told", "") in train.source, train.source
    if wanted["classes"] == ("cats", "dogs"):
        shown = np.rint(255 * train.images[:, 0, 0, 0] / 10).astype(int) % 2
        if train.images.shape[1] == 12:  # not of the noise
            assert np.array_equal(shown, train.labels)


@pytest.mark.parametrize(
    "make, reason",
    [
        (lambda f: table(f, {"image": cells([None] * COUNT)}, {"image": "Image"}), "holds only the paths of its files"),
        (lambda f: table(f, {"audio": cells([RIFF] * COUNT)}, {"audio": "Audio"}), "No column of images"),
        (lambda f: table(f, {"image": cells([b"?"] * COUNT)}), "no image of it is whole, for example row 0"),
    ],
    ids=["paths alone", "sound alone", "no picture in it"],
)
def test_a_table_without_pictures_is_refused_for_its_reason(tmp_path, make, reason):
    make(tmp_path)
    with pytest.raises(DatasetUnavailable, match=reason) as refused:
        datasets.load(tmp_path, "train")
    assert str(refused.value).endswith(".") and ". " not in str(refused.value)


def test_columns_are_chosen_and_the_choice_can_be_changed(tmp_path):
    kinds = {"mask": "Image", "image": "Image"}
    columns = {"mask": cells(shades("L")), "image": cells(shades("RGB")), "kind": ["a", "b"] * (COUNT // 2)}
    table(tmp_path, columns, kinds)
    found = datasets.load(tmp_path, "train")
    assert found.images.shape[3] == 3 and found.labels is None
    assert found.columns.image == "image" and found.columns.images == ("image", "mask")
    assert found.columns.labels == ("kind",)
    other = datasets.load(tmp_path, "train", image_column="mask", label_column="kind")
    assert other.images.shape[3] == 1 and other.classes == ("a", "b")
    assert "from the column mask (there is also image)" in other.source


# Pictures


def sixteen(bits: int) -> Image.Image:
    values = np.linspace(0, 2**bits - 1, 64 * 64).reshape(64, 64)
    return Image.fromarray(values.astype(np.uint16))


UPLOADS = {
    "mpo": (lambda: mpo(shade(20, "RGB"), shade(1)), 200 / 255, None),
    "heic": (lambda: heic(shade(20)), 200 / 255, None),
    "avif": (lambda: encoded(shade(20, "RGB"), "AVIF", quality=100), 200 / 255, None),
    "tiff": (lambda: encoded(shade(20, "RGB"), "TIFF", compression="tiff_lzw"), 200 / 255, None),
    "tiff pages": (lambda: encoded(shade(20), "TIFF", save_all=True, append_images=[shade(1)]), 200 / 255, None),
    "tiff of floats": (
        lambda: encoded(Image.fromarray(np.full((12, 12), 200 / 255, np.float32)), "TIFF"), 200 / 255, None
    ),
    "tiff in cmyk": (lambda: encoded(shade(20, "CMYK"), "TIFF"), 200 / 255, None),
    "12 bits in 16": (lambda: encoded(sixteen(12)), 0, "12 of 16 bits"),
    "12 bits in a tiff": (lambda: encoded(sixteen(12), "TIFF"), 0, "12 of 16 bits"),
    "16 bits": (lambda: encoded(sixteen(16)), 0, None),
}  # fmt: skip


@pytest.mark.parametrize("make, corner, told", UPLOADS.values(), ids=UPLOADS)
def test_a_picture_is_read_as_it_looks(make, corner, told):
    picture, notice = images.decode_upload(make(), (64, 64, 1))
    assert abs(float(picture[0, 0, 0, 0]) - corner) < 0.03
    assert (told or "") in (notice or "") and ("bits" in (notice or "")) == bool(told)
    if not corner:
        assert picture[0, -1, -1, 0] > 0.98


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def pictures_in_a_zip(content=lambda index: encoded(shade(index % 20)), suffix="png", **extra: bytes) -> bytes:
    return packed({f"{index}.{suffix}": content(index) for index in range(60)} | extra)


def arrays(**found: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **found)
    return buffer.getvalue()


def array(values: np.ndarray, **options) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, **options)
    return buffer.getvalue()


RAMP = np.stack([np.asarray(shade(index % 20)) for index in range(60)])
OWN = {
    "zip with a hidden folder": (lambda: pictures_in_a_zip(**{".git/x.png": b"?", "a/._b.png": b"?"}), None),
    "zip of notebooks": (lambda: pictures_in_a_zip(**{".ipynb_checkpoints/0.png": encoded(shade(0))}), None),
    "zip of tiff": (lambda: pictures_in_a_zip(lambda index: encoded(shade(index % 20), "TIFF"), "tif"), None),
    "zip of a phone": (lambda: pictures_in_a_zip(lambda i: mpo(shade(i % 20), shade(0)), "jpg"), "turned to grey"),
    "zip with a broken one": (lambda: pictures_in_a_zip(**{"bad/x.png": b"?"}), "AVIF or HEIC (bad/x.png)."),
    "npy of bytes": (lambda: array(RAMP), None),
    "npy of floats": (lambda: array((RAMP / 255).astype(np.float32)[..., None]), None),
    "npy around zero": (lambda: array((RAMP / 127.5 - 1).astype(np.float32)), "from [−1, 1]"),
    "npy of floats to 255": (lambda: array(RAMP.astype(np.float64)), "from [0, 255]"),
    "npy channels first": (lambda: array(RAMP[:, None].repeat(3, 1)), "turned to grey"),
    "npy of rows": (lambda: array(RAMP.reshape(60, -1)), None),
    "npz": (lambda: arrays(samples=RAMP, labels=np.arange(60)), "array samples"),
}


@pytest.mark.parametrize("make, told", OWN.values(), ids=OWN)
def test_images_of_ones_own_come_in_as_they_are(make, told):
    found, notes = archives.read(make(), (12, 12, 1))
    assert found.shape == (60, 12, 12, 1)
    wanted, seen = (np.sort(kind.astype(int).mean((1, 2)).ravel()) for kind in (RAMP, found))
    assert np.abs(wanted - seen).max() < 3
    assert (told or "") in " ".join(notes) and bool(told) == bool(notes), notes
