"""Networks of entries: checked, tried where they are a stranger's, opened and run by ONNX Runtime."""

from zoo.networks.checks import OPERATORS, check
from zoo.networks.inference import layers, run, trace
from zoo.networks.structure import Layer

__all__ = ["OPERATORS", "Layer", "check", "layers", "run", "trace"]
