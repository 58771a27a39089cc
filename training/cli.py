"""Command line: python -m training {recipes,train,export,evaluate,table}."""

import argparse
import logging
import os
import pathlib
import subprocess
import sys
import warnings

RUNS = pathlib.Path("runs")
ENTRIES = pathlib.Path(__file__).parent.parent / "zoo" / "pretrained"

DESCRIPTION = """Make entries of the zoo.

  python -m training recipes                           what can be trained
  python -m training train mnist-vae                   train it (again: resume it); the run is kept in runs/mnist-vae
  python -m training train mnist-vae --set beta=4 --set name=mnist-beta-vae
  python -m training export mnist-vae                  write the entry zoo/pretrained/mnist-vae
  python -m training evaluate mnist-vae                measure it, write the numbers into manifest and card
  python -m training table                             renew the table of entries in README.md

Data comes from the Hugging Face Hub, or from the folder that ZOO_DATA names.
KERAS_BACKEND=jax trains on JAX; a GPU is used when there is one."""


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("a seed is a whole number from 0 up")
    return int(text)


def parser() -> argparse.ArgumentParser:
    main = argparse.ArgumentParser(
        "python -m training", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = main.add_subparsers(dest="verb", required=True, metavar="{recipes,train,export,evaluate,table}")

    verbs.add_parser("recipes", help="list recipes, or the keys of a family").add_argument(
        "family", nargs="?", help="show every key that this family's recipes take"
    )

    train = verbs.add_parser("train", help="train a recipe, or resume its interrupted run")
    train.add_argument("recipe", help="name of a file in training/recipes, or path of a .toml file")
    train.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override one key of the recipe; may be repeated",
    )
    train.add_argument("--fresh", action="store_true", help="start over instead of resuming")
    train.add_argument(
        "--entry", action="store_true", help="then export and evaluate, so that the entry appears in the gallery"
    )

    export = verbs.add_parser("export", help="write a finished run as an entry")
    export.add_argument("run", help="name of the run (its folder in --runs)")

    evaluate = verbs.add_parser("evaluate", help="measure an entry and record the numbers in it")
    evaluate.add_argument("entry", help="name of the entry (its folder in --entries) or path of an entry")
    evaluate.add_argument("--seed", type=_seed, default=0, help="seed of the drawn samples (default 0)")

    verbs.add_parser("table", help="renew the table of entries in README.md")

    for verb in (train, export):
        verb.add_argument("--runs", type=pathlib.Path, default=RUNS, help="folder of the runs (default: runs)")
    for verb in (train, export, evaluate):
        verb.add_argument(
            "--entries", type=pathlib.Path, default=ENTRIES, help="folder of the entries (default: zoo/pretrained)"
        )
    return main


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status. Mistakes of the user end in one sentence on stderr and status 2."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    from training.recipe import RecipeError
    from zoo.datasets import DatasetUnavailable
    from zoo.entry import EntryError

    try:
        COMMANDS[options.verb](options)
    except (RecipeError, DatasetUnavailable, EntryError) as mistake:
        print(f"error: {mistake}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted; the same command resumes after the last finished epoch.", file=sys.stderr)
        return 130
    return 0


def _recipes(options) -> None:
    from training import recipe as recipes

    if options.family:
        model = recipes.family(options.family).Recipe
        for key, field in model.model_fields.items():
            default = "required" if field.is_required() else f"default {field.default!r}"
            print(f"{key:16} {default:22} {field.description or ''}".rstrip())
        return
    for name in recipes.recipes():
        recipe = recipes.load(name)
        print(f"{name:20} {recipe.family:12} {recipe.dataset:14} {recipe.epochs:4} epochs   {recipe.title}")


def _train(options) -> None:
    from training import recipe as recipes

    recipe = recipes.load(options.recipe, options.set)
    from training import run

    run.train(recipe, options.runs, options.fresh)
    if options.entry:
        # Fresh processes: exporting needs TensorFlow, whatever backend trained the run.
        for verb, *more in (("export", "--runs", options.runs), ("evaluate",)):
            command = [sys.executable, "-m", "training", verb, recipe.name, "--entries", options.entries, *more]
            if status := subprocess.run(command, env=os.environ | {"KERAS_BACKEND": "tensorflow"}).returncode:
                raise SystemExit(status)


def _export(options) -> None:
    # Keras writes ONNX through TensorFlow; on the CPU, for a GPU's rounding (TF32) is coarser than what is verified.
    os.environ |= {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
    logging.getLogger("tf2onnx").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=FutureWarning, module="keras")
    from training import device, export  # noqa: F401  (device first: it imports Keras quietly)

    entry = export.export(options.runs / options.run, options.entries)
    logging.info("Wrote %s", entry.folder)


def _evaluate(options) -> None:
    from training import evaluate

    folder = pathlib.Path(options.entry)
    evaluate.evaluate(folder if (folder / "zoo.json").exists() else options.entries / options.entry, options.seed)


def _table(options) -> None:
    from training import table

    table.README.write_text(table.updated(table.README.read_text(encoding="utf-8")), encoding="utf-8")
    logging.info("Wrote the table of entries into %s", table.README)


COMMANDS = {"recipes": _recipes, "train": _train, "export": _export, "evaluate": _evaluate, "table": _table}
