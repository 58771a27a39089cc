"""What it costs that a network's session also gives its layers: python tests/benchmarks/layers.py [ENTRY …]

For each network: the bytes of its file, the memory that its session takes, how much more it takes once it also gives
its layers (the one session takes the other's place), and the processor time of an ordinary run after and before, as a
ratio. Each network is measured in a process of its own. The last line is JSON.
"""

import json
import subprocess
import sys
import time

import numpy as np

from zoo import networks
from zoo.entries import catalog
from zoo.networks import inference

SIZES, ROUNDS, SECONDS = (1, 64, 256), 5, 0.15


def resident() -> int:
    """Return the bytes of memory that this process holds alone or shares with none."""
    with open("/proc/self/smaps_rollup") as file:
        kinds = dict(line.split()[:2] for line in file if line.startswith(("Private_Dirty", "Anonymous")))
    return 1024 * int(kinds["Anonymous:"])


def batch(entry, role: str, count: int) -> dict[str, np.ndarray]:
    random, network = np.random.default_rng(0), entry.manifest.networks[role]
    most = {"label": max(1, len(entry.classes)), "codes": 2}
    return {
        name: random.integers(most[name], size=(count, *shape)) if name in most else random.random((count, *shape))
        for name, shape in network.inputs.items()
    }


def seconds(entry, role: str, count: int) -> float:
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


def measure(name: str, role: str) -> dict:
    entry = catalog.find(name)
    other = next(e for e in catalog.entries() if e != entry)
    networks.run(other, next(iter(other.manifest.networks)), **batch(other, next(iter(other.manifest.networks)), 1))
    empty = resident()
    networks.run(entry, role, **batch(entry, role, 1))
    plain = resident()
    before = {count: seconds(entry, role, count) for count in SIZES}
    worked = resident()
    found = networks.layers(entry, role)
    networks.run(entry, role, **batch(entry, role, 1))
    looked = resident()
    after = {count: seconds(entry, role, count) for count in SIZES}
    return {
        "network": f"{name} {role}",
        "file": entry.manifest.files[entry.manifest.networks[role].file].size,
        "session": plain - empty,
        "more": looked - worked,
        "after": resident() - worked,
        "layers": len(found),
        "sessions": len([key for key in inference._sessions if key[0] == entry]),
        "ratios": {count: round(after[count] / before[count], 3) for count in SIZES},
    }


def main() -> None:
    wanted = sys.argv[1:]
    pairs = [
        (entry.id, role)
        for entry in catalog.entries()
        for role in entry.manifest.networks
        if not wanted or entry.id in wanted
    ]
    found = []
    print(f"{'network':36}{'file':>7}{'session':>9}{'layers':>8}{'after':>8} MiB   time after / before for {SIZES}")
    for name, role in pairs:
        child = subprocess.run(
            [sys.executable, __file__, "--one", name, role], stdout=subprocess.PIPE, text=True, check=True
        )
        found.append(row := json.loads(child.stdout))
        sizes = [row[key] / 2**20 for key in ("file", "session", "more", "after")]
        print(
            f"{row['network']:36}{sizes[0]:7.2f}{sizes[1]:9.2f}{sizes[2]:8.2f}{sizes[3]:8.2f}       {list(row['ratios'].values())}"
        )
    ratios = {
        size: round(float(np.exp(np.mean(np.log([row["ratios"][str(size)] for row in found])))), 3) for size in SIZES
    }
    print(json.dumps({"networks": len(found), "mean_ratio": ratios, "rows": found}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(*sys.argv[2:])))
    else:
        main()
