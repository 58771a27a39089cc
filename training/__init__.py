"""Everything that makes entries: families, recipes, the loop, evaluation and export; the only place that imports Keras.

The environment is set here, before anything of this package can import Keras."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up chatter
