"""Conditional GAN: Mirza & Osindero 2014, arXiv:1411.1784, projection of Miyato & Koyama 2018, arXiv:1802.05637

the loss of dcgan.py with D(x, y) and G(z, y): both players are conditioned on the label
"""

from training.families import dcgan


class Family(dcgan.Family):
    title, year = "Conditional GAN", 2014
    paper = "https://arxiv.org/abs/1411.1784"
    conditional = True
