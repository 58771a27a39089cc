"""Environment variables, one row each: what the app, its pages and training read from the environment.

README's table is made of these rows; a test compares them.
"""

import os
from pathlib import Path
from typing import NamedTuple


class Setting(NamedTuple):
    """One environment variable: its name, an example of a value, and what it does."""

    name: str
    example: str
    meaning: str

    def read(self) -> str:
        """Return its value now, "" where it is not set."""
        return os.environ.get(self.name, "")


DATA = Setting("ZOO_DATA", "~/datasets", "Folder of datasets in the Hub's layout, looked into before the Hub is asked")
SOURCES = Setting("ZOO_SOURCES", "./my-entries,ada", "Where further entries come from, separated by commas")
TOURS = Setting("ZOO_TOURS", "~/tours", "Folder of further tours for the page Learn, a folder of TOML files each")
HOSTED = Setting("ZOO_HOSTED", "1", "Visitors are strangers: no folders of the server, no token of the host for them")
CACHE = Setting(
    "ZOO_CACHE_GB",
    "20",
    "Gigabytes that the Hub's cache may hold; what was used longest ago is deleted. Unset: no bound",
)
PREPARE = Setting(
    "ZOO_PREPARE", "0", "Prepare nothing before the first visitor: less work at the start, more for who comes first"
)
SETTINGS = (
    DATA,
    SOURCES,
    TOURS,
    HOSTED,
    CACHE,
    PREPARE,
    Setting("HF_TOKEN", "hf_…", "Token for private repositories and for publishing; never an argument"),
    Setting("HF_ENDPOINT", "https://hub.example.org", "Another Hub than huggingface.co, for the client and for links"),
    Setting(
        "HF_HOME",
        "~/.cache/huggingface",
        "Where the Hub's client keeps files, and this app its imports and decoded images",
    ),
    Setting("HF_HUB_OFFLINE", "1", "Ask the Hub nothing; what lies in its cache is used"),
    Setting("KERAS_BACKEND", "jax", "Backend of training: tensorflow (as given) or jax"),
)


def hosted() -> bool:
    """Return whether visitors are strangers to the host."""
    return HOSTED.read() not in ("", "0")


def kept(what: str) -> Path:
    """Return the folder where the zoo keeps something on this machine, e.g. "imports": beside what the Hub's client
    keeps for libraries, without importing it."""
    home = os.environ.get("HF_HOME") or os.path.join(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    assets = os.environ.get("HF_ASSETS_CACHE") or os.path.join(home, "assets")
    return Path(assets).expanduser() / "latent-zoo" / what


def readme_table() -> str:
    """Return the rows as a table in Markdown."""
    rows = [f"| `{row.name}` | `{row.example}` | {row.meaning} |" for row in SETTINGS]
    return "\n".join(["| variable | for example | meaning |", "|---|---|---|", *rows])
