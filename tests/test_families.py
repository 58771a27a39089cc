"""Every family keeps the contract of tests/family_contract.py on both backends."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FAMILIES = sorted(path.stem for path in (ROOT / "training" / "families").glob("[a-z]*.py"))


@pytest.fixture(scope="module", params=["tensorflow", "jax"])
def contract(request):
    """What a process of its own found of each family, for the backend is fixed when Keras is imported."""
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    environment = os.environ | {
        "KERAS_BACKEND": request.param,
        "CUDA_VISIBLE_DEVICES": "",
        "JAX_PLATFORMS": "cpu",
        # One step is run: compiling it is what takes time.
        "XLA_FLAGS": "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false",
        "PYTHONPATH": str(ROOT),
    }
    words = [sys.executable, "tests/family_contract.py", *FAMILIES]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, "".join(done.stderr.splitlines(True)[-8:])
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_keeps_the_contract(contract, family):
    assert contract[family] == "keeps the contract"
