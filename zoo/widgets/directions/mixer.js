// Sliders whose effects add up. Each has a row of frames, moved from where the others are, that is blended while it is
// dragged; on release the server is told the strengths, and sends the exact pictures with the rows that start there.
const PATIENCE = 4000; // milliseconds for which an answer to what was told before is not taken for the latest

export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".mixer");
  root.tell = (at) => setStateValue("at", at);
  if (root.scene !== data.scene) {
    root.scene = data.scene;
    root.mix = build(root, data);
  }
  root.mix.update(data);
  drawn(parentElement);
}

function build(root, data) {
  const { axes } = data;
  const state = { at: axes.map(() => 0), held: -1, told: null, since: 0, pixels: null, exact: null };
  const gallery = element("div", "pictures"), strengths = element("div", "strengths");
  const first = figure(data.first, data), shown = data.titles.map((title) => figure({ title }, data));
  first.note.textContent = data.first.note;
  first.canvas.setAttribute("aria-label", `${data.first.title}: ${data.first.note}`);
  picture(data.first.picture).then((image) => first.pen.drawImage(image, 0, 0));
  gallery.style.setProperty("--count", shown.length + 1);
  gallery.append(first.figure, ...shown.map((one) => one.figure));
  const sliders = axes.map((axis, k) => slider(axis, k, move, release));
  const zero = element("button", "zero", "All to zero");
  zero.type = "button";
  zero.onclick = () => {
    state.at = axes.map(() => 0);
    release();
  };
  strengths.append(...sliders.map((one) => one.element), zero);
  const mix = element("div", "mix");
  mix.append(gallery, strengths);
  root.replaceChildren(mix);
  let asked = 0;

  function move(k, value) {
    state.held = k;
    state.at[k] = value;
    asked ||= requestAnimationFrame(draw);
  }
  function release() {
    state.held = -1;
    state.told = [...state.at];
    state.since = performance.now();
    root.tell(state.told);
    draw();
  }
  function draw() {
    asked = 0;
    const { at, held, exact, pixels } = state;
    const still = held < 0 && exact && same(exact.at, at);
    if (still) {
      shown.forEach((one, g) => one.pen.drawImage(exact.image, g * data.width, 0, data.width, data.height, 0, 0, data.width, data.height));
      shown.forEach((one, g) => (one.note.textContent = exact.notes[g]));
    } else if (held >= 0 && pixels) {
      const across = (at[held] - axes[held].low) / (axes[held].high - axes[held].low);
      const down = data.rows > 1 ? held / (data.rows - 1) : 0;
      shown.forEach((one, g) => one.pen.putImageData(blend(pixels, data, g, [across, down], one.out), 0, 0));
    }
    gallery.classList.toggle("moving", !still);
    sliders.forEach((one, k) => one.show(at[k]));
    const text = axes.map((axis, k) => (at[k] ? `${axis.label} ${signed(at[k])}${axis.unit}` : "")).filter(Boolean).join(", ");
    shown.forEach((one, g) => one.canvas.setAttribute("aria-label", `${data.titles[g]}: ${text || "no change"}`));
  }
  return {
    async update(next) {
      const [sheet, image] = await Promise.all([picture(next.sheet), picture(next.exact)]);
      const late = state.told && !same(next.at, state.told) && performance.now() - state.since < PATIENCE;
      if (root.scene !== next.scene || late) return;
      const canvas = document.createElement("canvas");
      canvas.width = sheet.width;
      canvas.height = sheet.height;
      const pen = canvas.getContext("2d");
      pen.drawImage(sheet, 0, 0);
      state.pixels = pen.getImageData(0, 0, canvas.width, canvas.height);
      state.exact = { at: next.at, image, notes: next.notes };
      state.at = next.at.map((value, k) => (k === state.held ? state.at[k] : value));
      draw();
    },
  };
}

function slider(axis, k, move, release) {
  const box = element("label", "strength"), head = element("span", "head"), value = element("output", "value");
  const input = document.createElement("input"), track = element("span", "track");
  Object.assign(input, { type: "range", min: axis.low, max: axis.high, step: axis.step });
  input.setAttribute("aria-label", axis.label);
  input.oninput = () => move(k, Math.round(Number(input.value) * 100) / 100);
  input.onchange = release;
  head.append(element("strong", "", axis.label), element("span", "figure", axis.figure), value);
  track.append(element("span", "end", axis.ends[0]), input, element("span", "end", axis.ends[1]));
  box.append(head, track);
  return {
    element: box,
    show(at) {
      if (Number(input.value) !== at) input.value = at;
      value.textContent = `${signed(at)}${axis.unit}`;
      input.setAttribute("aria-valuetext", value.textContent);
    },
  };
}

function signed(value) {
  return (value > 0 ? "+" : value < 0 ? "−" : "") + Math.abs(value).toFixed(1);
}

function same(a, b) {
  return a.length === b.length && a.every((value, i) => Math.abs(value - b[i]) < 1e-6);
}
