// Slow motion: the way of the data through one step, as boxes of which some are lit, and one sentence about each phase.
const BOXES = {
  gan: [["noise", "z"], ["g", "G"], ["fakes", "G(z)"], ["d", "D"], ["loss", "loss"], ["real", "x"]],
  other: [["real", "x"], ["encoder", "encoder"], ["codes", "z"], ["decoder", "decoder"], ["fakes", "x̂"], ["loss", "loss"]],
};
const REST = {
  gan: "Noise z goes through G and becomes fakes G(z); D scores them and real points x; the loss trains D or G.",
  other: "Points x go through the narrow bottleneck z and come out as x̂; the loss is how far x̂ is from x.",
};

function flow() {
  const box = element("div", "flow"), row = element("div", "boxes"), text = element("p", "said");
  box.append(row, text);
  let kind = "gan", cells = {};
  return {
    element: box,
    show({ model }) {
      kind = model === "gan" ? "gan" : "other";
      row.className = `boxes ${kind}`;
      cells = Object.fromEntries(BOXES[kind].map(([key, name]) => [key, element("span", `box ${key}`, name)]));
      row.replaceChildren(...Object.values(cells));
      row.setAttribute("aria-hidden", "true");
      text.textContent = REST[kind];
    },
    phase(phase, record) {
      for (const [key, cell] of Object.entries(cells)) cell.classList.toggle("lit", phase?.lit.includes(key) ?? false);
      row.classList.toggle("back", phase?.back ?? false);
      text.textContent = phase ? filled(phase.text, record) : REST[kind];
    },
  };
}

// The figures of this step in a phase's sentence.
function filled(text, { d, g }) {
  const right = (scores, wanted) => (scores ? [...scores].filter(wanted).length : 0);
  const figures = {
    rows: g.fakes.length / 2,
    real: right(d?.onReal, (score, i) => believed(d, score, i)),
    fake: right(d?.onFake, (score, i) => !believed(d, score, i)),
    passed: right(g.onFake, (score, i) => believed(d, score, i)),
    loss_d: d?.loss.toFixed(3),
    loss_g: g.loss.toFixed(3),
  };
  return text.replace(/\{(\w+)\}/g, (_, name) => figures[name]);
}

// Whether D takes a score for that of a real point: above the middle between its means for real points and fakes.
function believed(d, score) {
  const mean = (scores) => scores.reduce((sum, value) => sum + value, 0) / scores.length;
  return score > (mean(d.onReal) + mean(d.onFake)) / 2;
}

// What is drawn in a phase: which view of the networks, which batch, which points D takes for what they are not.
function shot({ networks, points, scored, arrows, turn }, record, after) {
  const scene = { before: record.before, middle: record.middle, after }[networks], now = record[turn];
  const batch = { real: points.includes("real") ? now.real : null, fakes: points.includes("fakes") ? now.fakes : null };
  const judged = record.d && scored;
  return {
    scene,
    batch,
    wrongReal: judged && turn === "d" ? (i) => !believed(record.d, now.onReal[i]) : null,
    wrongFake: judged ? (i) => believed(record.d, now.onFake[i]) : null,
    arrows: arrows ? (turn === "g" && record.d ? pushes(now) : { starts: now.real, ends: now.fakes }) : null,
  };
}

// Arrows of a batch, drawn like those of `view`.
function pushes({ fakes, by }) {
  const rows = fakes.length / 2;
  const ends = fakes.map((value, i) => {
    const length = rows * Math.hypot(by[i & ~1], by[i | 1]) || 1;
    return value - Math.min(0.5, 0.3 / length) * rows * by[i];
  });
  return { starts: fakes, ends };
}
