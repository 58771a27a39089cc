"""What the families share: named networks, one loss for all of them, and the weight average that is exported.

A family is one file in training/families with a class `Family(family.Family)`: title, year, paper, its recipe keys,
`build_networks` (by role) and `objective` (what one optimiser step minimises). It is all written with keras.ops, so the
same file trains on TensorFlow and JAX under plain `fit`.

In shapes B is the batch, (H, W, C) the image, L the numbers of a latent.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from training import recipe as recipes
from training.tensors import Loss, Tensor, ops

Rate = Callable[..., Any]  # factor = 1.0 -> the recipe's learning rate, or its schedule, times the factor


class Family(keras.Model):
    """Networks by role and their common loss.

    Args:
        recipe: of the family's own class Recipe.
        shape: (H, W, C) of the images.
        classes: how many there are, 0 for unlabelled data.

    Raises:
        RecipeError: the family needs labels that the data lacks, or its networks do not fit the images.
    """

    title: str
    year: int
    paper: str
    # "normal", "none" (an autoencoder without one), "autoregressive" (a network of its own) or None (nothing to sample)
    prior: str | None = None
    conditional: bool = False
    reported: tuple[str, ...] = ()  # names of the losses in history.json
    private: tuple[str, ...] = ()  # networks that only training needs
    players: tuple[str, str] | None = None  # of a game of two: the names of the critic's loss and of its opponent's
    steps: int = 0  # of the whole run, set when it is compiled
    Recipe: type[recipes.Recipe] = recipes.Recipe
    recipe: Any  # an instance of Recipe, which each family extends by its own keys
    networks: dict[str, keras.Model]

    def __init__(self, recipe: recipes.Recipe, shape: tuple[int, int, int], classes: int = 0):
        super().__init__(name=recipe.family)
        if self.conditional and not classes:
            raise recipes.RecipeError(f"Family {recipe.family} needs labels, and dataset {recipe.dataset} has none.")
        self.recipe, self.shape, self.classes = recipe, shape, classes
        self.networks = self.build_networks()
        self.averages = {}
        if recipe.ema:
            self.averages = {role: keras.models.clone_model(network) for role, network in self.networks.items()}
            for role, average in self.averages.items():
                average.set_weights(self.networks[role].get_weights())
                average.trainable = False
        self.decay = recipe.ema
        self.seeds = keras.random.SeedGenerator(recipe.seed)
        self.means = {name: keras.metrics.Mean(name=name) for name in self.reported}
        self.built = True

    # What a family defines -------------------------------------------------------------------------------------------

    def build_networks(self) -> dict[str, keras.Model]:
        """Build the networks by role: encoder, decoder, generator, discriminator, classifier, prior."""
        raise NotImplementedError

    def objective(self, images: Tensor, labels: Tensor | None, training: bool = True) -> Loss:
        """Return what one step minimises for images (B, H, W, C) in [0, 1] and labels (B,), and `reported` by name."""
        raise NotImplementedError

    def optimizers(self, rate: Rate) -> keras.optimizers.Optimizer:
        """Return the optimiser of the step: Adam (Kingma & Ba 2015) unless a family says otherwise."""
        return keras.optimizers.Adam(rate())

    def scores(self, images: Tensor, labels: Tensor | None, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Return the critic's scores (B, 1) of what is real to it and of what its opponent made, for a family with
        players, by the networks as they are now: from images (B, H, W, C), labels (B,) and draws of the prior (B, L).
        """
        raise NotImplementedError

    # What the loop calls ---------------------------------------------------------------------------------------------

    def call(self, batch: dict[str, Tensor], training: bool = False) -> Tensor:
        return batch["image"]  # networks run in compute_loss, where each family arranges them itself

    def compute_loss(self, x: Any = None, y=None, y_pred=None, sample_weight=None, training=True) -> Tensor:
        total, values = self.objective(x["image"], x.get("label"), training=training)
        for name, value in values.items():
            self.means[name].update_state(value)
        self._average()
        return total

    def _average(self) -> None:
        """Exponential moving average of every weight (Yazıcı et al. 2019, arXiv:1806.04498), one step behind."""
        decay = self.decay
        for role, average in self.averages.items():
            for mean, weight in zip(average.weights, self.networks[role].weights, strict=True):
                if mean.dtype == "float32":
                    mean.assign(mean * decay + ops.cast(weight, "float32") * (1.0 - decay))

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of one latent, of a family that has latents."""
        return (self.recipe.latent,)

    @property
    def exported(self) -> dict[str, keras.Model]:
        """The networks that are evaluated, sampled and published."""
        return {role: network for role, network in (self.averages or self.networks).items() if role not in self.private}

    def generate(self, latents: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Return images (N, H, W, C) that the exported decoder or generator makes of latents (N, …), in chunks."""
        network = self.exported.get("generator") or self.exported["decoder"]
        parts = [slice(start, start + 250) for start in range(0, len(latents), 250)]
        return np.concatenate(
            [
                outputs(network, self.with_label(latents[p], None if labels is None else labels[p]))["image"]
                for p in parts
            ]
        )

    def adversaries(self, rate: Rate, *, beta_1: float, **speeds: float) -> keras.optimizers.Optimizer:
        """Return one Adam for each role in `speeds`, its learning rate as a multiple of the recipe's: rates may differ
        (Heusel et al. 2017, arXiv:1706.08500)."""
        adams, owner = {}, {}
        for role, speed in speeds.items():
            adams[role] = keras.optimizers.Adam(rate(speed), beta_1=beta_1, beta_2=0.99)
            owner |= {id(variable): role for variable in self.networks[role].trainable_variables}
        return keras.optimizers.MultiOptimizer(lambda variable: adams[owner[id(variable)]])

    # Pieces for the losses -------------------------------------------------------------------------------------------

    def run(self, role: str, inputs: Any, training: bool = False) -> dict[str, Tensor]:
        """Return the outputs of the network of a role by name."""
        return outputs(self.networks[role], inputs, training)

    def with_label(self, first: Tensor, labels: Tensor | None) -> Any:
        """Return a network's inputs: alone, or with the labels (B,) where the family is conditional."""
        return [first, labels] if self.conditional else first

    def normal(self, count: Any, *shape: int) -> Tensor:
        """Return (count, *shape) draws of N(0, I)."""
        return keras.random.normal((count, *shape), seed=self.seeds)

    def drawn_from(self, mean: Tensor, log_var: Tensor) -> Tensor:
        """Return one draw (B, L) of each N(mean, exp(log_var)); gradients reach both (Kingma & Welling 2014)."""
        return mean + ops.exp(0.5 * log_var) * self.normal(ops.shape(mean)[0], self.recipe.latent)


