"""keras.ops and the name of a tensor, for signatures.

Keras annotates none of its operations, and what a type checker infers from their bodies (the tensor of one backend, or
None) is wrong: here they are untyped. Docstrings give the shapes.
"""

from typing import Any, TypeAlias

import keras

ops: Any = keras.ops
Tensor: TypeAlias = Any  # of TensorFlow or JAX
Loss: TypeAlias = tuple[Tensor, dict[str, Tensor]]  # a number to minimise, and numbers to report by their names
