// Networks of dense layers on typed arrays, written out by hand: forward, backward, and backward through the slope
// itself, which the gradient penalties need. All losses of two players and of autoencoders are trained by it. It knows
// no page and draws no random number: whoever calls it brings weights and batches.
//
// A batch is a Float64Array of rows × columns, row by row; a kernel is inputs × outputs, as in Keras.
const LEAK = 0.2; // slope of the leaky ReLU below zero
const [FIRST, SECOND, TINY] = [0.5, 0.99, 1e-7]; // β₁, β₂ and ε of Adam (Kingma & Ba 2015)

// A network of the given sizes, e.g. [2, 32, 32, 1]: hidden layers with an activation ("leaky" or "tanh"), none at the end.
function network(sizes, activation) {
  const count = sizes.slice(1).reduce((sum, outputs, l) => sum + (sizes[l] + 1) * outputs, 0);
  const [values, gradient, mean, square] = [0, 0, 0, 0].map(() => new Float64Array(count));
  let at = 0;
  const layers = sizes.slice(1).map((outputs, l) => {
    const inputs = sizes[l], bias = at + inputs * outputs, end = bias + outputs;
    const layer = {
      inputs, outputs,
      kernel: values.subarray(at, bias), bias: values.subarray(bias, end),
      toKernel: gradient.subarray(at, bias), toBias: gradient.subarray(bias, end),
    };
    at = end;
    return layer;
  });
  return { sizes, layers, values, gradient, mean, square, steps: 0, tanh: activation === "tanh" };
}

// Room for what one batch leaves in a network: `out` of every layer (out[0] is the batch), `d` the gradient of the loss
// by each layer before its activation, `u` and `e` that of the output (with the activation's slope and without), `bend`
// what a penalty adds to `d`.
function tape(net, rows) {
  const room = () => net.sizes.map((size) => new Float64Array(rows * size));
  return { rows, out: room(), d: room(), u: room(), e: room(), bend: room(), bent: false };
}

// C[m, n] += Σ_k A[m, k] · B[k, n], each matrix with its strides (C row by row): forward, backward and outer products are
// all of this form. Two rows and four columns at once keep the sums in registers: 3.5 times as fast as the plain loops.
function multiply(A, am, ak, B, bk, bn, C, M, N, K) {
  const even = M & ~1, fours = N & ~3;
  for (let m = 0; m < even; m += 2)
    for (let n = 0; n < fours; n += 4) {
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0, t0 = 0, t1 = 0, t2 = 0, t3 = 0, a = m * am, b = n * bn;
      for (let k = 0; k < K; k++, a += ak, b += bk) {
        const v = A[a], w = A[a + am], b0 = B[b], b1 = B[b + bn], b2 = B[b + 2 * bn], b3 = B[b + 3 * bn];
        s0 += v * b0; s1 += v * b1; s2 += v * b2; s3 += v * b3;
        t0 += w * b0; t1 += w * b1; t2 += w * b2; t3 += w * b3;
      }
      const c = m * N + n, d = c + N;
      C[c] += s0; C[c + 1] += s1; C[c + 2] += s2; C[c + 3] += s3;
      C[d] += t0; C[d + 1] += t1; C[d + 2] += t2; C[d + 3] += t3;
    }
  for (let m = 0; m < M; m++)
    for (let n = m < even ? fours : 0; n < N; n++) {
      let sum = 0;
      for (let k = 0, a = m * am, b = n * bn; k < K; k++, a += ak, b += bk) sum += A[a] * B[b];
      C[m * N + n] += sum;
    }
}

// to = from · kernel (from is rows × inputs)
function through(layer, from, rows, to) {
  multiply(from, layer.inputs, 1, layer.kernel, layer.outputs, 1, to, rows, layer.outputs, layer.inputs);
}

// to = from · kernelᵀ (from is rows × outputs)
function back(layer, from, rows, to) {
  multiply(from, layer.outputs, 1, layer.kernel, 1, layer.outputs, to.fill(0), rows, layer.inputs, layer.outputs);
}

