"""How fast the live lab trains in Chromium, and what it weighs: python tests/benchmarks/lab.py [--tfjs FILE]

Steps of both players on eight Gaussians (the lab's first preset) a second, with the processor as it is and slowed four
times, as the median of five runs; and the bytes that are sent. `--tfjs` names tf.min.js of @tensorflow/tfjs: the same
steps by TensorFlow.js on its CPU backend. (Its core and CPU backend alone, published apart, know no gradients.)
"""

import argparse
import gzip
import json
import shutil
import statistics
from pathlib import Path

from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).resolve().parents[2] / "zoo" / "widgets" / "lab"
ENGINE = ("engine", "clouds", "run")
RUNS, STEPS = 5, 60
SETTINGS = {
    "data": "gaussians", "batch": "64", "seed": "1", "model": "gan", "penalty": "0.1", "noise": "2", "prior": "normal",
    "rate_d": "0.001", "rate_g": "0.001", "ratio": "1", "optimiser": "adam", "width": "32", "depth": "2",
    "activation": "leaky",
}  # fmt: skip
OURS = """
({settings, steps}) => {
  const run = begin(settings, []);
  for (let i = 0; i < steps; i++) advance(run);
  const start = performance.now();
  for (let i = 0; i < steps; i++) advance(run);
  return (1000 * steps) / (performance.now() - start);
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


def weighed(by: str, files: list[Path]) -> dict:
    content = b"".join(path.read_bytes() for path in files)
    return {"by": by, "bytes": len(content), "gzipped": len(gzip.compress(content, 9))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tfjs", type=Path, metavar="FILE")
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
        for loss in ("non_saturating", "r3gan"):
            speeds += [{"by": "the lab", **row} for row in measured(page, OURS, loss)]
        if options.tfjs:
            sizes.append(weighed("TensorFlow.js", [options.tfjs]))
            page.add_script_tag(content=options.tfjs.read_text("utf-8"))
            for loss in ("non_saturating", "r3gan"):
                speeds += [{"by": "TensorFlow.js", **row} for row in measured(page, THEIRS, loss)]
        browser.close()
    for rows in (sizes, speeds):
        print("  ".join(f"{key:>15}" for key in rows[0]))
        for row in rows:
            print("  ".join(f"{value:>15}" for value in row.values()))
        print()
    print(json.dumps({"benchmark": "lab", "sizes": sizes, "speeds": speeds}))


if __name__ == "__main__":
    main()
