"""What must not come in is refused with its reason, before Keras is imported and without filling memory or disk."""

import json
import os
import re
import subprocess
import sys

import pytest
from conftest import ROOT

pytest.importorskip("h5py", reason="importing needs h5py: pip install -r requirements.txt")

from import_attacks import ATTACKS, dense, keras_bombs, sequential

from training.importing import Refused, files, unpacking

GROWTH, LEFT = 200 << 20, 1 << 20


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What one process without Keras answered to every file."""
    folder = tmp_path_factory.mktemp("attacks")
    paths = {}
    for name, (write, _) in ATTACKS.items():
        place = folder / "files" / name
        place.mkdir(parents=True)
        paths[name] = str(write(place))
    (folder / "paths.json").write_text(json.dumps(paths))
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "import_attacks.py", folder], capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", ATTACKS)
def test_a_file_that_must_not_come_in_is_refused_with_its_reason(answers, name):
    said, growth, left = answers["answers"][name]
    assert re.search(ATTACKS[name][1], said), said
    assert "\n" not in said and said.endswith(".") and len(said) < 500
    assert growth < GROWTH and left < LEFT


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, ["no class_name"] * 6),
        (sequential(dense()), ["damaged or no HDF5"] * 2 + ["unpacks to more than the .* allowed"] * 4),
    ],
)
def test_all_candidates_together_unpack_no_more_than_one_may(tmp_path, monkeypatch, config, words):
    path = keras_bombs(config)(tmp_path)
    monkeypatch.setattr(unpacking, "MAX_FILE_BYTES", 40 << 20)  # each unpacks to 16 << 20
    offered = files.models(path, tmp_path / "room")
    for read, said in zip(offered.values(), words, strict=True):
        with pytest.raises(Refused, match=said):
            read()


def test_no_refusal_needs_keras_or_leaves_a_file(answers):
    assert answers["trainers"] == [] and answers["outside"] == []
