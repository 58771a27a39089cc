"""How fast the live lab trains in Chromium, what it weighs, and what becomes of its presets.

    python tests/benchmarks/lab.py [--tfjs FILE]
    python tests/benchmarks/lab.py PRESET … [--seeds N] [--steps N]

Steps of both players on eight Gaussians (the lab's first preset) a second, with the processor as it is and slowed four
times, as the median of five runs; and the bytes that are sent. `--tfjs` names tf.min.js of @tensorflow/tfjs: the same
steps by TensorFlow.js on its CPU backend. (Its core and CPU backend alone, published apart, know no gradients.)
Where presets are named (modes, collapse, …) these are trained from several seeds instead.
"""

import argparse
import gzip
import json
import shutil
import statistics
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from zoo.widgets import lab  # noqa: E402

FOLDER = ROOT / "zoo" / "widgets" / "lab"
ENGINE = ("engine", "clouds", "run")
RUNS, STEPS, COVERED = 5, 60, 6
PRESETS = lab.contents()["presets"]
SETTINGS = PRESETS[0]["settings"]
OURS = """
({settings, steps}) => {
  const run = begin(settings, []);
  for (let i = 0; i < steps; i++) advance(run);
  const start = performance.now();
  for (let i = 0; i < steps; i++) advance(run);
  return (1000 * steps) / (performance.now() - start);
}
"""
TRAINED = """
({settings, steps}) => {
  const run = begin(settings, []);
  for (let i = 0; i < steps; i++) advance(run);
  return run.history;
}
"""
# The same networks, losses and batches; Adam written out, with the lab's β₁ and β₂.
THEIRS = """
async ({settings, steps}) => {
  await tf.setBackend("cpu");
  const random = dice(1), rows = 64, sizes = out => [[2, 32], [32, 32], [32, out]];
  const made = out => sizes(out).flatMap(([i, o]) => [tf.randomUniform([i, o], -0.3, 0.3), tf.zeros([1, o])]);
  const zero = w => tf.variable(tf.zerosLike(w));
  const state = weights => weights.map(w => ({w: tf.variable(w), m: zero(w), v: zero(w)}));
  const d = state(made(1)), g = state(made(2));
  const net = (x, layers) => {
    for (let l = 0; l < 6; l += 2) {
      x = tf.add(tf.matMul(x, layers[l].w), layers[l + 1].w);
      // tf.leakyRelu cannot be differentiated twice, which the penalties need
      if (l < 4) x = tf.sub(tf.relu(x), tf.mul(0.2, tf.relu(tf.neg(x))));
    }
    return x;
  };
  let time = 0;
  const learn = (layers, loss) => tf.tidy(() => {
    const {grads} = tf.variableGrads(loss, layers.map(({w}) => w));
    const rate = (0.001 * Math.sqrt(1 - 0.99 ** time)) / (1 - 0.5 ** time);
    for (const {w, m, v} of layers) {
      const by = grads[w.name];
      m.assign(tf.add(tf.mul(m, 0.5), tf.mul(by, 0.5)));
      v.assign(tf.add(tf.mul(v, 0.99), tf.mul(tf.mul(by, by), 0.01)));
      w.assign(tf.sub(w, tf.div(tf.mul(m, rate), tf.add(tf.sqrt(v), 1e-7))));
    }
  });
  const points = () => tf.tensor2d(Float32Array.from(draw(CLOUDS.gaussians, rows, random)), [rows, 2]);
  const noise = () => tf.tensor2d(Float32Array.from({length: 2 * rows}, random.normal), [rows, 2]);
  const step = () => tf.tidy(() => {
    time++;
    const real = points(), fake = net(noise(), g);
    const paired = settings.loss === "r3gan";
    const slope = x => tf.mean(tf.sum(tf.square(tf.grad(x => tf.sum(net(x, d)))(x)), 1));
    learn(d, () => {
      const a = net(real, d), b = net(fake, d);
      if (!paired) return tf.add(tf.mean(tf.softplus(tf.neg(a))), tf.mean(tf.softplus(b)));
      return tf.add(tf.mean(tf.softplus(tf.sub(b, a))), tf.mul(0.05, tf.add(slope(real), slope(fake))));
    });
    const again = points(), z = noise();
    learn(g, () => tf.mean(tf.softplus(paired ? tf.sub(net(again, d), net(net(z, g), d)) : tf.neg(net(net(z, g), d)))));
  });
  for (let i = 0; i < steps / 3; i++) step();
  const start = performance.now();
  for (let i = 0; i < steps; i++) step();
  return (1000 * steps) / (performance.now() - start);
}
"""


