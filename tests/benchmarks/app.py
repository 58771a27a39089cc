"""How fast the app opens and answers: python tests/benchmarks/app.py [--rounds N] [--page NAME …]

Each round starts a server of an empty Streamlit app and, for every page, one of ours, in turn, asks for the page as a
browser does (over Streamlit's websocket) and waits until its script has ended: seconds of the first page after the
launch, and the memory of the server's process then (PSS, the pages that it shares counted by halves); of ours also once
the server has had the time to prepare, and with a zoo of 500 entries. On servers that have answered once, what follows
the hand is moved to places where it has not been: seconds from the release to the end of the rerun. Prints tables of
medians with their ratio to the empty app and, as its last line, JSON.
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

ROOT = Path(__file__).parent.parent.parent
EMPTY_SLIDER = "Empty"
EMPTY = f'import streamlit as st\n\nst.slider("{EMPTY_SLIDER}", 0.0, 2.0, 1.0)\n'
PAGES = ("", "interpolation", "reconstruction", "generation", "distributions", "leaderboard", "publish", "import")
# page → the name of a slider, or the key of what follows the hand, and the ends of its range
MOVED = {
    "interpolation": ("place", 0.0, 1.0),
    "reconstruction": ("degrading-noise", 0.0, 0.5),
    "generation": ("strength-temperature", 0.0, 2.0),
}
MANY = 500  # entries
PREPARED = 8  # seconds after the launch when a server has prepared what it can
MOVES = 7


class Server:
    """An app in a process of its own, just launched, ready for its first visitor."""

    def __init__(self, script: Path, cwd: Path, **further: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = (sys.executable, "-m", "streamlit", "run", script, "--server.port", str(self.port))
        settings = {"STREAMLIT_SERVER_ADDRESS": "127.0.0.1", "STREAMLIT_SERVER_HEADLESS": "true", "HF_HUB_OFFLINE": "1"}
        self.process = subprocess.Popen(
            command, cwd=cwd, env=os.environ | settings | further, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.launched = time.perf_counter()
        self._wait()
        self.ready = time.perf_counter() - self.launched

    def _wait(self) -> None:
        for _ in range(6000):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_stcore/health", timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.01)
        raise SystemExit("The app did not start.")

    def memory(self) -> float:
        """Return the process's proportional set size, in megabytes; nan where the system does not tell."""
        rollup = Path(f"/proc/{self.process.pid}/smaps_rollup")
        if not rollup.exists():
            return float("nan")
        kilobytes = next(line.split()[1] for line in rollup.read_text().splitlines() if line.startswith("Pss:"))
        return int(kilobytes) / 1e3

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


@contextmanager
def launched(script: Path, cwd: Path, **settings: str) -> Iterator[Server]:
    """Run an app for the duration of the block."""
    server = Server(script, cwd, **settings)
    try:
        yield server
    finally:
        server.stop()


class Visitor:
    """One browser session, by the messages that a browser sends."""

    def __init__(self, server: Server, page: str) -> None:
        self.socket = connect(
            f"ws://127.0.0.1:{server.port}/_stcore/stream", subprotocols=["streamlit"], max_size=None, legacy=True
        )
        self.page, self.found = page, {}

    def run(self, ask: BackMsg | None = None) -> float:
        """Ask for a run of the page's script and return the seconds until it has ended."""
        message = ask or BackMsg()
        message.rerun_script.page_name = self.page
        start = time.perf_counter()
        self.socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg.FromString(self.socket.recv(timeout=300))
            kind = answer.WhichOneof("type")
            if kind == "script_finished":
                return time.perf_counter() - start
            if kind == "delta":
                self._note(answer.delta)

    def _note(self, delta) -> None:
        """Remember what can be moved: its id, and the fragment that a move runs anew."""
        element = delta.new_element
        if element.WhichOneof("type") == "slider":
            self.found[element.slider.label] = (element.slider.id, delta.fragment_id)
        elif element.WhichOneof("type") == "bidi_component":
            data = json.loads(element.bidi_component.json)
            self.found[data.get("key")] = (element.bidi_component.id, delta.fragment_id)

    def move(self, name: str, value: float) -> float:
        """Move a slider, or release what follows the hand, and return the seconds of the rerun."""
        message, (place, fragment) = BackMsg(), self.found[name]
        message.rerun_script.fragment_id = fragment
        state = message.rerun_script.widget_states.widgets.add(id=place)
        if name == EMPTY_SLIDER:
            state.double_array_value.data.append(value)
        else:
            state.json_value = json.dumps({"at": [value]})
        return self.run(message)

    def leave(self) -> None:
        self.socket.close()


