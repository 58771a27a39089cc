"""Parquet files read by a process of their own, with limits on memory and time.

Whoever publishes an entry names a dataset. What zoo.data.tables refuses is said in one sentence, and what it does not
foresee is ended by the system before the app is in need.
"""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from zoo import limits
from zoo.data.files import Files
from zoo.data.records import Request
from zoo.errors import DatasetUnavailable

MEMORY = 1 << 30  # bytes above what the empty process takes
SECONDS = 30  # of processor time, and as many more as the bytes of the files take at SPEED
SPEED = 1 << 20  # bytes of files per second
SLOWER = 4  # times as long may pass on the clock, for a machine that is busy
LINE = 1 << 16  # bytes of an answer
# Arrow's own allocator takes a gibibyte of addresses at once, which counts as memory.
ALLOCATOR = {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"}


def build(folder: Path, files: Files, request: Request, destination: Path, report: Callable[[float], None]) -> None:
    """Decode the images of a split of parquet files into a pool.

    Raises:
        DatasetUnavailable: what is asked for cannot be had of these files.
        ValueError, OSError: what cannot be read, for the caller to say of which dataset.
    """
    seconds = SECONDS + sum((folder / name).stat().st_size for name in files.names) // SPEED
    task = {
        "folder": str(folder.resolve()), "names": files.names, "held_out": files.held_out,
        "siblings": [name for name in files.siblings if (folder / name).is_file()],  # those that were downloaded
        "request": asdict(request), "destination": str(destination), "memory": MEMORY, "seconds": seconds,
    }  # fmt: skip
    answer, code = _run(task, report)
    if "unavailable" in answer:
        raise DatasetUnavailable(answer["unavailable"])
    if "wrong" in answer:
        raise ValueError(answer["wrong"])
    if "damaged" in answer:
        raise OSError("damaged")
    if code == -signal.SIGXCPU:
        raise ValueError(f"it takes more than {seconds} seconds of computing to read")
    if "done" not in answer:
        raise ValueError(f"it takes more than {MEMORY >> 30} GiB of memory to read, or ends what reads it")


def _run(task: dict, report: Callable[[float], None]) -> tuple[dict, int]:
    """Let the process do a task; return its last answer and how it ended. It never outlives this call."""
    child = subprocess.Popen(
        [sys.executable, "-m", "zoo.data.tables"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, cwd=limits.ROOT, env=limits.environment() | ALLOCATOR,
    )  # fmt: skip
    assert child.stdin is not None and child.stdout is not None  # both are pipes
    clock = threading.Timer(SLOWER * task["seconds"], child.kill)
    clock.start()
    answer, late = {}, False
    try:
        child.stdin.write(json.dumps(task).encode())
        child.stdin.close()
        while line := child.stdout.readline(LINE):
            answer = json.loads(line)
            if "part" in answer:
                report(answer["part"])
        child.wait()
    except (BrokenPipeError, json.JSONDecodeError):  # how it ended tells why
        answer = {}
    finally:
        late = clock.finished.is_set()
        clock.cancel()
        child.kill()
        child.stdout.close()
        child.wait()
    return answer, -signal.SIGXCPU if late else child.returncode
