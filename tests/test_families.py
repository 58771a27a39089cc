"""The contract of every family: build, shapes, one step on eight images, export equal to Keras. On both backends."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

FOLDER = pathlib.Path(__file__).parent.parent / "training" / "families"
FAMILIES = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
BACKENDS = ["tensorflow", "jax"]

# One process per backend, for the backend is fixed when Keras is imported; it prints one line per family.
STEP = """
import sys, numpy as np, keras
from training import device, recipe, run
from training.batches import Batches
device.use("float32", 0)
rng = np.random.default_rng(0)
for name in sys.argv[1:]:
    options = dict(name=name, title=name, family=name, dataset="digits", batch=8, width=16, epochs=1)
    if "latent" in recipe.family(name).Recipe.model_fields:
        options["latent"] = 12
    options = recipe.check(options)
    images, labels = rng.random((8, 8, 12, 3), dtype="float32"), np.arange(8) % 3
    model = run.compiled(recipe.family(name)(options, images.shape[1:], 3), 1)
    before = {role: [np.array(w) for w in network.get_weights()] for role, network in model.networks.items()}
    losses = model.fit(Batches(images, labels, 8), verbose=0).history
    assert set(model.reported) <= set(losses) and all(np.isfinite(v[-1]) for v in losses.values()), (name, losses)
    for role, network in model.networks.items():
        moved = sum(float(np.abs(a - b).sum()) for a, b in zip(before[role], network.get_weights()))
        assert moved > 0, f"{role} of {name} did not learn"
        stock = {type(layer).__module__.split(".")[0] for layer in network.layers}
        assert stock == {"keras"}, f"{name} publishes layers of {stock}"
        given = {"image": images, "label": labels.astype("int32")}
        draw = {"latent": rng.standard_normal, "codes": lambda shape: rng.integers(2, size=shape).astype("int32")}
        fed = [given[x.name] if x.name in given else draw[x.name]((8, *x.shape[1:])) for x in network.inputs]
        out = network(fed if len(fed) > 1 else fed[0])
        for key, value in out.items():
            value = np.asarray(value)
            assert len(value) == 8 and np.isfinite(value).all(), (name, role, key)
            if key == "image":
                assert value.shape == images.shape and value.min() >= 0 and value.max() <= 1
    print("stepped", name, flush=True)
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_step_on_eight_images(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    environment = os.environ | {
        "KERAS_BACKEND": backend,
        "CUDA_VISIBLE_DEVICES": "",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_backend_optimization_level=0",  # one step is run: compiling it is what takes time
    }
    done = subprocess.run([sys.executable, "-c", STEP, *FAMILIES], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, "".join(done.stderr.splitlines(True)[-8:])
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("stepped")] == FAMILIES
