// One run of the lab: settings in, networks and a seeded stream of batches; what it plays and what is seen of it.
const SHOWN = 200; // points that are shown of the data and of the model
const COUNTED = 2000; // fakes that are counted for divergences and modes
const EVERY = 20; // steps between two rows of the curves
const SIDE = 40; // of the grid that colours the ground
const LINES = 21; // of the bent grid, each way
const REACH = 2.5; // of that grid, in standard deviations

// Settings are texts, as in a link; `points` is a drawing, [[x, y], …]. The same settings give the same run.
function begin(settings, points) {
  const number = (key) => Number(settings[key]), random = dice(number("seed")), spare = dice(number("seed") + 0.5);
  const cloud = settings.points === "drawing" ? sketched(points) : CLOUDS[settings.points];
  const hidden = Array(number("depth")).fill(number("width")), gan = settings.model === "gan";
  const codes = number(gan ? "noise" : "bottleneck"), rows = number("batch");
  const made = (sizes) => scatter(network([sizes[0], ...hidden, sizes[1]], settings.activation), random);
  const one = made(gan ? [2, 1] : [2, settings.model === "vae" ? 2 * codes : codes]), two = made([codes, 2]);
  const common = { optimiser: settings.optimiser }, play = gan ? players : autoencoder;
  const normal = !gan || settings.prior === "normal";
  const run = {
    settings, cloud, gan, codes, rows, random, normal, step: 0, lossD: null, lossG: null, history: [],
    teacher: play(one, two, { ...common, rows }),
    shown: play(one, two, { ...common, rows: SHOWN }),
    real: draw(cloud, SHOWN, spare),
    noise: noise(SHOWN, codes, normal, spare),
    counts: { noise: noise(COUNTED, codes, normal, spare), points: draw(cloud, COUNTED, spare) },
    shares: counted(draw(cloud, 10 * COUNTED, spare)),
    tapes: {},
  };
  tune(run, settings);
  run.floor = jensenShannon(run.shares, counted(run.counts.points));
  measure(run);
  return run;
}

// Take over what may change while it runs: loss, penalty, rates, steps of D per step of G.
function tune(run, settings) {
  run.settings = settings;
  run.ratio = Number(settings.ratio);
  const rates = { rateD: settings.rate_d, rateG: settings.rate_g, rate: settings.rate, penalty: settings.penalty, beta: settings.beta };
  for (const game of [run.teacher, run.shown]) {
    game.loss = settings.loss;
    for (const [key, value] of Object.entries(rates)) game[key] = Number(value);
  }
}

// Weights as Keras draws them: uniform (Glorot & Bengio 2010), biases zero.
function scatter(net, { uniform }) {
  for (const { kernel, inputs, outputs } of net.layers)
    for (let i = 0; i < kernel.length; i++) kernel[i] = Math.sqrt(6 / (inputs + outputs)) * (2 * uniform() - 1);
  return net;
}

function noise(rows, size, gaussian, { uniform, normal }) {
  return Float64Array.from({ length: rows * size }, () => (gaussian ? normal() : 2 * uniform() - 1));
}

// The output of a network for many points at once, on a tape that is kept for them.
function of(run, name, net, points) {
  const rows = points.length / net.sizes[0];
  const kept = (run.tapes[name] ??= tape(net, rows));
  return forward(net, kept.rows === rows ? kept : (run.tapes[name] = tape(net, rows)), points);
}

// One step of D; returns the batch and what happened to it.
function turnD(run) {
  const { teacher, rows, codes, normal, random } = run;
  const real = draw(run.cloud, rows, random), z = noise(rows, codes, normal, random);
  run.lossD = stepD(teacher, real, z, Float64Array.from({ length: rows }, random.uniform));
  return { real, noise: z, fakes: teacher.onNoise.out.at(-1), loss: run.lossD, onReal: teacher.onReal.out.at(-1), onFake: teacher.onFake.out.at(-1) };
}

// One step of G, or of an autoencoder; returns the batch and what happened to it.
function turnG(run) {
  const { teacher, rows, codes, normal, random, gan } = run;
  const real = draw(run.cloud, rows, random), z = noise(rows, codes, normal, random);
  run.lossG = gan ? stepG(teacher, real, z) : stepCodes(teacher, real, z);
  run.step++;
  if (run.step % EVERY === 0) measure(run);
  if (!gan) return { real, codes: teacher.onCodes.out[0], fakes: teacher.onCodes.out.at(-1), loss: run.lossG };
  return { noise: z, fakes: teacher.onNoise.out.at(-1), loss: run.lossG, onFake: teacher.onFake.out.at(-1), by: teacher.onFake.d[0] };
}

// One step of training: D as often as the ratio says, then G.
function advance(run) {
  if (run.gan) for (let k = 0; k < run.ratio; k++) turnD(run);
  turnG(run);
}

// What the model puts beside the data, to be counted: fakes, samples of a VAE, reconstructions of an autoencoder.
function modelled(run) {
  const { teacher, counts, gan, settings } = run;
  if (gan) return of(run, "counted", teacher.g, counts.noise);
  if (settings.model === "vae") return of(run, "counted", teacher.decoder, counts.noise);
  return of(run, "counted", teacher.decoder, of(run, "encoded", teacher.encoder, counts.points));
}

