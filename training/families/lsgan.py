"""LSGAN: least squares generative adversarial networks, Mao et al. 2017, arXiv:1611.04076

discriminator: min ½ E[(D(x) − 1)²] + ½ E[D(G(z))²] + R1, as in dcgan.py
generator:     min ½ E[(D(G(z)) − 1)²]                         a score that is right by far is pulled back, too
"""

from training.families import dcgan
from training.tensors import Tensor, ops


class Family(dcgan.Family):
    title, year = "LSGAN", 2017
    paper = "https://arxiv.org/abs/1611.04076"

    def adversarial(self, real: Tensor, fake: Tensor, fake_frozen: Tensor) -> tuple[Tensor, Tensor]:
        critic = ops.mean(ops.square(real - 1.0)) + ops.mean(ops.square(fake))
        return 0.5 * critic, 0.5 * ops.mean(ops.square(fake_frozen - 1.0))
