// Plays runs side by side, in step by the number of images that training had seen. Everything is sent once; the server
// hears nothing while it plays, and the browser writes the place into the link.
const TICK = 300; // milliseconds a moment is shown while it plays
const CALM = 1000; // where motion is to be reduced

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".film");
  if (root.scene === data.id) return;
  root.scene = data.id;
  root.stop?.();
  const { runs, colours } = data, stops = [...new Set(runs.flatMap(({ seen }) => seen))].sort((a, b) => a - b);
  const shown = runs.map((run) => section(run, colours, stops)), bar = transport(stops), around = element("div", "runs");
  around.style.setProperty("--runs", runs.length);
  around.classList.toggle("alone", runs.length === 1);
  around.append(...shown.map((one) => one.element));
  root.replaceChildren(bar.element, around);
  const state = { index: place(stops), timer: 0 };
  const show = (index) => {
    state.index = index;
    shown.forEach((one) => one.show(stops[index]));
    bar.show(index);
  };
  const stop = () => {
    clearTimeout(state.timer);
    state.timer = 0;
    bar.playing(false);
    write(stops, state.index);
  };
  const step = () => {
    if (!root.isConnected) return;
    if (state.index + 1 >= stops.length) return stop();
    show(state.index + 1);
    state.timer = setTimeout(step, pause());
  };
  root.stop = () => clearTimeout(state.timer);
  bar.input.oninput = () => {
    if (state.timer) stop();
    show(Number(bar.input.value));
  };
  bar.input.onchange = () => write(stops, state.index);
  bar.button.onclick = () => {
    if (state.timer) return stop();
    if (state.index + 1 >= stops.length) show(0);
    bar.playing(true);
    state.timer = setTimeout(step, pause());
  };
  show(state.index);
  drawn(parentElement);
}

const pause = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? CALM : TICK);

// The moment of the link, or the last one: a number of images seen; the stop at or before it.
function place(stops) {
  const asked = Number(new URLSearchParams(location.search).get("moment"));
  if (!(asked > 0)) return stops.length - 1;
  return Math.max(0, stops.findLastIndex((seen) => seen <= asked));
}

function write(stops, index) {
  const asked = new URLSearchParams(location.search);
  if (index + 1 < stops.length) asked.set("moment", stops[index]);
  else asked.delete("moment");
  const text = asked.toString();
  history.replaceState(history.state, "", location.pathname + (text && `?${text}`) + location.hash);
}

// Play and pause, a range input (which brings keyboard, touch and its role with it), and where one is.
function transport(stops) {
  const bar = element("div", "transport"), button = element("button", "play", "Play"), input = document.createElement("input");
  const readout = element("p", "readout");
  button.type = "button";
  Object.assign(input, { type: "range", min: 0, max: stops.length - 1, step: 1 });
  input.setAttribute("aria-label", "Moment of training");
  bar.append(button, input, readout);
  return {
    element: bar, button, input,
    playing: (on) => (button.textContent = on ? "Pause" : "Play"),
    show(index) {
      const text = `${stops[index].toLocaleString("en")} images seen`;
      input.value = index;
      input.setAttribute("aria-valuetext", text);
      readout.textContent = `${text} · moment ${index + 1} of ${stops.length}`;
    },
  };
}

// One run: its pictures, its verdicts, its curves.
function section(run, colours, stops) {
  const box = element("section", "run"), name = element("h2", "", run.label), figures = element("div", "figures");
  const canvas = document.createElement("canvas"), plate = figure("Samples of one fixed batch");
  canvas.width = run.width;
  canvas.height = run.height;
  canvas.setAttribute("role", "img");
  plate.body.append(canvas);
  plate.body.classList.add("samples");
  const verdicts = histogram(run.verdicts, run.sides, colours), plots = run.plots.map((plot) => curve(plot, stops));
  figures.append(plate.element, verdicts.element, ...plots.map((one) => one.element));
  box.append(name, figures);
  const pen = canvas.getContext("2d"), image = new Image();
  let now = 0;
  const paint = () => {
    if (!image.complete || !image.naturalWidth) return;
    const left = (now % run.across) * run.width, top = Math.floor(now / run.across) * run.height;
    pen.drawImage(image, left, top, run.width, run.height, 0, 0, run.width, run.height);
  };
  image.onload = paint;
  image.src = run.sheet;
  return {
    element: box,
    show(seen) {
      now = Math.max(0, run.seen.findLastIndex((each) => each <= seen));
      canvas.setAttribute("aria-label", `${run.label}: samples after ${run.seen[now].toLocaleString("en")} images`);
      paint();
      verdicts.show(now);
      plots.forEach((plot) => plot.show(seen));
    },
  };
}
