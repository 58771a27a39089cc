"""Command line: latent-zoo, or python -m training.

One function per verb: its signature holds the arguments and options, its docstring the help. What a verb needs of Keras
it imports itself, so that help, app and publish work without it.
"""

import logging
import os
import pathlib
import shutil
import subprocess
import sys
import warnings
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from zoo import atomic
from zoo.errors import ImportFailed, ZooError
from zoo.sharing import imports
from zoo.sharing.corrections import PRIORS, RANGES, ROLES, Prior, Role, range_text

ROOT = pathlib.Path(__file__).parent.parent
RUNS = pathlib.Path("runs")
ENTRIES = ROOT / "zoo" / "pretrained"
APP = ROOT / "streamlit_app.py"
TRAINING = {"keras", "tensorflow", "jax", "h5py", "tf2onnx", "tqdm"}  # installed by the extra "train" alone
INSTALL = 'pip install "latent-zoo[train]"'

log = logging.getLogger("training")


class Verbs(TyperGroup):
    """Ends a verb that refuses or lacks something with one sentence on stderr: status 2, and 130 when interrupted."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ZooError as mistake:
            sentence, status = f"error: {mistake}", 2
        except ModuleNotFoundError as missing:
            package = (missing.name or "").partition(".")[0]
            if package not in TRAINING:
                raise
            sentence, status = f"error: `{ctx.invoked_subcommand}` needs {package}: {INSTALL}.", 2
        except OSError as error:
            if (reason := atomic.reason(error)) is None:
                raise
            place = f" ({error.filename})" if error.filename else ""
            again = AGAIN.get(ctx.invoked_subcommand, "")
            sentence, status = f"error: {reason}{place}: free some space or choose another folder{again}.", 2
        except KeyboardInterrupt:
            again = AGAIN.get(ctx.invoked_subcommand, "")
            sentence, status = f"Interrupted{again}.", 130
        typer.echo(sentence, err=True)
        raise typer.Exit(status)


AGAIN = {
    "train": "; the same command resumes after the last finished epoch",
    "publish": "; nothing half-published is visible, and the same command goes on",
}

app = typer.Typer(
    cls=Verbs,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
SEE, MAKE, SHARE = "Look at entries", "Make entries", "Share entries"

Runs = Annotated[pathlib.Path, typer.Option(help="Folder of the runs.", metavar="FOLDER")]
Entries = Annotated[
    pathlib.Path,
    typer.Option(help="Folder of the entries; by default zoo/pretrained.", metavar="FOLDER", show_default=False),
]
EntryName = Annotated[
    str, typer.Argument(metavar="ENTRY", help="Name of an entry (its folder in --entries), or path of its folder.")
]


@app.callback()
def start() -> None:
    """Train autoencoders and GANs, measure them, share them, and look at them in the browser.

    Data comes from the Hugging Face Hub, or from the folder that ZOO_DATA names.
    KERAS_BACKEND=jax trains on JAX; a GPU is used when there is one.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)


@app.command("app", rich_help_panel=SEE)
def show(
    port: Annotated[int, typer.Option(min=1, max=65535, metavar="NUMBER", help="Port of the server.")] = 8501,
) -> None:
    """Start the app: the gallery in your browser."""
    # The process becomes the server, so that signals reach it and training stays outside of it.
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", str(APP), "--server.port", str(port)])


@app.command(rich_help_panel=MAKE)
def recipes(
    family: Annotated[
        str | None, typer.Argument(metavar="FAMILY", help="Show every key that this family's recipes take.")
    ] = None,
) -> None:
    """List the recipes, or the keys of a family."""
    from training import library

    if family:
        model = library.family(family).Recipe
        for key, field in model.model_fields.items():
            default = "required" if field.is_required() else f"default {field.default!r}"
            print(f"{key:16} {default:22} {field.description or ''}".rstrip())
        return
    for name in library.recipes():
        recipe = library.load(name)
        print(f"{name:20} {recipe.family:12} {recipe.dataset:14} {recipe.epochs:4} epochs   {recipe.title}")


