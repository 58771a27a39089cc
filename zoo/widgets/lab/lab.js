// The live lab: a model of points in the plane is trained before one's eyes, in the visitor's own browser. The server sends
// this once and hears nothing more: settings stand in the link, which the browser reads and writes.
const PHASE = 3200; // milliseconds of a phase of slow motion: time to read its sentence
// The worker runs this same file, without a page.
if (typeof document === "undefined") serve(globalThis);

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".lab");
  root.lab ??= build(root, data);
  root.lab.paint(); // the theme may have changed
  return () => root.lab.close();
}

function build(root, { settings, presets, phases, brief }) {
  const worker = new Worker(import.meta.url, { type: "module" });
  const tell = (name, value = null) => worker.postMessage({ [name]: value });
  const link = readLink(settings, presets, location.search, brief);
  const state = { ...link, scene: null, real: null, rows: [], floor: 0, modes: null, running: false, slow: null };
  const canvas = stage(state, (points) => restart({ points }));
  const bar = transport({ run, step, slowly, restart: () => restart({}), clear: () => restart({ points: DRAWN }) });
  const signs = legend(settings, (name, value) => change({ ...state.chosen, [name]: value }, name));
  const strip = flow(), charts = curves(), readout = element("p", "readout");
  const panel = controls(settings, presets, { change, choose });
  const saves = downloads(() => `lab-${state.preset.key}-step-${state.scene.step}`, canvas.element, () => state.rows);
  const body = element("div", "body"), player = element("div", "play"), key = element("div", "key"), wrong = link.refused.join(", ");
  player.append(canvas.element, bar.element, readout);
  key.append(signs.element, strip.element);
  // In this order on a phone, and for the keyboard everywhere.
  body.append(player, panel.presets, key, charts.element, ...(brief ? [] : [panel.settings, saves]));
  root.replaceChildren(body);
  if (wrong) panel.presets.append(element("p", "note", `The link asks for what cannot be chosen here: ${wrong}.`));
  worker.onmessage = ({ data }) => (root.isConnected ? receive(data) : worker.terminate());
  worker.onerror = (error) => (readout.textContent = `The lab has stopped: ${error.message}. Reload the page.`);
  worker.onmessageerror = worker.onerror;
  restart({});

  function receive(message) {
    if (message.fresh) state.rows = [];
    state.rows.push(...message.rows);
    Object.assign(state, { scene: message.view, real: message.real, floor: message.floor, modes: message.modes });
    if (message.running !== state.running) bar.running((state.running = message.running));
    if (message.slowly) play(message.slowly);
    else paint();
    describe(message.rate);
    charts.show(state);
    requestAnimationFrame(() => tell("drawn"));
  }
  function paint() {
    if (state.scene) canvas.paint(state.slow ?? {});
  }
  function describe(rate) {
    const [step, , , , js, , modes] = state.rows.at(-1);
    state.rate = state.running ? (rate ?? state.rate) : null;
    const parts = [`Step ${state.scene.step.toLocaleString("en")}`];
    if (modes !== null) parts.push(`${modes} of ${state.modes} modes covered`);
    parts.push(`JS divergence ${js.toFixed(2)}`);
    if (state.rate) parts.push(`${Math.round(state.rate)} steps a second`);
    readout.textContent = parts.join(" · ");
    canvas.element.setAttribute("aria-label", `Real points and what the model makes, at step ${step}: ${parts.slice(1).join(", ")}`);
  }
  // A new run of what is chosen, or of what is given; it goes on running if it did.
  function restart({ points = state.points }) {
    stop();
    state.points = points;
    tell("begin", { settings: state.chosen, points });
    tell("pace", state.chosen.pace);
    if (state.running) tell("run", true);
    panel.show(state);
    signs.show(state.chosen);
    bar.show(state.chosen);
    strip.show(state.chosen);
    writeLink(settings, presets, state);
  }
  function change(chosen, name) {
    state.chosen = chosen;
    if (!settings.find((setting) => setting.key === name).live) return restart({});
    tell("tune", chosen);
    if (name === "pace") tell("pace", chosen.pace);
    panel.show(state);
    signs.show(chosen);
    writeLink(settings, presets, state);
    paint();
  }
  function choose(preset) {
    const shown = Object.fromEntries(settings.filter((one) => one.flag || one.key === "pace").map((one) => [one.key, state.chosen[one.key]]));
    Object.assign(state, { preset, chosen: { ...presets[0].settings, ...preset.settings, ...shown } });
    restart({});
  }
  function run() {
    stop();
    tell("run", !state.running);
  }
  function step(who) {
    stop();
    if (state.running) tell("run", false);
    tell("step", who);
  }
  // Slow motion: one step of each player, phase by phase, until it is stopped.
  function slowly() {
    if (state.slow) return stop();
    if (state.running) tell("run", false);
    state.slow = {};
    bar.slow(true);
    tell("slowly");
  }
  function play(record) {
    if (!state.slow) return paint();
    const told = phases.filter((phase) => phase.model.includes(state.chosen.model));
    const next = (index) => {
      if (!root.isConnected || !state.slow) return;
      if (index === told.length) return tell("slowly");
      state.slow = shot(told[index], record, state.scene);
      strip.phase(told[index], record);
      paint();
      state.timer = setTimeout(next, PHASE, index + 1);
    };
    next(0);
  }
  function stop() {
    if (!state.slow) return;
    clearTimeout(state.timer);
    state.slow = null;
    bar.slow(false);
    strip.phase(null);
    paint();
  }
  function close() {
    clearTimeout(state.timer);
    worker.terminate();
  }
  return { paint, close };
}

function element(tag, name = "", text = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

function button(text, action, name = "") {
  const made = element("button", name, text);
  made.type = "button";
  made.onclick = action;
  return made;
}

// Run and pause, single steps, slow motion, back to the start, and away with a drawing.
function transport({ run, step, slowly, restart, clear }) {
  const bar = element("div", "transport");
  const go = button("Run", run, "primary"), slow = button("Slow motion", slowly), both = button("Step", () => step("both"));
  const d = button("Step D", () => step("d")), g = button("Step G", () => step("g"));
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Training");
  const erase = button("Clear drawing", clear);
  bar.append(go, both, d, g, slow, button("Restart", restart), erase);
  return {
    element: bar,
    running: (on) => (go.textContent = on ? "Pause" : "Run"),
    slow: (on) => (slow.textContent = on ? "Stop" : "Slow motion"),
    show({ model, points }) {
      d.hidden = g.hidden = model !== "gan";
      erase.hidden = points !== "drawing";
    },
  };
}

// The picture as PNG, and the curves as CSV.
function downloads(name, canvas, rows) {
  const row = element("div", "downloads");
  const save = (blob, ending) => {
    const anchor = element("a");
    anchor.href = URL.createObjectURL(blob);
    anchor.download = `${name()}.${ending}`;
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
  };
  const table = () => ["step,loss_d,loss_g,gradient,js,kl,modes", ...rows().map((row) => row.join(","))].join("\n") + "\n";
  row.append(
    button("Picture as PNG", () => canvas.querySelector("canvas").toBlob((blob) => save(blob, "png"))),
    button("Curves as CSV", () => save(new Blob([table()], { type: "text/csv" }), "csv"))
  );
  return row;
}
