"""Networks of entries: checked, tried where they are a stranger's, opened and run by ONNX Runtime."""

from zoo.networks.checks import OPERATORS, check
from zoo.networks.inference import run

__all__ = ["OPERATORS", "check", "run"]