@app.command(rich_help_panel=MAKE)
def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="Name of a recipe, or path of a .toml file.")],
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override one key of the recipe; may be repeated."),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over instead of resuming.")] = False,
    entry: Annotated[
        bool, typer.Option("--entry", help="Then export and evaluate: the entry appears in the gallery.")
    ] = False,
    runs: Runs = RUNS,
    entries: Entries = ENTRIES,
) -> None:
    """Train a recipe, or resume its interrupted run.

    The run is kept in runs/NAME.

    Example: train mnist-vae --set latent=8 --set name=my-vae --entry
    """
    from training import library

    chosen = library.load(recipe, overrides or [])
    from training import run

    run.train(chosen, runs, fresh)
    if entry:
        # Fresh processes: exporting needs TensorFlow, whatever backend trained the run.
        for verb, *more in (("export", "--runs", str(runs)), ("evaluate",)):
            command = [sys.executable, "-m", "training", verb, chosen.name, "--entries", str(entries), *more]
            if status := subprocess.run(command, env=os.environ | {"KERAS_BACKEND": "tensorflow"}).returncode:
                raise typer.Exit(status)


@app.command(rich_help_panel=MAKE)
def export(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Name of the run (its folder in --runs).")],
    runs: Runs = RUNS,
    entries: Entries = ENTRIES,
) -> None:
    """Write a finished run as an entry: Keras weights, verified ONNX files, sheets and card."""
    # Keras writes ONNX through TensorFlow; on the CPU, for a GPU's rounding (TF32) is coarser than what is verified.
    os.environ |= {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
    logging.getLogger("tf2onnx").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=FutureWarning, module="keras")
    from training import device, export  # noqa: F401  (device first: it imports Keras quietly)

    entry = export.export(runs / run, entries)
    log.info("Wrote %s", entry.folder)


@app.command(rich_help_panel=MAKE)
def evaluate(
    entry: EntryName,
    seed: Annotated[int, typer.Option(min=0, metavar="NUMBER", help="Seed of the drawn samples.")] = 0,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GROUP",
            help="Measure only accuracy, reconstruction, generation, samplers, modes, likelihood, codes, categories or "
            "speed, and keep the other figures; may be repeated. Group inception needs torch-fidelity and its network, "
            "and is measured only when it is named.",
        ),
    ] = None,
    entries: Entries = ENTRIES,
) -> None:
    """Measure an entry and record the figures in its manifest and card.

    Example: evaluate mnist-vae --only generation --only samplers
    """
    from training import evaluate

    evaluate.evaluate(_folder(entry, entries), seed, only or ())


@app.command(rich_help_panel=MAKE)
def refit(entry: EntryName, entries: Entries = ENTRIES) -> None:
    """Fit an entry's samplers, mixture and flow, to the codes of training images anew."""
    from training import aggregate

    log.info("Wrote %s", aggregate.refit(_folder(entry, entries)).folder)


@app.command(rich_help_panel=MAKE)
def table() -> None:
    """Renew the tables of entries and claims in README.md of a checkout."""
    from training import table

    table.README.write_text(table.updated(table.README.read_text(encoding="utf-8")), encoding="utf-8")
    log.info("Wrote the table of entries into %s", table.README)


@app.command(rich_help_panel=SHARE)
def publish(
    entry: EntryName,
    repository: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="Model repository; made if there is none.")],
    private: Annotated[bool, typer.Option("--private", help="Make a new repository private.")] = False,
    tag: Annotated[str | None, typer.Option(metavar="v1", help="Name this version.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be uploaded; needs neither token nor network.")
    ] = False,
    entries: Entries = ENTRIES,
) -> None:
    """Upload an entry to the Hugging Face Hub, with the token in HF_TOKEN.

    Example: publish mnist-vae ada/mnist-vae --dry-run
    """
    from zoo.entries import read
    from zoo.sharing import publish

    logging.getLogger("httpx2").setLevel(logging.WARNING)
    publish.check_names(repository, tag)
    made = read(_folder(entry, entries))
    if dry_run:
        with publish.staged(made, repository) as copy:
            files = publish.uploads(copy)
            for file in files:
                print(f"{file.size:12,}  {file.sha256[:12]}  {'LFS' if file.large else 'Git'}  {file.path}")
            print(f"{sum(file.size for file in files):12,}  bytes in {len(files)} files for {repository}\n")
            print((copy.folder / "README.md").read_text(encoding="utf-8"), end="")
        return

    def report(part: float, text: str) -> None:
        log.info("%3.0f %%  %s", 100 * part, text)

    done = publish.publish(made, repository, private=private, tag=tag, report=report)
    state = "Published" if done.new else "Nothing new: it was published already"
    print(f"{state}\nrevision {done.commit}\n{done.link}")


WEIGHTS = "Weights without a configuration"


def _option(metavar: str | None, meaning: str, *names: str, panel: str | None = None) -> Any:
    return typer.Option(*names, metavar=metavar, help=meaning, rich_help_panel=panel)


