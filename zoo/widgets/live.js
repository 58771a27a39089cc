// Pictures that follow the hand. A sheet of pictures, decoded on a grid and sent once, is blended between neighbours
// while someone drags; on release the server is told the place, and its exact pictures replace the blended ones.
const EXACT = "latent-zoo-exact";
const STROLL = 6000; // milliseconds from end to end when played
const PAUSE = 1000; // milliseconds between steps where motion is to be reduced

export default function ({ parentElement, data, setStateValue }) {
  const exacts = (globalThis.latentZooExact ??= {});
  if (data.exact) {
    // A second, small component brings what changes with the place, so that the sheet is not sent again.
    exacts[data.exact.key] = data.exact;
    document.dispatchEvent(new CustomEvent(EXACT, { detail: data.exact.key }));
    return;
  }
  const root = parentElement.querySelector(".live");
  root.tell = (at) => setStateValue("at", at);
  if (root.scene === data.id) return;
  root.scene = data.id;
  const scene = build(root, data);
  const arrive = (event) => {
    if (!root.isConnected || root.scene !== data.id) document.removeEventListener(EXACT, arrive);
    else if (event.detail === data.key) scene.exactly(exacts[data.key]);
  };
  document.addEventListener(EXACT, arrive);
  if (exacts[data.key]) scene.exactly(exacts[data.key]);
}

function build(root, data) {
  const { axes, pictures, plane, key } = data;
  const stage = element("div", plane ? "stage plane" : "stage");
  stage.classList.toggle("several", pictures.length > 1);
  stage.classList.toggle("many", pictures.length > 3);
  const shown = pictures.map((picture) => figure(picture, data)), readout = element("p", "readout");
  const gallery = element("div", "pictures"), side = element("div", "side");
  gallery.style.setProperty("--count", pictures.length);
  gallery.append(...shown.map((one) => one.figure));
  const state = { at: axes.map(({ low, high }) => (low + high) / 2), held: false, over: null, exact: null, pixels: null };
  const control = plane ? map(data, state, move, release, hover) : track(data, state, move, release);
  side.append(gallery, readout);
  stage.append(...(plane ? [control.element, side] : [side, control.element]));
  const play = player(data, state, move, release);
  (plane ? side : control.element).append(play.button);
  if (plane?.kinds.length) side.append(legend(plane));
  root.replaceChildren(stage);
  let asked = 0;

  picture(data.sheet).then((image) => {
    const canvas = document.createElement("canvas");
    canvas.width = image.width;
    canvas.height = image.height;
    const pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0);
    state.pixels = pen.getImageData(0, 0, canvas.width, canvas.height);
    if (plane) ground(control.ground, state.pixels, data);
    draw();
  });

  function move(at, by = "hand") {
    if (by === "hand") play.stop();
    state.at = at.map((value, i) => clamp(value, axes[i]));
    state.over = null;
    redraw();
  }
  function hover(at) {
    state.over = at;
    redraw();
  }
  function release() {
    state.held = false;
    root.tell(state.at);
    redraw();
  }
  function redraw() {
    asked ||= requestAnimationFrame(draw);
  }
  function draw() {
    asked = 0;
    const at = state.over ?? state.at, part = fractions(at, axes);
    const exact = !state.held && state.exact && same(state.exact.at, at) ? state.exact : null;
    if (exact) shown.forEach((one, k) => one.pen.drawImage(exact.image, k * data.width, 0, data.width, data.height, 0, 0, data.width, data.height));
    else if (state.pixels) shown.forEach((one, k) => one.pen.putImageData(blend(state.pixels, data, k, part, one.out), 0, 0));
    if (exact) shown.forEach((one, k) => (one.note.textContent = exact.notes[k]));
    stage.classList.toggle("moving", !exact);
    const text = describe(at, part, data);
    readout.textContent = text;
    shown.forEach((one, k) => one.canvas.setAttribute("aria-label", `${pictures[k].title}: ${text}`));
    control.show(at, part, text);
  }
  return {
    exactly(exact) {
      picture(exact.sheet).then((image) => {
        state.exact = { ...exact, image };
        if (!state.held && !play.running()) state.at = exact.at;
        draw();
      });
    },
  };
}

// The way for a path: a range input, which brings keyboard, touch and its role with it.
function track({ axes: [axis] }, state, move, release) {
  const box = element("div", "track"), input = document.createElement("input");
  Object.assign(input, { type: "range", min: axis.low, max: axis.high, step: axis.step });
  input.setAttribute("aria-label", axis.label);
  input.oninput = () => {
    state.held = true;
    move([Number(input.value)]);
  };
  input.onchange = release;
  box.append(element("span", "end", axis.ends[0]), input, element("span", "end", axis.ends[1]));
  return {
    element: box,
    show([value], part, text) {
      if (Number(input.value) !== value) input.value = value;
      input.setAttribute("aria-valuetext", text);
    },
  };
}

// Play and pause: there and back along a path, or in loops through a plane; in steps where motion is to be reduced.
function player({ axes }, state, move, release) {
  const button = element("button", "play", "Play");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let running = 0, begun = 0, before = 0, origin = [];
  const way = ({ low, high }, i, t) =>
    axes.length > 1
      ? (low + high) / 2 + 0.36 * (high - low) * Math.sin((2 + i) * t * Math.PI * 0.5 + i)
      : low + (high - low) * (1 - Math.abs((t % 2) - 1));
  const step = (now) => {
    if (!button.isConnected) return;
    if (!begun) [begun, origin] = [now, state.at];
    if (!calm.matches || now - before >= PAUSE) {
      before = now;
      state.held = true;
      const t = calm.matches ? Math.round((now - begun) / PAUSE) / 8 : (now - begun) / STROLL;
      const near = Math.max(0, 1 - 6 * t); // it sets out from where the hand was
      move(axes.map((axis, i) => near * origin[i] + (1 - near) * way(axis, i, t)), "player");
    }
    running = requestAnimationFrame(step);
  };
  const stop = () => {
    cancelAnimationFrame(running);
    running = begun = before = 0;
    button.textContent = "Play";
  };
  button.type = "button";
  button.onclick = () => {
    if (running) {
      stop();
      release();
    } else {
      button.textContent = "Pause";
      running = requestAnimationFrame(step);
    }
  };
  return { button, stop, running: () => running > 0 };
}

function describe(at, part, { axes, reads }) {
  const place = axes.map(({ label, decimals }, i) => `${label} = ${at[i].toFixed(decimals).replace("-", "−")}`).join(", ");
  if (!reads) return place;
  const [column, row] = part.map((along) => Math.round(along * (reads.side - 1))), index = row * reads.side + column;
  return `${place} · ${reads.by} sees ${reads.classes[reads.index[index]]} near here (${reads.percent[index]} %)`;
}

function fractions(at, axes) {
  return axes.map(({ low, high, up }, i) => (up ? high - at[i] : at[i] - low) / (high - low));
}

function clamp(value, { low, high, decimals }) {
  return Number(Math.min(high, Math.max(low, value)).toFixed(decimals));
}

function same(a, b) {
  return a.every((value, i) => Math.abs(value - b[i]) < 1e-6);
}
