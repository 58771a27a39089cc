"""Classifier: gradient-based learning applied to document recognition, LeCun et al. 1998, doi:10.1109/5.726791

min −log p(y|x): image → integer. Its penultimate layer is the feature space in which the metrics compare images.
"""

from typing import Literal

import keras
import pydantic

from training import family, networks, recipe
from training.tensors import Loss, Tensor, ops


class Family(family.Family):
    title, year = "Classifier", 1998
    paper = "https://doi.org/10.1109/5.726791"
    reported = ("cross_entropy", "accuracy")

    class Recipe(recipe.Recipe, frozen=True):
        width: int = pydantic.Field(32, ge=4, le=1024)
        refine: Literal[0] = 0  # a classifier has no decoder
        mapping: Literal[0] = 0
        upsampling: Literal["depth_to_space"] = "depth_to_space"
        features: int = pydantic.Field(64, ge=2, le=4096, description="size of the penultimate layer")
        dropout: float = pydantic.Field(0.3, ge=0, lt=1)
        smoothing: float = pydantic.Field(0.05, ge=0, lt=1, description="label smoothing (Szegedy et al. 2016)")

    def build_networks(self) -> dict[str, keras.Model]:
        if not self.classes:
            raise recipe.RecipeError(f"A classifier needs labels, and dataset {self.recipe.dataset} has none.")
        r = self.recipe
        return {"classifier": networks.classifier(self.shape, self.classes, r.network, r.width, r.features, r.dropout)}

    def objective(self, images: Tensor, labels: Tensor | None, training: bool = True) -> Loss:
        logits = self.run("classifier", images, training)["logits"]
        targets = (
            ops.one_hot(labels, self.classes) * (1.0 - self.recipe.smoothing) + self.recipe.smoothing / self.classes
        )
        loss = ops.mean(ops.categorical_crossentropy(targets, logits, from_logits=True))
        accuracy = ops.mean(ops.cast(ops.equal(ops.argmax(logits, axis=1), ops.cast(labels, "int64")), "float32"))
        return loss, {"cross_entropy": loss, "accuracy": accuracy}
