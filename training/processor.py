"""The name of this machine's processor, as provenance and protocols tell it."""

import os
import pathlib
import platform


def description() -> str:
    """For example "AMD EPYC, 2 cores": the model, and how many cores this process may use."""
    model = platform.processor() or platform.machine()
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{model}, {threads} core{'s' if threads != 1 else ''}"
