"""Limits of a process that handles what strangers made: its memory, its time, and what it knows of the environment."""

import os
from pathlib import Path

# All that such a process needs from the environment; no tokens among them.
ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
ROOT = Path(__file__).parents[1]  # where it is started, so that it finds the zoo


def environment() -> dict[str, str]:
    """Return the environment for such a process."""
    return {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}


def limit(memory: int, seconds: int) -> None:
    """Limit what this process may still take, in bytes of private memory and in seconds of processor time.

    Where the system has no such limits, the time on the clock that its parent waits remains.
    """
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    statistics = Path("/proc/self/statm")
    if statistics.exists():
        held = int(statistics.read_text().split()[5]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_DATA, (held + memory, held + memory))
