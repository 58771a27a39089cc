"""The separate process in which an import happens: python -m training.importing < request.json

The request and every answer are JSON: {"say": …} along the way, then {"result": …} or {"refused": one sentence}.
The process limits itself before it reads a byte of what was given; who started it watches memory and time as well.
"""

import contextlib
import json
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.importing import Refused


def limit(limits: dict) -> None:
    """Bound memory, processor time and the size of files, where the system can."""
    with contextlib.suppress(ImportError):
        import resource

        for name, value in (
            ("RLIMIT_DATA", limits.get("data")),
            ("RLIMIT_CPU", limits.get("seconds")),
            ("RLIMIT_FSIZE", limits.get("file")),
            ("RLIMIT_CORE", 0),
        ):
            if value is not None and hasattr(resource, name):
                kind = getattr(resource, name)
                hard = resource.getrlimit(kind)[1]
                value = value if hard == resource.RLIM_INFINITY else min(value, hard)
                with contextlib.suppress(ValueError, OSError):
                    resource.setrlimit(kind, (value, value))


def imported(request: dict[str, Any], say: Callable[[str], None]) -> dict[str, Any]:
    """Write the networks in a source as entries; returns their names, a digest and what is to be said about each.

    Everything that can be refused without Keras is refused before it is imported.

    Args:
        request: `name`, `path`, `revision` of the source, `options` as Options takes them, `destination` of entries.
        say: called with one line for each step.

    Raises:
        Refused: nothing comes in; the message is one sentence.
    """
    from training.importing import reading
    from training.importing.options import Options, Source

    source = Source(request["name"], Path(request["path"]), request.get("revision"))
    options, destination = Options(**request["options"]), Path(request["destination"])
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".room") as room:
        drafts = reading.drafts(source, options, Path(room), say)
        from training.importing import entry  # it imports Keras

        made = entry.write(source, drafts, destination, options, say)
    return {
        "names": [item.name for item, _ in made],
        "digest": reading.digest(source, options),
        "reports": [vars(report) for _, report in made],
    }


def main() -> int:
    request = json.load(sys.stdin)
    limit(request["limits"])
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer

    def answer(**what: Any) -> None:
        answers.write(json.dumps(what) + "\n")
        answers.flush()

    logging.getLogger("tf2onnx").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore")
    try:
        result = imported(request, lambda text: answer(say=text))
    except Refused as refusal:
        answer(refused=str(refusal))
        return 2
    except MemoryError:
        answer(refused="The network needs more memory than an import may take.")
        return 2
    except OSError as error:
        answer(refused=f"The import failed on this machine ({error.strerror or type(error).__name__}).")
        return 2
    except Exception as error:
        logging.exception("An import failed")
        answer(refused=f"The files could not be understood ({type(error).__name__}); they are damaged or unusual.")
        return 2
    answer(result=result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
