"""R3GAN: the GAN is dead; long live the GAN, Huang et al. 2024, arXiv:2501.05441

    discriminator: min E[softplus(D(G(z)) − D(x))] + γ/2 · (E‖∇D(x)‖² + E‖∇D(G(z))‖²)
    generator:     min E[softplus(D(x) − D(G(z)))]

A fake is judged beside a real image (relativistic pairing), and both gradients are penalised (R1 and R2): with that no
normalisation is needed in either network.
"""

from keras import ops

from training.families import dcgan


class Family(dcgan.Family):
    title, year = "R3GAN", 2024
    paper = "https://arxiv.org/abs/2501.05441"
    norm = False

    def adversarial(self, real, fake, hopeful):
        return ops.mean(ops.softplus(fake - real)), ops.mean(ops.softplus(ops.stop_gradient(real) - hopeful))

    def gradient_penalty(self, images, fakes, labels):
        both = ops.mean(self.slopes(images, labels)) + ops.mean(self.slopes(fakes, labels))
        return 0.5 * self.recipe.penalty * both