@app.command("import", rich_help_panel=SHARE)
def adopt(
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help=r"File, folder, zip, or repository owner/name\[@revision] of the Hub."),
    ],
    to: Annotated[pathlib.Path | None, _option("FOLDER", "Write the entry there, as FOLDER/<name>.")] = None,
    role: Annotated[Role | None, _option("ROLE", f"What it is, where names do not tell: {', '.join(ROLES)}.")] = None,
    makes: Annotated[
        str | None, _option("RANGE", f"Values of images that come out: {', '.join(RANGES)}, or low:high.", "--range")
    ] = None,
    reads: Annotated[str | None, _option("RANGE", "Values of images expected to go in.")] = None,
    prior: Annotated[Prior | None, _option("PRIOR", f"What codes are drawn from: {', '.join(PRIORS)}.")] = None,
    shape: Annotated[str | None, _option("HxW", "Height and width of images that are written as vectors.")] = None,
    classes: Annotated[int | None, _option("K", "The last K values that go in are a one-hot label.")] = None,
    name: Annotated[str | None, _option("NAME", "Name of the entry; by default that of the source.")] = None,
    title: Annotated[str | None, _option("TEXT", "Title of the entry.")] = None,
    file: Annotated[list[str] | None, _option("FILE", "The model to take of several; may be repeated.")] = None,
    dataset: Annotated[str | None, _option("NAME", "What it was trained on, for example mnist.")] = None,
    side: Annotated[int | None, _option("PIXELS", "Side of the images, where the network is open in size.")] = None,
    architecture: Annotated[
        str | None, _option("NAME", "A known architecture, or a recipe of this project.", panel=WEIGHTS)
    ] = None,
    strides: Annotated[str | None, _option("1,2,2", "Strides of the convolutions, in order.", panel=WEIGHTS)] = None,
    activation: Annotated[
        str | None, _option("NAME", "Between the layers, for example relu or leaky_relu.", panel=WEIGHTS)
    ] = None,
    last: Annotated[
        str | None, _option("NAME", "At the end, for example tanh or sigmoid.", "--output-activation", panel=WEIGHTS)
    ] = None,
) -> None:
    """Make an entry of a network that somebody else made: with Keras, as ONNX, or as a state_dict of PyTorch.

    Keras networks are rebuilt in a separate process, ONNX networks are checked and kept as they are; none of their own
    code runs, and no pickle is opened.

    Examples: import someone/their-gan; import old-generator.h5 --range symmetric; import netG.onnx; import vae.pth
    """
    corrections: dict[str, Any] = {"role": role, "makes": makes, "reads": reads, "name": name, "title": title}
    corrections |= {"file": file, "dataset": dataset, "side": side, "prior": prior, "shape": shape, "classes": classes}
    corrections |= {"architecture": architecture, "activation": activation, "last": last}
    if strides:
        corrections["strides"] = _numbers(strides)
    result = imports.import_model(source, corrections, say=log.info)
    for made, report in zip(result.entries, result.reports, strict=True):
        folder = made.folder
        if to:
            from training import staging

            folder = to / made.name
            with staging.replacing(folder) as staged:
                shutil.copytree(made.folder, staged, dirs_exist_ok=True)
        _print_report(made.name, report)
        print(folder)
    print(f"in the app: ?source={result.source}")


def _numbers(strides: str) -> list[int]:
    parts = strides.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise ImportFailed(f"--strides takes whole numbers, as in 1,2,2, not {strides!r}.")
    return [int(part) for part in parts]


def _print_report(name: str, report: dict[str, Any]) -> None:
    """What an import found and guessed about an entry, as in imports.Result.reports."""
    for warning in report["warnings"]:
        print(f"WARNING: {warning}")
    print(f"{name} ({report['format']}, {report['parameters']:,} parameters)")
    for role, tensors in report["roles"].items():
        print(f"  {role:14} {tensors}")
    for key, what in (("makes", "come out"), ("reads", "go in")):
        if report[key]:
            print(f"  images that {what} hold {range_text(report[key])}")
    for guess in report["guesses"]:
        print(f"  guessed: {guess}")


def _folder(entry: str, entries: pathlib.Path) -> pathlib.Path:
    folder = pathlib.Path(entry)
    for parent in {folder.parent, entries}:
        atomic.sweep(parent)  # it may be among what a process left that was killed
    return folder if (folder / "zoo.json").exists() else entries / entry


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status; what the user got wrong is one sentence on stderr and status 2."""
    try:
        app(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    return 0
