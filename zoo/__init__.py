"""The zoo: what an entry is and everything one can do with it; numpy in, numpy out, no Keras."""

import os

__version__ = "0.3.0.dev0"

# Before it is first imported: ONNX Runtime otherwise keeps a device id and a database of events in the user's cache.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
