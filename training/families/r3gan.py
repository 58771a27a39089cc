"""R3GAN: the GAN is dead; long live the GAN, Huang et al. 2024, arXiv:2501.05441

    discriminator: min E[softplus(D(G(z)) − D(x))] + γ/2 · (E‖∇D(x)‖² + E‖∇D(G(z))‖²)
    generator:     min E[softplus(D(x) − D(G(z)))]

A fake's score is compared with a real image's (relativistic pairing), and both gradients are penalised (R1 and R2):
with that no normalisation is needed in either network.
"""

from training.families import dcgan
from training.tensors import Tensor, ops


class Family(dcgan.Family):
    title, year = "R3GAN", 2024
    paper = "https://arxiv.org/abs/2501.05441"
    norm = False

    def adversarial(self, real: Tensor, fake: Tensor, fake_frozen: Tensor) -> tuple[Tensor, Tensor]:
        return ops.mean(ops.softplus(fake - real)), ops.mean(ops.softplus(ops.stop_gradient(real) - fake_frozen))

    def gradient_penalty(self, images: Tensor, fakes: Tensor, labels: Tensor | None) -> Tensor:
        both = ops.mean(self.squared_slopes(images, labels)) + ops.mean(self.squared_slopes(fakes, labels))
        return 0.5 * self.recipe.penalty * both
