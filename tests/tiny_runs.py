"""Recipes of runs that take seconds on the digits of scikit-learn, and runs that are interrupted."""

from pathlib import Path

import pytest

from training import library, recipe, run

FAMILIES = library.families()
TINY = {"dataset": "digits", "batch": 32, "width": 16, "epochs": 2, "snapshots": 2, "seed": 3, "precision": "float32"}


def tiny(family: str, name: str | None = None, **options) -> recipe.Recipe:
    """Return the recipe of a small network and a short run."""
    values = {"name": name or family.replace("_", "-"), "title": f"Tiny {family}", "family": family, **TINY, **options}
    if "latent" in library.family(family).Recipe.model_fields:
        values.setdefault("latent", 12)
    return library.check(values)


def train_in_parts(options: recipe.Recipe, runs: Path) -> run.Folder:
    """Train to the second epoch, stop as Ctrl-C does, and resume to the end."""
    saved = run.Folder.save

    def interrupted(self, model, epoch, *rest):
        saved(self, model, epoch, *rest)
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run.Folder, "save", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run.train(options, runs)
    return run.train(options, runs)