class Opening(NamedTuple):
    """Seconds from the launch until the server is ready, and of the first page then; megabytes of the process."""

    ready: float
    seconds: float
    megabytes: float


def opening(script: Path, cwd: Path, page: str, wait: float = 0, **settings: str) -> Opening:
    """Open a page on a server that was launched for it, at once or so many seconds after the launch."""
    with launched(script, cwd, **settings) as server:
        time.sleep(max(0.0, wait - server.ready))
        visitor = Visitor(server, page)
        seconds = visitor.run()
        visitor.leave()
        return Opening(server.ready, seconds, server.memory())


def answering(script: Path, cwd: Path, page: str, moved: tuple[str, float, float]) -> float:
    """Return the median seconds of a rerun after something was moved to a new place, on a server that is warm."""
    name, low, high = moved
    with launched(script, cwd) as server:
        visitor = Visitor(server, page)
        visitor.run()
        seconds = [visitor.move(name, low + (high - low) * (i + 1) / (MOVES + 2)) for i in range(MOVES)]
        visitor.leave()
        return statistics.median(seconds)


def many(folder: Path) -> str:
    """Make a folder of entries, so that the zoo has MANY with the embedded ones, and return its path."""
    embedded = sorted(path for path in (ROOT / "zoo" / "pretrained").iterdir() if path.is_dir())
    for index in range(MANY - len(embedded)):
        source = embedded[index % len(embedded)]
        shutil.copytree(source, folder / f"{source.name}-{index // len(embedded) + 2}", symlinks=True)
    return str(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--page", action="append", help='only these; "" is the start page')
    options = parser.parse_args()
    pages = options.page if options.page is not None else PAGES
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.py"
        empty.write_text(EMPTY)
        ours = (ROOT / "streamlit_app.py", ROOT)
        asked: dict[str, Callable[[], Opening]] = {"empty": lambda: opening(empty, Path(folder), "")}
        for page in pages:
            asked[page or "start page"] = lambda page=page: opening(*ours, page)
            asked[f"{page or 'start page'}, prepared"] = lambda page=page: opening(*ours, page, PREPARED)
        if "" in pages:
            zoo = many(Path(folder) / "zoo")
            asked[f"start page, {MANY} entries"] = lambda: opening(*ours, "", PREPARED, ZOO_SOURCES=zoo)
        opened: dict[str, list[Opening]] = {name: [] for name in asked}
        for _ in range(options.rounds):
            for name, ask in asked.items():
                opened[name].append(ask())
        moved = {"empty": answering(empty, Path(folder), "", (EMPTY_SLIDER, 0.0, 2.0))}
        for page in pages:
            if page in MOVED:
                moved[page] = answering(*ours, page, MOVED[page])
    rows = {
        name: {field: statistics.median(getattr(one, field) for one in found) for field in Opening._fields}
        for name, found in opened.items()
    }
    print(f"{'first page':28}{'ready':>7}{'s':>8}{'× empty':>9}{'MB':>8}{'× empty':>9}")
    for name, row in rows.items():
        row |= {
            "ratio": row["seconds"] / rows["empty"]["seconds"],
            "memory ratio": row["megabytes"] / rows["empty"]["megabytes"],
        }
        print(
            f"{name:28}{row['ready']:7.2f}{row['seconds']:8.2f}{row['ratio']:9.2f}{row['megabytes']:8.0f}"
            f"{row['memory ratio']:9.2f}"
        )
    print(f"\n{'moved':28}{'ms':>8}{'× empty':>9}")
    answers = {name: {"seconds": value, "ratio": value / moved["empty"]} for name, value in moved.items()}
    for name, row in answers.items():
        print(f"{name:28}{1e3 * row['seconds']:8.0f}{row['ratio']:9.2f}")
    print(json.dumps({"opening": rows, "moved": answers}))


if __name__ == "__main__":
    main()