def outputs(network: keras.Model, inputs: Any, training: bool = False) -> dict[str, Tensor]:
    """Return the outputs of a network by name; every network of the families names them."""
    named: Any = network(inputs, training=training)
    return named


def synchronise(model: Family) -> None:
    """Write the state of a running epoch into the model's variables; on JAX `fit` keeps it apart from them."""
    sync = getattr(model, "jax_state_sync", None)
    if sync is not None:
        sync()


def frozen(network: keras.Model) -> Callable[[Any], Any]:
    """Return `network` with its weights held constant: gradients pass through to its inputs only."""
    weights = [ops.stop_gradient(ops.convert_to_tensor(variable)) for variable in network.trainable_variables]
    state = [ops.convert_to_tensor(variable) for variable in network.non_trainable_variables]
    return lambda inputs: network.stateless_call(weights, state, inputs, training=True)[0]


def input_gradient(function: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Return ∂ Σ function(images) / ∂ images, shaped like images: the one place that needs the backend's autodiff."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(lambda x: ops.sum(function(x)))(images)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(images)
        total = ops.sum(function(images))
    return tape.gradient(total, images)


def squared_norm(gradient: Tensor) -> Tensor:
    """Return the squared norm (B,) of a gradient (B, H, W, C), in float32."""
    return ops.sum(ops.square(ops.cast(gradient, "float32")), axis=(1, 2, 3))