// The gradient by the kernel: += leftᵀ · right (rows × inputs, rows × outputs)
function learn(layer, left, right, rows) {
  multiply(left, 1, layer.inputs, right, layer.outputs, 1, layer.toKernel, layer.inputs, layer.outputs, rows);
}

// The slope of the activation where its value is a.
function slope(a, tanh) {
  return tanh ? 1 - a * a : a > 0 ? 1 : LEAK;
}

// Fill the tape with what the network makes of a batch; return its outputs.
function forward(net, tape, batch) {
  tape.out[0] = batch;
  tape.bent = false;
  const last = net.layers.length - 1;
  for (let l = 0; l <= last; l++) {
    const layer = net.layers[l], to = tape.out[l + 1];
    for (let at = 0; at < to.length; at += layer.outputs) to.set(layer.bias, at);
    through(layer, tape.out[l], tape.rows, to);
    if (l === last) return to;
    if (net.tanh) for (let i = 0; i < to.length; i++) to[i] = Math.tanh(to[i]);
    else for (let i = 0; i < to.length; i++) if (to[i] < 0) to[i] *= LEAK;
  }
}

// Backpropagate the gradient by the outputs; add that by the weights to `net.gradient` and return that by the batch.
function backward(net, tape, byOutputs, weights = true) {
  const { out, d, bend, bent, rows } = tape;
  let above = byOutputs;
  for (let l = net.layers.length - 1; l >= 0; l--) {
    const layer = net.layers[l], below = d[l], a = out[l], { outputs, toBias } = layer;
    if (weights) {
      learn(layer, a, above, rows);
      for (let i = 0; i < above.length; ) for (let o = 0; o < outputs; o++, i++) toBias[o] += above[i];
    }
    back(layer, above, rows, below);
    if (l) for (let i = 0; i < below.length; i++) below[i] *= slope(a[i], net.tanh);
    if (l && bent) for (let i = 0; i < below.length; i++) below[i] += bend[l][i];
    above = below;
  }
  return above;
}

// The gradient of a network's one output by its batch, row by row: after `forward`, kept for `penalise`.
function slopes(net, tape) {
  const { out, u, e, rows } = tape;
  e[net.layers.length].fill(1);
  for (let l = net.layers.length - 1; l >= 0; l--) {
    const from = u[l], to = e[l], a = out[l];
    back(net.layers[l], e[l + 1], rows, from);
    if (l) for (let i = 0; i < to.length; i++) to[i] = from[i] * slope(a[i], net.tanh);
  }
  return u[0];
}

// Backpropagate through `slopes`: `by` is the gradient of a penalty by the slopes. Adds the part by the kernels, and leaves
// on the tape what the next `backward` has to add, where the activation is curved.
function penalise(net, tape, by) {
  const { out, d, u, e, bend, rows } = tape, last = net.layers.length - 1;
  for (let l = 0, above = by; l <= last; l++) {
    const layer = net.layers[l];
    learn(layer, above, e[l + 1], rows);
    if (l === last) break;
    const to = bend[l + 1].fill(0), next = d[l + 1], a = out[l + 1], slant = u[l + 1];
    through(layer, above, rows, to);
    for (let i = 0; i < to.length; i++) {
      next[i] = to[i] * slope(a[i], net.tanh);
      to[i] *= -2 * a[i] * (1 - a[i] * a[i]) * slant[i]; // by the second derivative of tanh; that of leaky ReLU is 0
    }
    above = next;
  }
  tape.bent = net.tanh;
}

// One step of SGD or Adam along `net.gradient`, which is cleared.
function update(net, optimiser, rate) {
  const { values, gradient, mean, square } = net;
  net.steps++;
  const adapted = (rate * Math.sqrt(1 - SECOND ** net.steps)) / (1 - FIRST ** net.steps);
  for (let i = 0; i < values.length; i++) {
    const g = gradient[i];
    if (optimiser === "sgd") values[i] -= rate * g;
    else {
      mean[i] += (1 - FIRST) * (g - mean[i]);
      square[i] += (1 - SECOND) * (g * g - square[i]);
      values[i] -= (adapted * mean[i]) / (Math.sqrt(square[i]) + TINY);
    }
  }
  gradient.fill(0);
}

