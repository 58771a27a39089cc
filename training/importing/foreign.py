"""Files that are no models of Keras, each by its name and with what to do about it."""

import tarfile
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
        b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19",
        "is a file as PyTorch before 1.6 wrote it, a pickle alone that could run code when it is opened; load it with "
        "a newer PyTorch and save its state_dict again by torch.save",
    ),
    (
        b"\x80",
        "is a pickle, as scikit-learn and old versions of PyTorch write them: opening one would run its code; export "
        "the network as ONNX or save its state_dict by torch.save",
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
    if tarfile.is_tarfile(path):
        raise Refused(
            f"{brief(name)} is a tar file, as PyTorch before 0.2 wrote them; open it with a newer PyTorch and save its "
            "state_dict again by torch.save."
        )
    with path.open("rb") as stream:
        start = stream.read(64)
    for beginning, what in BEGINNINGS:
        if start.lower().startswith(beginning.lower()):
            raise Refused(f"{brief(name)} {what}.")
