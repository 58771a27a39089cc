"""One folder of files that real Keras 2 wrote, made once for all tests that look into it."""

import atexit
import functools
import importlib.util
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import pytest


@functools.cache
def folder() -> Path:
    """Return the folder, see keras2_files.py; skips without tf_keras."""
    if importlib.util.find_spec("tf_keras") is None:
        pytest.skip("real Keras 2 is not installed: pip install tf_keras")
    made = Path(tempfile.mkdtemp(prefix="keras2-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    script = Path(__file__).with_name("keras2_files.py")
    if "tensorflow" in sys.modules:  # to import it once more would take ten seconds
        with mock.patch.object(sys, "argv", [str(script), str(made)]), mock.patch.dict(os.environ):
            runpy.run_path(str(script))
        return made
    done = subprocess.run([sys.executable, script, made], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return made