const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = (x) => 1 / (1 + Math.exp(-x));

// D's loss and its gradients by the score of a real point and of a fake; G's loss and its gradient by the score of a fake.
const classified = (real, fake) => [softplus(-real) + softplus(fake), -sigmoid(-real), sigmoid(fake)];
const LOSSES = {
  // Goodfellow et al. 2014, equation 1: both play for E[log D(x)] + E[log(1 − D(G(z)))], D the sigmoid of the score
  minimax: { d: classified, g: (fake) => [-softplus(fake), -sigmoid(fake)] },
  // the same, but G maximises E[log D(G(z))], section 3 there
  non_saturating: { d: classified, g: (fake) => [softplus(-fake), -sigmoid(-fake)] },
  // Mao et al. 2017, equation 9
  least_squares: {
    d: (real, fake) => [((real - 1) ** 2 + fake ** 2) / 2, real - 1, fake],
    g: (fake) => [(fake - 1) ** 2 / 2, fake - 1],
  },
  // Gulrajani et al. 2017, equation 3: + λ · E[(‖∇D(x̂)‖ − 1)²], x̂ anywhere between a real point and a fake
  wgan_gp: { d: (real, fake) => [fake - real, -1, 1], g: (fake) => [-fake, -1], penalty: "between" },
  // Huang et al. 2024, equation 2: a fake is paired with a real point; + γ/2 · (E‖∇D(x)‖² + E‖∇D(G(z))‖²)
  r3gan: {
    d: (real, fake) => [softplus(fake - real), -sigmoid(fake - real), sigmoid(fake - real)],
    g: (fake, real) => [softplus(real - fake), -sigmoid(real - fake)],
    penalty: "both",
  },
};

// Two players: networks d and g (points from noise), and how they are trained: loss, optimiser, penalty (λ or γ), rows of
// a batch, rates.
function players(d, g, options) {
  const { rows } = options;
  const [onReal, onFake, onMixed] = [0, 0, 0].map(() => tape(d, rows));
  return { d, g, ...options, onReal, onFake, onMixed, onNoise: tape(g, rows) };
}

// One step of D on a batch of real points and one of noise; `mix` (rows) in [0, 1] is where WGAN-GP looks between them.
// Returns D's loss with its penalty.
function stepD(game, real, noise, mix) {
  const { d, g, rows, onReal, onFake, onMixed } = game, loss = LOSSES[game.loss];
  const fake = forward(g, game.onNoise, noise).slice();
  const onR = forward(d, onReal, real), onF = forward(d, onFake, fake);
  const byReal = new Float64Array(rows), byFake = new Float64Array(rows);
  let total = 0;
  for (let r = 0; r < rows; r++) {
    const [value, toReal, toFake] = loss.d(onR[r], onF[r]);
    total += value / rows;
    byReal[r] = toReal / rows;
    byFake[r] = toFake / rows;
  }
  if (loss.penalty === "both") for (const on of [onReal, onFake]) total += squared(d, on, game.penalty / rows);
  if (loss.penalty === "between") {
    forward(d, onMixed, real.map((value, i) => mix[i >> 1] * value + (1 - mix[i >> 1]) * fake[i]));
    total += unit(d, onMixed, game.penalty / rows);
    backward(d, onMixed, new Float64Array(rows));
  }
  backward(d, onReal, byReal);
  backward(d, onFake, byFake);
  update(d, game.optimiser, game.rateD);
  return total;
}

// factor/2 · Σ ‖∇D‖², its gradient added to the network.
function squared(net, tape, factor) {
  const by = slopes(net, tape);
  penalise(net, tape, by.map((value) => factor * value));
  return (factor / 2) * by.reduce((sum, value) => sum + value * value, 0);
}

