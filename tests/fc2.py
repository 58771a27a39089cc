"""What every family must do, on whatever backend this process has: build its networks, take one step that moves the
weights of all of them, and publish networks of stock layers whose outputs have the shapes that entries need.

`python tests/family_contract.py NAME…` checks families in turn and prints for each that it keeps the contract or
why not.
"""

import sys
from typing import get_args

import keras
import numpy as np

from training import device, library, recipe, run
from training.batches import Batches
from training.family import Family, outputs

COUNT, CLASSES = 8, 3
SHAPE = (8, 12, 3)
RNG = np.random.default_rng(0)
IMAGES = RNG.random((COUNT, *SHAPE), dtype="float32")
LABELS = (np.arange(COUNT) % CLASSES).astype("int32")


def tiny(name: str) -> recipe.Recipe:
    """Return a recipe of one step with small networks."""
    options = {"name": name, "title": name, "family": name, "dataset": "digits", "batch": 8, "width": 16, "epochs": 1}
    fields = library.family(name).Recipe.model_fields
    if "latent" in fields:
        options["latent"] = 12
    if "dense" in get_args(fields["network"].annotation):
        options["network"] = "dense"  # is compiled in a fraction of the time; those that only convolve do that here
    return library.check(options)


def check(name: str) -> None:
    """Assert the whole contract of one family."""
    model = run.compiled(library.family(name)(tiny(name), SHAPE, CLASSES), steps=1)
    # TensorFlow takes one step many times faster than it traces one; what is traced is trained by the tests of export.
    model.run_eagerly = True
    one_step_moves_every_network(model)
    for role, network in model.networks.items():
        layers_are_of_keras(role, network)
        outputs_are_finite_and_shaped(role, network)


def one_step_moves_every_network(model: Family) -> None:
    before = {role: [np.array(weight) for weight in network.get_weights()] for role, network in model.networks.items()}
    losses = model.fit(Batches(IMAGES, LABELS, COUNT), verbose=0).history
    assert set(model.reported) <= set(losses), f"{model.name} reports {sorted(losses)}"
    assert all(np.isfinite(values[-1]) for values in losses.values()), f"{model.name} lost {losses}"
    for role, network in model.networks.items():
        after = network.get_weights()
        moved = sum(float(np.abs(old - new).sum()) for old, new in zip(before[role], after, strict=True))
        assert moved > 0, f"{role} of {model.name} did not learn"


def layers_are_of_keras(role: str, network: keras.Model) -> None:
    packages = {type(layer).__module__.split(".")[0] for layer in network.layers}
    assert packages == {"keras"}, f"{role} has layers of {packages}, which plain Keras cannot load"


def outputs_are_finite_and_shaped(role: str, network: keras.Model) -> None:
    given = [values_for(tensor) for tensor in network.inputs]
    for name, value in outputs(network, given if len(given) > 1 else given[0]).items():
        value = np.asarray(value)
        assert len(value) == COUNT and np.isfinite(value).all(), f"{name} of {role}"
        if name == "image":
            assert value.shape == IMAGES.shape and value.min() >= 0 and value.max() <= 1, f"{name} of {role}"


def values_for(tensor) -> np.ndarray:
    """Return values for an input of a network, by its name."""
    shape = (COUNT, *tensor.shape[1:])
    if tensor.name == "latent":
        return RNG.standard_normal(shape)
    if tensor.name == "codes":
        return RNG.integers(2, size=shape).astype("int32")
    return {"image": IMAGES, "label": LABELS}[tensor.name]


if __name__ == "__main__":
    device.use("float32", 0)
    for family in sys.argv[1:]:
        try:
            check(family)
            print(family, "keeps the contract", flush=True)
        except Exception as error:
            print(family, repr(error), flush=True)
