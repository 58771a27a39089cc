"""What the families share: named networks, one loss for all of them, and the weight average that is exported.

A family is one file in training/families with a class `Family(family.Family)`: title, year, paper, its recipe keys,
`build_networks` (by role) and `objective` (what one optimiser step minimises). It is all written with keras.ops, so the
same file trains on TensorFlow and JAX under plain `fit`.
"""

from collections.abc import Callable

import keras
from keras import ops

from training import recipe as recipes


class Family(keras.Model):
    """Networks by role and their common loss.

    Args: recipe, image shape (H, W, C), number of classes (0 for unlabelled data)."""

    title: str
    year: int
    paper: str
    # "normal", "none" (an autoencoder without one), "autoregressive" (a network of its own) or None (nothing to sample)
    prior: str | None = None
    conditional: bool = False
    reported: tuple[str, ...] = ()  # names of the losses in history.json
    private: tuple[str, ...] = ()  # networks that only training needs
    steps: int = 0  # of the whole run, told when it is compiled
    Recipe = recipes.Recipe

    def __init__(self, recipe, shape, classes=0):
        super().__init__(name=recipe.family)
        if self.conditional and not classes:
            raise recipes.RecipeError(f"Family {recipe.family} needs labels, and dataset {recipe.dataset} has none.")
        self.recipe, self.shape, self.classes = recipe, tuple(shape), classes
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
        """Networks by role: encoder, decoder, generator, discriminator, classifier, prior."""
        raise NotImplementedError

    def objective(self, images, labels, training=True) -> tuple:
        """(what the step minimises, {name: value} to report) for a batch of images (B, H, W, C) and labels (B,)."""
        raise NotImplementedError

    def optimizers(self, rate: Callable):
        """The optimiser of the step: Adam (Kingma & Ba 2015) unless a family says otherwise.

        rate(factor) is the recipe's learning rate, or its schedule, times a factor."""
        return keras.optimizers.Adam(rate())

    # What the loop calls ---------------------------------------------------------------------------------------------

    def call(self, batch, training=False):
        return batch["image"]  # networks run in compute_loss, where each family arranges them itself

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        total, values = self.objective(x["image"], x.get("label"), training=training)
        for name, value in values.items():
            self.means[name].update_state(value)
        self._average()
        return total

    def _average(self):
        """Exponential moving average of every weight (Yazıcı et al. 2019, arXiv:1806.04498), one step behind."""
        decay = self.decay
        for role, average in self.averages.items():
            for mean, weight in zip(average.weights, self.networks[role].weights, strict=True):
                if mean.dtype == "float32":
                    mean.assign(mean * decay + ops.cast(weight, "float32") * (1.0 - decay))

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of one latent of a family that has latents."""
        return (self.recipe.latent,)

    @property
    def exported(self) -> dict[str, keras.Model]:
        """The networks that are evaluated, sampled and published."""
        return {role: network for role, network in (self.averages or self.networks).items() if role not in self.private}

    def adversaries(self, rate: Callable, *, beta_1: float, **speeds: float):
        """One Adam for each player {role: learning rate over the recipe's}; rates may differ (Heusel et al. 2017,
        arXiv:1706.08500)."""
        adams, owner = {}, {}
        for role, speed in speeds.items():
            adams[role] = keras.optimizers.Adam(rate(speed), beta_1=beta_1, beta_2=0.99)
            owner |= {id(variable): role for variable in self.networks[role].trainable_variables}
        return keras.optimizers.MultiOptimizer(lambda variable: adams[owner[id(variable)]])

    # Pieces for the losses -------------------------------------------------------------------------------------------

    def with_label(self, first, labels):
        """A network's inputs: alone, or with the labels where the family is conditional."""
        return [first, labels] if self.conditional else first

    def normal(self, count, *shape):
        """(count, *shape) draws of N(0, I)."""
        return keras.random.normal((count, *shape), seed=self.seeds)


def frozen(network) -> Callable:
    """`network` with its weights held constant: gradients pass through to its inputs only."""
    weights = [ops.stop_gradient(ops.convert_to_tensor(variable)) for variable in network.trainable_variables]
    state = [ops.convert_to_tensor(variable) for variable in network.non_trainable_variables]
    return lambda inputs: network.stateless_call(weights, state, inputs, training=True)[0]


def input_gradient(function, images):
    """∂ Σ function(images) / ∂ images, shaped like images: the one place that needs the backend's own autodiff."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(lambda x: ops.sum(function(x)))(images)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(images)
        total = ops.sum(function(images))
    return tape.gradient(total, images)
