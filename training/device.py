"""Which backend, device, precision and compilation to train with."""

import contextlib
import os
import pathlib
import tempfile

from training import processor


@contextlib.contextmanager
def _silent_start():
    """Hold back what TensorFlow writes to stderr from C++ before its log level counts; show it if the import fails."""
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


# TensorFlow's own default leaves oneDNN out where the processor has no AVX-512; with it a classifier of photographs
# trains 1.6 times as fast on AVX2 alone (measured).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

with _silent_start():
    import keras

    with contextlib.suppress(ImportError):
        import tensorflow  # noqa: F401  (Keras reads batches through it on every backend, where it is installed)

BACKEND = keras.backend.backend()


def accelerator() -> str | None:
    """Name of the GPU or TPU that the backend sees, None on CPU."""
    if BACKEND == "jax":
        import jax

        device = jax.devices()[0]
        return None if device.platform == "cpu" else device.device_kind
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU") if gpus else None


def description() -> str:
    """The device as provenance tells it, for example "AMD EPYC, 2 cores"."""
    return accelerator() or processor.description()


def precision() -> str:
    """Keras dtype policy: bfloat16 arithmetic where the hardware has it, float32 weights always."""
    if accelerator():
        return "mixed_bfloat16"
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    flags = cpuinfo.read_text() if cpuinfo.exists() else ""
    # TensorFlow reaches these tiles through oneDNN; XLA on CPU, which JAX uses, gains nothing from them, nor does
    # TensorFlow from avx512_bf16 alone (measured: as fast as float32).
    return "mixed_bfloat16" if BACKEND == "tensorflow" and "amx_bf16" in flags else "float32"


def compile_with_xla() -> bool:
    """JAX always compiles; TensorFlow only on a GPU (on CPU XLA is several times slower for convolutions)."""
    return BACKEND == "jax" or accelerator() is not None


def use(precision_policy: str = "auto", seed: int = 0) -> str:
    """Set dtype policy and every seed; returns the policy chosen."""
    policy = precision() if precision_policy == "auto" else precision_policy
    keras.config.set_dtype_policy(policy)
    keras.utils.set_random_seed(seed)
    return policy
