"""python -m zoo.hub.loopback: a Hub on this machine, to try publishing without a network and without a token."""

import argparse
from pathlib import Path

from zoo.hub.loopback import Hub

PRETRAINED = Path(__file__).parents[2] / "pretrained"
SHOWN = ("digits-vae", "digits-classifier", "fruits-gan", "mnist-cgan", "mnist-vae-2d")  # by --zoo


def main() -> None:
    parser = argparse.ArgumentParser("python -m zoo.hub.loopback", description="Start a Hub on this machine.")
    parser.add_argument("--folder", type=Path, default=Path("runs/hub"), help="keeps it all (default: runs/hub)")
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--owner", default="zoo", help="whose token it is (default: zoo)")
    parser.add_argument("--zoo", action="store_true", help="offer some of the embedded entries at once")
    options = parser.parse_args()
    hub = Hub(options.folder, port=options.port, owners=[options.owner])
    if options.zoo:
        shown = {f"{options.owner}/{name}": PRETRAINED / name for name in SHOWN if (PRETRAINED / name).exists()}
        for repo, folder in shown.items():
            paths = (path for path in folder.rglob("*") if path.is_file())
            hub.put(repo, {path.relative_to(folder).as_posix(): path for path in paths})
        hub.collection(f"{options.owner}/favourites-1", list(shown))
    settings = hub.environment(options.folder.resolve() / "home")
    names = ("HF_ENDPOINT", "HF_TOKEN", "HF_HOME", "HF_HUB_DISABLE_XET", "NO_PROXY")
    print("A Hub on loopback. In another terminal:\n")
    print("  export " + " ".join(f"{name}={settings[name]}" for name in names))
    print(f"  python -m training publish digits-vae {options.owner}/my-first")
    print(f"  ZOO_SOURCES={options.owner} make app\n")
    print(f"Ctrl+C ends it; {options.folder} keeps what was published.", flush=True)
    try:
        hub.wait()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
