"""What it costs that a network's session also gives its layers: python tests/benchmarks/layers.py [ENTRY …]

For each network: the bytes of its file, the memory that its session takes when it was opened and after it worked,
without and with a look at its layers, and the processor time of an ordinary run with, as a ratio to without. Each is
measured in a process of its own. The last line is JSON.
"""

import contextlib
import ctypes
import gc
import json
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

import numpy as np

from zoo import networks
from zoo.entries import Entry, catalog

SIZES, ROUNDS, SECONDS = (1, 64, 256), 5, 0.15


def resident() -> int:
    """Return the bytes of memory that this process has to itself, without what it freed."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # of the GNU library alone
        ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/smaps_rollup") as file:
        kinds = dict(line.split()[:2] for line in file if line.startswith("Anonymous:"))
    return 1024 * int(kinds["Anonymous:"])


def batch(entry: Entry, role: str, count: int) -> dict[str, np.ndarray]:
    random, network = np.random.default_rng(0), entry.manifest.networks[role]
    most = {"label": max(1, len(entry.classes)), "codes": 2}
    return {
        name: random.integers(most[name], size=(count, *shape)) if name in most else random.random((count, *shape))
        for name, shape in network.inputs.items()
    }


def seconds(entry: Entry, role: str, count: int) -> float:
    """Return the processor time of one run, the least mean of some rounds."""
    inputs, found = batch(entry, role, count), []
    networks.run(entry, role, **inputs)
    for _ in range(ROUNDS):
        start, runs = time.process_time(), 0
        while time.process_time() - start < SECONDS:
            networks.run(entry, role, **inputs)
            runs += 1
        found.append((time.process_time() - start) / runs)
    return min(found)


def measure(name: str, role: str, look: bool) -> dict:
    """Open a network, run it, with `look` after its layers were asked for; return bytes and seconds."""
    entries = {entry.id: entry for entry in catalog.entries()}
    entry = entries.pop(name)
    other = next(iter(entries.values()))
    first = next(iter(other.manifest.networks))
    networks.run(other, first, **batch(other, first, 1))  # what only the first session of a process takes
    empty = resident()
    networks.run(entry, role, **batch(entry, role, 1))
    if look:
        networks.layers(entry, role)
        networks.trace(entry, role, **batch(entry, role, 1))
    opened = resident()
    times = {count: seconds(entry, role, count) for count in SIZES}
    return {"opened": opened - empty, "worked": resident() - empty, "seconds": times}


def one(entry: Entry, role: str) -> dict:
    """Return what a network takes, without and with a look at its layers, each in a process of its own."""
    command = [sys.executable, __file__, "--one", entry.id, role]
    plain, looked = (
        json.loads(subprocess.run([*command, look], stdout=subprocess.PIPE, text=True, check=True).stdout)
        for look in ("", "look")
    )
    ratios = {count: round(looked["seconds"][count] / plain["seconds"][count], 3) for count in plain["seconds"]}
    size = entry.manifest.files[entry.manifest.networks[role].file].size
    return {"network": f"{entry.id} {role}", "file": size, "plain": plain, "looked": looked, "ratios": ratios}


def main() -> None:
    wanted = sys.argv[1:]
    entries = [entry for entry in catalog.entries() if not wanted or entry.id in wanted]
    print(f"{'network':36}{'file':>6}{'opened':>8}{'looked':>8}{'worked':>8}{'looked':>8} MiB  time, for {SIZES}")
    found = []
    for item, role in [(entry, role) for entry in entries for role in entry.manifest.networks]:
        found.append(row := one(item, role))
        sizes = [row[kind][when] / 2**20 for when in ("opened", "worked") for kind in ("plain", "looked")]
        numbers = "".join(f"{size:8.2f}" for size in sizes)
        print(f"{row['network']:36}{row['file'] / 2**20:6.2f}{numbers}      {list(row['ratios'].values())}", flush=True)
    logs = {size: np.log([row["ratios"][str(size)] for row in found]) for size in SIZES}
    mean = {size: round(float(np.exp(np.mean(values))), 3) for size, values in logs.items()}
    print(json.dumps({"networks": len(found), "mean_ratio": mean, "rows": found}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(sys.argv[2], sys.argv[3], sys.argv[4] == "look")))
    else:
        main()
