"""How fast the app opens and answers: python tests/benchmarks/app.py [--rounds N] [--page NAME …]

Each round starts a server of an empty Streamlit app and, for every page, one of ours, in turn, asks for the page as a
browser does (over Streamlit's websocket) and waits until its script has ended: seconds of the first page after the
launch, and the memory of the server's process then (PSS, the pages that it shares counted by halves). On servers that
have answered once, sliders are moved to places where they have not been: seconds from the slider to the end of the
rerun. Prints tables of medians with their ratio to the empty app and, as its last line, JSON.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

ROOT = Path(__file__).parent.parent.parent
EMPTY = 'import streamlit as st\n\nst.slider("Empty", 0.0, 2.0, 1.0)\n'
PAGES = ("", "interpolation", "reconstruction", "generation", "distributions", "leaderboard", "publish", "import")
# page → the label of a slider and the ends of its range
SLIDERS = {
    "reconstruction": ("Added noise", 0.0, 0.5),
    "generation": ("Temperature", 0.0, 2.0),
}
MOVES = 7


class Server:
    """An app in a process of its own, just launched, ready for its first visitor."""

    def __init__(self, script: Path, cwd: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = (sys.executable, "-m", "streamlit", "run", script, "--server.port", str(self.port))
        settings = {"STREAMLIT_SERVER_ADDRESS": "127.0.0.1", "STREAMLIT_SERVER_HEADLESS": "true", "HF_HUB_OFFLINE": "1"}
        self.process = subprocess.Popen(
            command, cwd=cwd, env=os.environ | settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait()

    def _wait(self) -> None:
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_stcore/health", timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
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
def launched(script: Path, cwd: Path) -> Iterator[Server]:
    """Run an app for the duration of the block."""
    server = Server(script, cwd)
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
        self.page, self.sliders, self.moved = page, {}, {}

    def run(self) -> float:
        """Ask for a run of the page's script and return the seconds until it has ended."""
        message = BackMsg()
        message.rerun_script.page_name = self.page
        for name, value in self.moved.items():
            state = message.rerun_script.widget_states.widgets.add()
            state.id = name
            state.double_array_value.data.append(value)
        start = time.perf_counter()
        self.socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg.FromString(self.socket.recv(timeout=300))
            kind = answer.WhichOneof("type")
            if kind == "script_finished":
                return time.perf_counter() - start
            if kind == "delta" and answer.delta.new_element.WhichOneof("type") == "slider":
                slider = answer.delta.new_element.slider
                self.sliders[slider.label] = slider.id

    def move(self, label: str, value: float) -> float:
        """Move a slider and return the seconds of the rerun."""
        self.moved = {self.sliders[label]: value}
        return self.run()

    def leave(self) -> None:
        self.socket.close()


def opening(script: Path, cwd: Path, page: str) -> tuple[float, float]:
    """Return the seconds of the first page after a launch, and the megabytes of the process after it."""
    with launched(script, cwd) as server:
        visitor = Visitor(server, page)
        seconds = visitor.run()
        visitor.leave()
        return seconds, server.memory()


def answering(script: Path, cwd: Path, page: str, slider: tuple[str, float, float]) -> float:
    """Return the median seconds of a rerun after a slider was moved to a new place, on a server that is warm."""
    label, low, high = slider
    with launched(script, cwd) as server:
        visitor = Visitor(server, page)
        visitor.run()
        seconds = [visitor.move(label, low + (high - low) * (i + 1) / (MOVES + 2)) for i in range(MOVES)]
        visitor.leave()
        return statistics.median(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--page", action="append", help='only these; "" is the start page')
    options = parser.parse_args()
    pages = options.page if options.page is not None else PAGES
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.py"
        empty.write_text(EMPTY)
        asked = {"empty": (empty, Path(folder), "")} | {
            page or "start page": (ROOT / "streamlit_app.py", ROOT, page) for page in pages
        }
        opened: dict[str, list] = {name: [] for name in asked}
        for _ in range(options.rounds):
            for name, app in asked.items():
                opened[name].append(opening(*app))
        sliders = {page: slider for page, slider in SLIDERS.items() if page in pages}
        moved = {"empty": answering(*asked["empty"], ("Empty", 0.0, 2.0))}
        for page, slider in sliders.items():
            moved[page] = answering(*asked[page], slider)
    rows = {
        name: {"seconds": statistics.median(s for s, _ in found), "megabytes": statistics.median(m for _, m in found)}
        for name, found in opened.items()
    }
    print(f"{'first page':16}{'s':>8}{'× empty':>9}{'MB':>8}{'× empty':>9}")
    for name, row in rows.items():
        row |= {
            "ratio": row["seconds"] / rows["empty"]["seconds"],
            "memory ratio": row["megabytes"] / rows["empty"]["megabytes"],
        }
        print(f"{name:16}{row['seconds']:8.2f}{row['ratio']:9.2f}{row['megabytes']:8.0f}{row['memory ratio']:9.2f}")
    print(f"\n{'slider moved':16}{'ms':>8}{'× empty':>9}")
    answers = {name: {"seconds": value, "ratio": value / moved["empty"]} for name, value in moved.items()}
    for name, row in answers.items():
        print(f"{name:16}{1e3 * row['seconds']:8.0f}{row['ratio']:9.2f}")
    print(json.dumps({"opening": rows, "sliders": answers}))


if __name__ == "__main__":
    main()
