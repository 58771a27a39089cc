"""How fast an entry decodes by ONNX Runtime, as the app does, and by Keras: python tests/benchmarks/decoding.py [ENTRY]

Prints a table and, as its last line, JSON. Medians of 30 calls after 5 for warming up, all ways in turn in one process.
"""

import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

import numpy as np

from training import device  # noqa: F401  (imports Keras quietly)
from zoo import models
from zoo.entries import catalog

BATCHES = (1, 16, 256)
CALLS, WARM = 30, 5


def main(name: str) -> None:
    import keras

    entry = catalog.find(name)
    network = keras.saving.load_model(entry.folder).get_layer(
        "decoder" if "encode" in entry.capabilities else "generator"
    )
    rows = []
    for batch in BATCHES:
        latents = np.random.default_rng(0).standard_normal((batch, *entry.latent_shape)).astype("float32")
        ways = {
            "onnx": lambda z=latents: models.decode(entry, z),
            "keras call": lambda z=latents: np.asarray(network(z)["image"]),
            "keras predict": lambda z=latents: network.predict(z, verbose=0)["image"],
        }
        seconds = {way: [] for way in ways}
        for turn in range(WARM + CALLS):
            for way, decode in ways.items():
                start = time.perf_counter()
                decode()
                if turn >= WARM:
                    seconds[way].append(time.perf_counter() - start)
        medians = {way: statistics.median(values) for way, values in seconds.items()}
        rows.append({"batch": batch, **{f"{way} ms": round(1e3 * value, 2) for way, value in medians.items()},
                     "predict / onnx": round(medians["keras predict"] / medians["onnx"], 1)})  # fmt: skip
    print("  ".join(f"{key:>16}" for key in rows[0]))
    for row in rows:
        print("  ".join(f"{value:>16}" for value in row.values()))
    print(json.dumps({"benchmark": "decoding", "entry": name, "rows": rows}))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "mnist-vae")