def measured(page, code: str, loss: str) -> list[dict]:
    """Return one row for each speed of the processor."""
    tools, rows = page.context.new_cdp_session(page), []
    for slower in (1, 4):
        tools.send("Emulation.setCPUThrottlingRate", {"rate": slower})
        task = {"settings": SETTINGS | {"loss": loss}, "steps": STEPS}
        speeds = [page.evaluate(code, task) for _ in range(RUNS)]
        rows.append({"loss": loss, "CPU slowed": slower, "steps/s": round(statistics.median(speeds))})
    tools.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    return rows


def presets(page, names: list[str], seeds: int, steps: int) -> list[dict]:
    """Return one row for each preset of a GAN and each seed; `all at`: the first step with all eight modes covered."""
    rows = []
    for preset in (one for one in PRESETS if one["key"] in names):
        for seed in range(1, seeds + 1):
            settings = SETTINGS | preset["settings"] | {"seed": str(seed)}
            history = page.evaluate(TRAINED, {"settings": settings, "steps": steps})
            modes = [row[COVERED] or 0 for row in history]
            first = next((row[0] for row in history if row[COVERED] == 8), "-")
            rows.append({
                "preset": preset["key"], "seed": seed, "all at": first, "most modes": max(modes), "at last": modes[-1],
                "gradient": f"{history[-1][3]:.1e}", "JS": f"{history[-1][4]:.2f}",
            })  # fmt: skip
    return rows


def weighed(by: str, files: list[Path]) -> dict:
    content = b"".join(path.read_bytes() for path in files)
    return {"by": by, "bytes": len(content), "gzipped": len(gzip.compress(content, 9))}


def table(rows: list[dict]) -> None:
    print("  ".join(f"{key:>15}" for key in rows[0]))
    for row in rows:
        print("  ".join(f"{value:>15}" for value in row.values()))
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tfjs", type=Path, metavar="FILE")
    parser.add_argument("presets", nargs="*", metavar="PRESET")
    parser.add_argument("--seeds", type=int, default=8, metavar="N")
    parser.add_argument("--steps", type=int, default=1200, metavar="N")
    options = parser.parse_args()
    engine = [FOLDER / f"{name}.js" for name in ENGINE]
    sizes = [
        weighed(
            "all of the lab", [path for path in sorted(FOLDER.iterdir()) if path.suffix in (".js", ".css", ".toml")]
        )
    ]
    sizes.append(weighed("its engine", engine[:1]))
    speeds = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        for path in engine:
            page.add_script_tag(content=path.read_text("utf-8"))
        if options.presets:
            table(presets(page, options.presets, options.seeds, options.steps))
            return
        for loss in ("non_saturating", "r3gan"):
            speeds += [{"by": "the lab", **row} for row in measured(page, OURS, loss)]
        if options.tfjs:
            sizes.append(weighed("TensorFlow.js", [options.tfjs]))
            page.add_script_tag(content=options.tfjs.read_text("utf-8"))
            for loss in ("non_saturating", "r3gan"):
                speeds += [{"by": "TensorFlow.js", **row} for row in measured(page, THEIRS, loss)]
        browser.close()
    table(sizes)
    table(speeds)
    print(json.dumps({"benchmark": "lab", "sizes": sizes, "speeds": speeds}))


if __name__ == "__main__":
    main()
