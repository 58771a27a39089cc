"""The separate process in which an import happens: python -m training.importing < request.json

The request and every answer are JSON: {"say": …} along the way, then {"result": …} or {"refused": one sentence}.
The process limits itself before it reads a byte of what was given; who started it watches memory and time as well.
"""

import contextlib
import json
import logging
import os
import sys
import warnings
from pathlib import Path


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


def main() -> int:
    request = json.load(sys.stdin)
    limit(request["limits"])
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer

    def answer(**what) -> None:
        answers.write(json.dumps(what) + "\n")
        answers.flush()

    logging.getLogger("tf2onnx").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore")
    from training.importing import Refused, entry

    source = entry.Source(request["name"], Path(request["path"]), request.get("revision"))
    options = entry.Options(**request["options"])
    try:
        made, report = entry.bring(source, Path(request["destination"]), options, lambda text: answer(say=text))
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
    answer(result={"name": made.name, "digest": entry.digest(source, options), "report": vars(report)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
