"""Files that are no models of Keras, each by its name and with what to do about it."""

import zipfile
from pathlib import Path

from training.importing import Refused
from zoo.manifest import brief

# How a file begins → what it is and what to do.
BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (
        b"version https://git-lfs.github.com",
        "is a Git LFS pointer of three lines, not the file itself: fetch it by `git lfs pull`, or download it from the "
        "page of the repository",
    ),
    (
        b"\x80",
        "is a pickle, as PyTorch and scikit-learn write them: opening one would run its code; export the network as "
        "ONNX or save its state_dict as safetensors",
    ),
    (b"<!DOCTYPE html", "is a web page instead of the file: download the file itself"),
    (b"<html", "is a web page instead of the file: download the file itself"),
    (b"GGUF", "is a language model for llama.cpp, which makes no images"),
)
# How a file is called, where its beginning does not tell.
SUFFIXES = {
    ".tflite": "is a TensorFlow Lite file: its layers are merged for phones; give the Keras model that it was made of",
    ".meta": "is the graph of a TensorFlow 1 checkpoint, which is never run; save the network by model.save",
}


def refuse_foreign(path: Path, name: str) -> None:
    """Raise Refused for a file of another kind that is known; return for all others."""
    if what := SUFFIXES.get(path.suffix.lower()):
        raise Refused(f"{brief(name)} {what}.")
    with path.open("rb") as stream:
        start = stream.read(64)
    for beginning, what in BEGINNINGS:
        if start.lower().startswith(beginning.lower()):
            raise Refused(f"{brief(name)} {what}.")
    if start.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()[:2000]
        except (zipfile.BadZipFile, OSError, ValueError):
            return
        if any(item.endswith("data.pkl") for item in names):
            raise Refused(
                f"{brief(name)} is a file of PyTorch: opening its pickle would run its code; export the network as "
                "ONNX or save its state_dict as safetensors."
            )