// factor · Σ (‖∇D‖ − 1)², its gradient added to the network.
function unit(net, tape, factor) {
  const by = slopes(net, tape), back = new Float64Array(by.length);
  let total = 0;
  for (let i = 0; i < by.length; i += 2) {
    const length = Math.hypot(by[i], by[i + 1]) || 1e-12;
    total += factor * (length - 1) ** 2;
    for (const j of [i, i + 1]) back[j] = (2 * factor * (length - 1) * by[j]) / length;
  }
  penalise(net, tape, back);
  return total;
}

// G's loss, its gradient by the fakes (rows × 2, of the mean loss), and nothing trained; `real` is what R3GAN pairs with.
function judge(game, real, noise) {
  const { d, g, rows, onReal, onFake } = game, loss = LOSSES[game.loss];
  const fake = forward(g, game.onNoise, noise), onF = forward(d, onFake, fake);
  const onR = forward(d, onReal, real), byFake = new Float64Array(rows);
  let total = 0;
  for (let r = 0; r < rows; r++) {
    const [value, toFake] = loss.g(onF[r], onR[r]);
    total += value / rows;
    byFake[r] = toFake / rows;
  }
  return { loss: total, fake, byFake: backward(d, onFake, byFake, false) };
}

// One step of G; returns its loss.
function stepG(game, real, noise) {
  const { loss, byFake } = judge(game, real, noise);
  backward(game.g, game.onNoise, byFake);
  update(game.g, game.optimiser, game.rateG);
  return loss;
}

// An autoencoder: networks `encoder` and `decoder`; variational (Kingma & Welling 2014) where the encoder gives mean and
// log variance of each code.
function autoencoder(encoder, decoder, options) {
  const { rows } = options, variational = encoder.sizes.at(-1) === 2 * decoder.sizes[0];
  return { encoder, decoder, ...options, variational, onPoints: tape(encoder, rows), onCodes: tape(decoder, rows) };
}

// ‖x − x̂‖² + β · KL(N(μ, σ²) ‖ N(0, 1)), mean over the batch; z = μ + σ · noise (rows × codes). Without β and noise where
// the autoencoder is not variational. Trains nothing and leaves the tapes ready for `stepCodes`.
function rebuild(auto, points, noise) {
  const { encoder, decoder, variational, rows, beta } = auto, size = decoder.sizes[0];
  const given = forward(encoder, auto.onPoints, points), codes = variational ? new Float64Array(rows * size) : given;
  let loss = 0;
  if (variational)
    for (let r = 0; r < rows; r++)
      for (let k = 0; k < size; k++) {
        const mean = given[2 * r * size + k], log = given[(2 * r + 1) * size + k];
        codes[r * size + k] = mean + Math.exp(log / 2) * noise[r * size + k];
        loss += (beta * (mean * mean + Math.exp(log) - 1 - log)) / 2 / rows;
      }
  const rebuilt = forward(decoder, auto.onCodes, codes);
  for (let i = 0; i < points.length; i++) loss += (points[i] - rebuilt[i]) ** 2 / rows;
  return { loss, codes, rebuilt };
}

// One step of an autoencoder; returns its loss.
function stepCodes(auto, points, noise) {
  const { encoder, decoder, variational, rows, beta } = auto, size = decoder.sizes[0];
  const { loss, rebuilt } = rebuild(auto, points, noise);
  const byCodes = backward(decoder, auto.onCodes, rebuilt.map((value, i) => (2 * (value - points[i])) / rows));
  let byGiven = byCodes;
  if (variational) {
    const given = auto.onPoints.out.at(-1);
    byGiven = new Float64Array(given.length);
    for (let r = 0; r < rows; r++)
      for (let k = 0; k < size; k++) {
        const mean = 2 * r * size + k, log = mean + size, i = r * size + k, by = byCodes[i];
        byGiven[mean] = by + (beta * given[mean]) / rows;
        byGiven[log] = (by * noise[i] * Math.exp(given[log] / 2)) / 2 + (beta * (Math.exp(given[log]) - 1)) / 2 / rows;
      }
  }
  backward(encoder, auto.onPoints, byGiven);
  for (const net of [decoder, encoder]) update(net, auto.optimiser, auto.rate);
  return loss;
}
