"""How fast an entry decodes: python tests/benchmarks/decoding.py [ENTRY]

As the app does, by a session of ONNX Runtime alone, and by Keras.
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
from zoo.entries import Entry, catalog
from zoo.networks import inference

BATCHES = (1, 16, 256)
CALLS, WARM = 30, 5


def bare(entry: Entry, latents: np.ndarray, labels: np.ndarray | None) -> list:
    """Run the session of ONNX Runtime alone."""
    role = "decoder" if "decoder" in entry.manifest.networks else "generator"
    given = {"latent": latents} if labels is None else {"latent": latents, "label": labels}
    return inference._session(entry, role).session.run(None, given)


def main(name: str) -> None:
    import keras

    entry = catalog.find(name)
    network = keras.saving.load_model(entry.folder).get_layer(
        "decoder" if "encode" in entry.capabilities else "generator"
    )
    rows = []
    for batch in BATCHES:
        latents = np.random.default_rng(0).standard_normal((batch, *entry.latent_shape)).astype("float32")
        labels = (np.arange(batch) % len(entry.classes)).astype("int32") if entry.conditional else None
        given = latents if labels is None else [latents, labels]
        ways = {
            "onnx": lambda z=latents, y=labels: models.decode(entry, z, y),
            "bare session": lambda z=latents, y=labels: bare(entry, z, y),
            "keras call": lambda given=given: np.asarray(network(given)["image"]),
            "keras predict": lambda given=given: network.predict(given, verbose=0)["image"],
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
                     "predict / onnx": round(medians["keras predict"] / medians["onnx"], 1),
                     "onnx / bare": round(medians["onnx"] / medians["bare session"], 2)})  # fmt: skip
    print("  ".join(f"{key:>16}" for key in rows[0]))
    for row in rows:
        print("  ".join(f"{value:>16}" for value in row.values()))
    print(json.dumps({"benchmark": "decoding", "entry": name, "rows": rows}))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "mnist-vae")
