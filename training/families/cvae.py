"""Conditional VAE: learning structured output representation, Sohn et al. 2015, https://papers.nips.cc/paper/5775

min E_q[−log p(x|z, y)] + β · KL(q(z|x, y) ‖ N(0, I)): encoder and decoder get the label y, so z is left with style
"""

from training.families import vae


class Family(vae.Family):
    title, year = "Conditional VAE", 2015
    paper = "https://papers.nips.cc/paper/5775"
    conditional = True
