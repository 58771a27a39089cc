"""VQ-VAE: neural discrete representation learning, van den Oord et al. 2017, arXiv:1711.00937

    min ‖x − decoder(e)‖² + ‖sg(z) − e‖² + β · ‖z − sg(e)‖² − log p(k),  z = encoder(x), e = codebook[k] nearest to z

The decoder's gradient passes the choice of k as if e were z. The prior p(k), a PixelCNN, learns in the same step; it
does not influence what the codes are.
"""

import math

import keras
import pydantic

from training import family, networks, recipe
from training.tensors import Loss, Tensor, ops


class Family(family.Family):
    title, year = "VQ-VAE", 2017
    paper = "https://arxiv.org/abs/1711.00937"
    prior = "autoregressive"
    reported = ("reconstruction", "quantisation", "prior", "perplexity")

    class Recipe(recipe.Recipe, frozen=True):
        latent: int = pydantic.Field(4, ge=1, le=256, description="numbers in one vector of the codebook")
        codes: int = pydantic.Field(64, ge=2, le=4096, description="K, vectors in the codebook")
        quantisation: float = pydantic.Field(4.0, ge=0, le=1e4, description="weight of ‖sg(z) − e‖²")
        commitment: float = pydantic.Field(0.25, ge=0, le=1e4, description="β, over the weight of ‖sg(z) − e‖²")
        prior_width: int = pydantic.Field(40, ge=4, le=1024, description="channels of the prior")
        prior_depth: int = pydantic.Field(3, ge=1, le=64, description="blocks of the prior; each sees two rows farther")

    def build_networks(self) -> dict[str, keras.Model]:
        r = self.recipe
        encoder = networks.grid_encoder(self.shape, r.latent, r.width)
        decoder = networks.quantising_decoder(r.latent, r.codes, self.shape, r.width, r.refine, r.upsampling)
        self.painter = keras.Model(decoder.get_layer("quantised").output, decoder.outputs[0], name="painter")
        prior = networks.pixelcnn(decoder.input_shape[1:3], r.codes, r.prior_width, r.prior_depth)
        return {"encoder": encoder, "decoder": decoder, "prior": prior}

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return self.networks["decoder"].input_shape[1:]

    @property
    def exported(self) -> dict[str, keras.Model]:
        found = super().exported
        networks.tie(found["decoder"])
        return found

    def objective(self, images: Tensor, labels: Tensor | None, training: bool = True) -> Loss:
        r = self.recipe
        z = self.run("encoder", images, training)["latent"]
        table = ops.convert_to_tensor(self.networks["decoder"].get_layer("quantised").embeddings)
        scores = 2.0 * ops.matmul(z, ops.transpose(table)) - ops.sum(ops.square(table), axis=1)
        codes = ops.argmax(ops.stop_gradient(scores), axis=-1)
        chosen = ops.one_hot(codes, r.codes)
        e = ops.matmul(chosen, table)
        rebuilt = self.painter(z + ops.stop_gradient(e - z), training=training)
        reconstruction = ops.mean(ops.sum(ops.square(images - rebuilt), axis=(1, 2, 3)))
        quantisation = ops.mean(ops.square(ops.stop_gradient(z) - e))
        commitment = ops.mean(ops.square(z - ops.stop_gradient(e)))
        logits = self.run("prior", codes, training)["logits"]
        prior = ops.mean(ops.sparse_categorical_crossentropy(codes, logits, from_logits=True))
        use = ops.mean(chosen, axis=(0, 1, 2))
        perplexity = ops.exp(-ops.sum(use * ops.log(use + 1e-10)))
        values = {
            "reconstruction": reconstruction,
            "quantisation": quantisation,
            "prior": prior / math.log(2.0),  # bits per code
            "perplexity": perplexity,  # as many codes as this, used equally often, would be as various
        }
        return reconstruction + r.quantisation * (quantisation + r.commitment * commitment) + prior, values
