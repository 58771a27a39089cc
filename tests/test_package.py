"""What pip installs is the same app: requirements and constraints say what pyproject.toml says, and the wheel runs."""

import email
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, Server, complaints, settle
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import zoo

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
SHIPPED = ("zoo", "training", "pages", "streamlit_app.py", ".streamlit")


def lines(name: str) -> list[str]:
    """Return the lines of a file of the root, without comments."""
    return [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]


def test_the_files_that_hosts_read_name_the_dependencies_of_the_package():
    assert lines("requirements-app.txt") == PROJECT["dependencies"]
    assert EXTRAS["dev"][0] == "latent-zoo[train]"
    assert lines("requirements.txt") == ["-r requirements-app.txt", *EXTRAS["train"], *EXTRAS["dev"][1:]]


def test_constraints_pin_a_version_of_every_dependency_that_is_allowed():
    pins = dict(line.split("==") for line in lines("constraints.txt"))
    pins = {canonicalize_name(name): version for name, version in pins.items()}
    for requirement in map(Requirement, [*PROJECT["dependencies"], *EXTRAS["train"], *EXTRAS["dev"][1:], "jax"]):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement


def test_make_and_ci_install_by_the_constraints():
    for name in ("Makefile", ".ci/run"):
        installs = re.findall(r"^.*\binstall\b.* (?:-r|jax).*$", (ROOT / name).read_text(), re.M)
        assert installs
        for line in installs:
            assert "constraints.txt" in line or "$(INSTALL)" in line or "$(VENV)/lock" in line, line


def test_commits_and_pushes_are_checked_by_the_same_commands():
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    steps = workflow["jobs"]["everything"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]
    assert os.access(ROOT / ".ci/run", os.X_OK)
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)[1]
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    checks = [hook["entry"].replace(" --force-exclude", "").removeprefix(".venv/bin/") for hook in hooks]
    assert [line.strip().removeprefix("$(BIN)/").removesuffix(" .") for line in lint.splitlines()] == checks
    checked = [sys.executable, "-m", "pre_commit", "validate-config", ".pre-commit-config.yaml"]
    subprocess.run(checked, cwd=ROOT, check=True, timeout=60)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from this checkout without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder]
    subprocess.run([*command, ROOT], check=True, capture_output=True, timeout=300)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The folder of programs of an environment that holds the wheel, and this one's packages behind it."""
    place = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True, timeout=120)
    programs = place / "bin"
    install = ["pip", "--python", programs / "python", "install", "--no-deps", "--no-index", wheel]
    subprocess.run([sys.executable, "-m", *install], check=True, capture_output=True, timeout=300)
    inside = place / Path(zoo_folder(programs / "python")).parent
    (inside / "behind.pth").write_text(sysconfig.get_path("purelib"))
    return programs


def zoo_folder(python: Path) -> str:
    """Where an interpreter finds the package when it runs outside the repository."""
    found = subprocess.run(
        [python, "-c", "import zoo; print(*zoo.__path__, zoo.__version__)"],
        cwd=python.parent, env=os.environ | {"PYTHONPATH": ""}, check=True, capture_output=True, text=True, timeout=60,
    ).stdout.split()  # fmt: skip
    assert found[1] == zoo.__version__
    return found[0]


def test_the_wheel_holds_what_is_kept_in_the_repository(wheel):
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
        about = next(name for name in names if name.endswith(".dist-info/METADATA"))
        said = email.message_from_bytes(packed.read(about))
    here = {path.relative_to(ROOT) for part in SHIPPED for path in [ROOT / part, *(ROOT / part).rglob("*")]}
    kept = {path.as_posix() for path in here if (ROOT / path).is_file() and "__pycache__" not in path.parts}
    assert {name for name in kept if not name.startswith("zoo/pretrained/.")} <= names
    assert {name.partition("/")[0] for name in names} == {*SHIPPED, about.partition("/")[0]}
    assert said["Version"] == zoo.__version__
    needed = [name for name in said.get_all("Requires-Dist", []) if "extra" not in name]
    assert sorted(needed) == sorted(PROJECT["dependencies"])


def test_the_installed_app_opens_outside_the_repository(installed, tmp_path, tab):
    assert not Path(zoo_folder(installed / "python")).is_relative_to(ROOT)
    command = [str(installed / "latent-zoo"), "app", "--port", "{port}"]
    server = Server(tmp_path / "log", command=command, cwd=tmp_path, PYTHONPATH="")
    try:
        page = tab(server.url)
        page.goto(server.url)
        settle(page)
        assert page.locator("[data-testid=stMain] img").count() >= 12  # the first sheets of the embedded zoo
        ground = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
        assert page.evaluate(ground) == "rgb(253, 252, 250)"  # of .streamlit/config.toml: it travels as well
        page.goto(f"{server.url}/generation")
        settle(page)
        page.get_by_role("button", name="Image 24 by").first.wait_for()  # a network has drawn
        assert not complaints(page)
    finally:
        server.stop()


def test_the_installed_command_publishes_an_embedded_entry(installed, tmp_path):
    """Whole: publishing needs the Keras weights too, and compares the sha256 of every file."""
    done = subprocess.run(
        [installed / "latent-zoo", "publish", "digits-vae", "ada/digits-vae", "--dry-run"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": ""}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "model.weights.h5" in done.stdout and "zoo.json" in done.stdout
