"""β-VAE: learning basic visual concepts with a constrained variational framework, Higgins et al. 2017,
https://openreview.net/forum?id=Sy2fzU9gl

min E_q[−log p(x|z)] + β · KL(q(z|x) ‖ N(0, I)),  β > 1: a latent dimension is used only where it pays for its KL term
"""

import pydantic

from training.families import vae


class Family(vae.Family):
    title, year = "β-VAE", 2017
    paper = "https://openreview.net/forum?id=Sy2fzU9gl"

    class Recipe(vae.Family.Recipe, frozen=True):
        beta: float = pydantic.Field(4.0, ge=0, le=1000, description="weight of the KL term")
