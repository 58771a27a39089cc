// Point clouds in the plane, seeded random numbers, and how far two clouds are apart.
const HALF = 1.6; // the plane that is shown and counted reaches from −HALF to HALF
const CELLS = 24; // of the grid on which distributions are compared, on a side

// Random numbers from a seed (mulberry32): uniform in [0, 1), standard normal, and a stream of its own for another use.
function dice(seed) {
  let state = (seed * 0x9e3779b9) >>> 0;
  const uniform = () => {
    let t = (state = (state + 0x6d2b79f5) >>> 0);
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

const around = (count, radius) =>
  Array.from({ length: count }, (_, k) => [radius * Math.cos((2 * Math.PI * k) / count), radius * Math.sin((2 * Math.PI * k) / count)]);
const lattice = Array.from({ length: 25 }, (_, k) => [((k % 5) - 2) * 0.55, (Math.floor(k / 5) - 2) * 0.55]);

// Each cloud: how one point is drawn, how widely it is spread around that, and where its modes are, if it has any.
const CLOUDS = {
  gaussians: { modes: around(8, 1.1), spread: 0.06 },
  grid: { modes: lattice, spread: 0.04 },
  ring: { draw: (u) => [1.1 * Math.cos(2 * Math.PI * u), 1.1 * Math.sin(2 * Math.PI * u)], spread: 0.04 },
  spiral: {
    draw: (u) => [1.25 * Math.sqrt(u) * Math.cos(3.5 * Math.PI * Math.sqrt(u)), 1.25 * Math.sqrt(u) * Math.sin(3.5 * Math.PI * Math.sqrt(u))],
    spread: 0.03,
  },
  moons: {
    draw: (u) => {
      const turn = 2 * Math.PI * u;
      return u < 0.5 ? [0.8 * Math.cos(turn) - 0.4, 0.8 * Math.sin(turn) - 0.2] : [0.8 * Math.cos(turn) + 0.4, 0.8 * Math.sin(turn) + 0.2];
    },
    spread: 0.05,
  },
  line: { draw: (u) => [2.2 * u - 1.1, 1.3 * u - 0.65], spread: 0.03 },
};

// A cloud that was drawn by hand: points [[x, y], …].
function sketched(points) {
  return { draw: (u) => points[Math.floor(u * points.length)], spread: 0.04 };
}

// `rows` points of a cloud, rows × 2.
function draw({ modes, draw, spread }, rows, { uniform, normal }) {
  const points = new Float64Array(2 * rows);
  for (let r = 0; r < rows; r++) {
    const u = uniform(), [x, y] = modes ? modes[Math.floor(u * modes.length)] : draw(u);
    points[2 * r] = x + spread * normal();
    points[2 * r + 1] = y + spread * normal();
  }
  return points;
}

// Shares of the points in the cells of the grid; what lies outside counts in the nearest cell.
function counted(points) {
  const shares = new Float64Array(CELLS * CELLS), cell = (x) => Math.max(0, Math.min(CELLS - 1, Math.floor(((x + HALF) / (2 * HALF)) * CELLS)));
  for (let i = 0; i < points.length; i += 2) shares[cell(points[i + 1]) * CELLS + cell(points[i])] += 2 / points.length;
  return shares;
}

// Kullback–Leibler divergence KL(p ‖ q) in nats. An empty cell of q would make it infinite: q is mixed with a thousandth of
// the uniform distribution.
function divergence(p, q) {
  return p.reduce((sum, share, i) => (share ? sum + share * Math.log(share / (0.999 * q[i] + 0.001 / p.length)) : sum), 0);
}

// Jensen–Shannon divergence in nats, 0 to ln 2.
function jensenShannon(p, q) {
  return p.reduce((sum, a, i) => {
    const b = q[i], m = (a + b) / 2;
    return sum + (a ? (a * Math.log(a / m)) / 2 : 0) + (b ? (b * Math.log(b / m)) / 2 : 0);
  }, 0);
}

// How many modes are covered: at least a quarter of its fair share of the fakes lies within three spreads of it.
function covered(fakes, { modes, spread }) {
  const found = modes.map(() => 0);
  for (let i = 0; i < fakes.length; i += 2)
    for (let k = 0; k < modes.length; k++)
      found[k] += (fakes[i] - modes[k][0]) ** 2 + (fakes[i + 1] - modes[k][1]) ** 2 < (3 * spread) ** 2;
  return found.filter((count) => count >= fakes.length / 2 / modes.length / 4).length;
}