// One row of the curves: step, losses of D and G, mean length of the gradient at a fake, JS and KL, modes covered.
function measure(run) {
  const fakes = modelled(run), shares = counted(fakes);
  let push = null;
  if (run.gan) {
    const { byFake } = judge(run.shown, run.real, run.noise);
    push = 0;
    for (let i = 0; i < byFake.length; i += 2) push += Math.hypot(byFake[i], byFake[i + 1]);
  }
  run.history.push([
    run.step, run.lossD, run.lossG, push,
    jensenShannon(run.shares, shares), divergence(run.shares, shares),
    run.cloud.modes ? covered(fakes, run.cloud) : null,
  ]);
}

// All that is seen at this moment: `ground` in [−1, 1] (1: D says real; or: rebuilt well), `fakes` and `arrows` (from a fake
// along G's gradient, or from a point to its reconstruction), the bent grid as `lines` × `along` points.
function view(run) {
  const { teacher, shown, gan, real, settings } = run, plane = grid(SIDE, HALF - HALF / SIDE);
  const ends = new Float64Array(2 * SHOWN);
  let fakes, starts, ground;
  if (gan) {
    const { fake, byFake } = judge(shown, real, run.noise);
    fakes = starts = fake.slice();
    // What a gradient of 1 does to a fake is drawn half as long as the plane's unit, and never longer than 0.3.
    for (let i = 0; i < ends.length; i += 2) {
      const x = -SHOWN * byFake[i], y = -SHOWN * byFake[i + 1], length = Math.hypot(x, y) || 1, part = Math.min(0.5, 0.3 / length);
      ends[i] = fakes[i] + part * x;
      ends[i + 1] = fakes[i + 1] + part * y;
    }
    ground = verdicts(of(run, "plane", teacher.d, plane), settings.loss, shown);
  } else {
    const { rebuilt } = rebuild(shown, real, new Float64Array(run.noise.length));
    starts = real;
    ends.set(rebuilt);
    fakes = settings.model === "vae" ? of(run, "samples", teacher.decoder, run.noise).slice() : ends;
    const size = teacher.encoder.sizes.at(-1), codes = of(run, "plane", teacher.encoder, plane);
    const means = codes.filter((_, i) => i % size < run.codes);
    const again = of(run, "again", teacher.decoder, means);
    ground = Float32Array.from({ length: SIDE * SIDE }, (_, i) =>
      1 - 2 * Math.min(1, 2 * Math.sqrt((plane[2 * i] - again[2 * i]) ** 2 + (plane[2 * i + 1] - again[2 * i + 1]) ** 2)));
  }
  return { step: run.step, lossD: run.lossD, lossG: run.lossG, ground, fakes, starts, ends, ...bent(run) };
}

// D's scores as verdicts in [−1, 1]: 0 is undecided. A critic's scores mean something only beside each other: it is undecided
// halfway between its means for real points and fakes, and a difference of 1 is much.
function verdicts(scores, loss, { onReal, onFake }) {
  const mean = (tape) => tape.out.at(-1).reduce((sum, value) => sum + value / tape.rows, 0);
  const critic = loss === "wgan_gp" || loss === "r3gan", middle = critic ? (mean(onReal) + mean(onFake)) / 2 : 0;
  return Float32Array.from(scores, (score) =>
    loss === "least_squares" ? Math.max(-1, Math.min(1, 2 * score - 1)) : Math.tanh((score - middle) * (critic ? 2 : 0.5)));
}

// Where the generator or decoder puts a regular grid of its noise or codes, or a line where there is one number.
function bent(run) {
  const { teacher, codes, normal, gan, settings } = run, net = gan ? teacher.g : teacher.decoder;
  let low = Array(codes).fill(normal ? -REACH : -1), high = low.map((value) => -value);
  if (settings.model === "autoencoder") {
    const used = of(run, "used", teacher.encoder, run.real);
    low = low.map((_, k) => used.reduce((least, value, i) => (i % codes === k ? Math.min(least, value) : least), Infinity));
    high = high.map((_, k) => used.reduce((most, value, i) => (i % codes === k ? Math.max(most, value) : most), -Infinity));
  }
  const at = (k, part) => low[k] + (high[k] - low[k]) * part;
  if (codes === 1) {
    const line = of(run, "grid", net, Float64Array.from({ length: 400 }, (_, i) => at(0, i / 399))).slice();
    return { grid: line, across: 400, down: 1 };
  }
  const places = new Float64Array(2 * LINES * LINES);
  for (let i = 0; i < LINES * LINES; i++) {
    places[2 * i] = at(0, (i % LINES) / (LINES - 1));
    places[2 * i + 1] = at(1, Math.floor(i / LINES) / (LINES - 1));
  }
  return { grid: of(run, "grid", net, places).slice(), across: LINES, down: LINES };
}

// The middles of side × side cells, row by row from the bottom.
function grid(side, reach) {
  const points = new Float64Array(2 * side * side);
  for (let i = 0; i < side * side; i++) {
    points[2 * i] = reach * ((2 * (i % side)) / (side - 1) - 1);
    points[2 * i + 1] = reach * ((2 * Math.floor(i / side)) / (side - 1) - 1);
  }
  return points;
}
