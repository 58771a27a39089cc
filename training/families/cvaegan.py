"""CVAE-GAN: fine-grained image generation through asymmetric training, Bao et al. 2017, arXiv:1703.10155

    the losses of vaegan.py, with encoder q(z|x, y), decoder(z, y) and D(x, y): all three are conditioned on the label

The paper's separate classifier is a projection in the discriminator here (Miyato & Koyama 2018, arXiv:1802.05637).
"""

from training.families import vaegan


class Family(vaegan.Family):
    title, year = "CVAE-GAN", 2017
    paper = "https://arxiv.org/abs/1703.10155"
    conditional = True
