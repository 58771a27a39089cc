"""Command line: python -m training {recipes,train,export,refit,evaluate,publish,import,table}."""

import argparse
import logging
import os
import pathlib
import shutil
import subprocess
import sys
import warnings

from zoo.errors import DatasetUnavailable, EntryError, ImportFailed

RUNS = pathlib.Path("runs")
ENTRIES = pathlib.Path(__file__).parent.parent / "zoo" / "pretrained"

DESCRIPTION = """Make entries of the zoo.

  python -m training recipes                           what can be trained
  python -m training train mnist-vae                   train it (again: resume it); the run is kept in runs/mnist-vae
  python -m training train mnist-vae --set latent=8 --set name=my-vae
  python -m training export mnist-vae                  write the entry zoo/pretrained/mnist-vae
  python -m training refit mnist-vae                   fit the samplers to its codes anew
  python -m training evaluate mnist-vae                measure it, write the numbers into manifest and card
  python -m training publish mnist-vae ada/mnist-vae   upload it to the Hugging Face Hub (first: --dry-run)
  python -m training import owner/name                 make an entry of a Keras network that somebody else made
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
    listed = "{recipes,train,export,refit,evaluate,publish,import,table}"
    verbs = main.add_subparsers(dest="verb", required=True, metavar=listed)

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

    refit = verbs.add_parser("refit", help="fit mixture and flow of an entry to the codes of training images anew")
    refit.add_argument("entry", help="name of the entry (its folder in --entries) or path of an entry")

    evaluate = verbs.add_parser("evaluate", help="measure an entry and record the numbers in it")
    evaluate.add_argument("entry", help="name of the entry (its folder in --entries) or path of an entry")
    evaluate.add_argument("--seed", type=_seed, default=0, help="seed of the drawn samples (default 0)")
    evaluate.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="GROUP",
        help="measure only accuracy, reconstruction, generation, samplers, modes, likelihood, codes, categories or "
        "speed, and keep the other numbers; inception, which needs torch-fidelity and its network, only when asked "
        "for; may be repeated",
    )

    publish = verbs.add_parser("publish", help="upload an entry to the Hugging Face Hub, with the token in HF_TOKEN")
    publish.add_argument("entry", help="name of the entry (its folder in --entries) or path of an entry")
    publish.add_argument("repo", metavar="owner/name", help="model repository, made when there is none")
    publish.add_argument("--private", action="store_true", help="make a new repository private")
    publish.add_argument("--tag", metavar="v1", help="name this version")
    publish.add_argument(
        "--dry-run", action="store_true", help="show what would be uploaded; needs neither token nor network"
    )

    _import_options(verbs.add_parser("import", help="make an entry of a Keras network: a file, a folder, owner/name"))

    verbs.add_parser("table", help="renew the table of entries in README.md")

    for verb in (train, export):
        verb.add_argument("--runs", type=pathlib.Path, default=RUNS, help="folder of the runs (default: runs)")
    for verb in (train, export, refit, evaluate, publish):
        verb.add_argument(
            "--entries", type=pathlib.Path, default=ENTRIES, help="folder of the entries (default: zoo/pretrained)"
        )
    return main


def _import_options(importing) -> None:
    from zoo.sharing import imports

    importing.add_argument("source", help="file, folder or zip, or a repository owner/name[@revision] of the Hub")
    importing.add_argument("--to", type=pathlib.Path, metavar="FOLDER", help="write the entry there, as FOLDER/<name>")
    importing.add_argument("--role", choices=imports.ROLES, help="what it is, where the shapes do not tell")
    importing.add_argument("--range", dest="makes", choices=imports.RANGES, help="values of images that come out")
    importing.add_argument("--reads", choices=list(imports.RANGES)[:3], help="values of images expected to go in")
    importing.add_argument("--name", help="name of the entry (default: that of the source)")
    importing.add_argument("--title", help="title of the entry")
    importing.add_argument("--file", help="the model to take, where the source holds several")
    importing.add_argument("--dataset", help="what it was trained on, for example mnist")
    importing.add_argument("--side", type=int, help="side of the images, where the network is open in size")
    alone = importing.add_argument_group("weights without a configuration")
    alone.add_argument("--architecture", help="a known architecture, or a recipe of this project")
    alone.add_argument("--strides", metavar="1,2,2", help="strides of the convolutions, in order")
    alone.add_argument("--activation", help="between the layers, for example relu or leaky_relu")
    alone.add_argument("--output-activation", dest="last", help="at the end, for example tanh or sigmoid")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status. Mistakes of the user end in one sentence on stderr and status 2."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    from training.recipe import RecipeError

    try:
        COMMANDS[options.verb](options)
    except (RecipeError, DatasetUnavailable, EntryError) as mistake:
        print(f"error: {mistake}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        again = "; the same command resumes after the last finished epoch" if options.verb == "train" else ""
        print(f"Interrupted{again}.", file=sys.stderr)
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


def _refit(options) -> None:
    from training import aggregate

    logging.info("Wrote %s", aggregate.refit(_folder(options)).folder)


def _evaluate(options) -> None:
    from training import evaluate

    evaluate.evaluate(_folder(options), options.seed, options.only)


def _folder(options) -> pathlib.Path:
    folder = pathlib.Path(options.entry)
    return folder if (folder / "zoo.json").exists() else options.entries / options.entry


def _publish(options) -> None:
    from zoo import entries
    from zoo.sharing import publish

    logging.getLogger("httpx2").setLevel(logging.WARNING)
    publish.check_names(options.repo, options.tag)
    entry = entries.read(_folder(options))
    if options.dry_run:
        with publish.staged(entry, options.repo) as copy:
            files = publish.uploads(copy)
            for file in files:
                print(f"{file.size:12,}  {file.sha256[:12]}  {'LFS' if file.large else 'Git'}  {file.path}")
            print(f"{sum(file.size for file in files):12,}  bytes in {len(files)} files for {options.repo}\n")
            print((copy.folder / "README.md").read_text(encoding="utf-8"), end="")
        return
    try:
        done = publish.publish(
            entry,
            options.repo,
            private=options.private,
            tag=options.tag,
            report=lambda part, text: logging.info("%3.0f %%  %s", 100 * part, text),
        )
    except KeyboardInterrupt:
        print("Interrupted; nothing half-published is visible, and the same command goes on.", file=sys.stderr)
        raise SystemExit(130) from None
    state = "Published" if done.new else "Nothing new: it was published already"
    print(f"{state}\nrevision {done.commit}\n{done.link}")


def _import(options) -> None:
    from training import staging
    from zoo.sharing import imports

    names = ("role", "makes", "reads", "name", "title", "file", "dataset", "side", "architecture", "activation", "last")
    corrections = {name: getattr(options, name) for name in names}
    if options.strides:
        parts = options.strides.split(",")
        if not all(part.strip().isdecimal() for part in parts):
            raise ImportFailed(f"--strides takes whole numbers, as in 1,2,2, not {options.strides!r}.")
        corrections["strides"] = [int(part) for part in parts]
    result = imports.bring(options.source, corrections, say=logging.info)
    folder, told = result.entry.folder, result.report
    if options.to:
        folder = options.to / result.entry.name
        with staging.replacing(folder) as staged:
            shutil.copytree(result.entry.folder, staged, dirs_exist_ok=True)
    for warning in told["warnings"]:
        print(f"WARNING: {warning}")
    print(f"{result.entry.name} ({told['format']}, {told['parameters']:,} parameters)")
    for role, tensors in told["roles"].items():
        print(f"  {role:14} {tensors}")
    for key, what in (("makes", "come out"), ("reads", "go in")):
        if told[key]:
            print(f"  images that {what} hold {imports.RANGES[told[key]]}")
    for guess in told["guesses"]:
        print(f"  guessed: {guess}")
    print(f"{folder}\nin the app: ?source={result.source}")


def _table(options) -> None:
    from training import table

    table.README.write_text(table.updated(table.README.read_text(encoding="utf-8")), encoding="utf-8")
    logging.info("Wrote the table of entries into %s", table.README)


COMMANDS = {
    "recipes": _recipes,
    "train": _train,
    "export": _export,
    "refit": _refit,
    "evaluate": _evaluate,
    "publish": _publish,
    "import": _import,
    "table": _table,
}
