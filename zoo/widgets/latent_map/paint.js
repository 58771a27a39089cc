// How a cloud of points looks: marks of classes, pictures in their place, names, the ring and the lasso.
const RADIUS = 3.6; // pixels of a mark, smaller where points are many
const NAMED = 40; // kinds that are named
const WIDE = 1600; // pixels of what is saved
const LAYERS = 8; // of a room, drawn from back to front

function painter(canvas, state) {
  const { cloud, view } = state, { dims, count, points, kind } = cloud, pen = canvas.getContext("2d");
  const xs = new Float32Array(count), ys = new Float32Array(count), depth = new Uint8Array(count);
  const radius = Math.max(2.2, RADIUS - count / 6000);
  const me = { width: 300, height: 300 };
  let scale = 1, colours = {}, marks = null;

  me.half = () => (Math.min(me.width, me.height) / 2) * view.zoom;
  me.place = (x, y) => [(x - me.width / 2) / me.half() + view.x, (me.height / 2 - y) / me.half() + view.y];
  me.screen = ([x, y]) => [(x - view.x) * me.half() + me.width / 2, me.height / 2 - (y - view.y) * me.half()];
  me.spot = (place) => me.screen(seen(...place, 0));
  me.at = (point) => [xs[point], ys[point]];
  me.corners = () => [[0, 0], [me.width, 0], [me.width, me.height], [0, me.height]].map((at) => me.place(...at));
  me.nearest = ([x, y], most) => {
    let found = -1, least = most * most;
    for (let i = 0; i < count; i++) {
      const away = (xs[i] - x) ** 2 + (ys[i] - y) ** 2;
      if (away < least && (state.only === null || kind[i] === state.only)) [found, least] = [i, away];
    }
    return found;
  };
  me.resize = () => {
    scale = devicePixelRatio;
    [me.width, me.height] = [canvas.clientWidth || 300, canvas.clientHeight || 300];
    [canvas.width, canvas.height] = [Math.round(me.width * scale), Math.round(me.height * scale)];
    marks = null;
  };
  me.theme = () => {
    const style = getComputedStyle(canvas), read = (name) => style.getPropertyValue(name).trim();
    colours = { ground: read("--st-background-color"), ink: read("--st-text-color"), line: read("--st-border-color"), accent: read("--st-primary-color"), font: read("--st-font") || "sans-serif" };
    marks = null;
  };
  // First around the vertical axis, then the near side down; no perspective. zoo.analysis.cloud.turned does the same.
  function seen(x, y, z) {
    if (dims === 2) return [x, y, 0];
    const a = (view.yaw * Math.PI) / 180, b = (view.pitch * Math.PI) / 180;
    const across = Math.cos(a) * x + Math.sin(a) * z, deep = Math.cos(a) * z - Math.sin(a) * x;
    return [across, Math.cos(b) * y - Math.sin(b) * deep, Math.sin(b) * y + Math.cos(b) * deep];
  }
  function project() {
    const half = me.half(), left = me.width / 2 - view.x * half, top = me.height / 2 + view.y * half;
    for (let i = 0; i < count; i++) {
      const [x, y, z] = dims === 2 ? [points[2 * i], points[2 * i + 1], 0] : seen(points[3 * i], points[3 * i + 1], points[3 * i + 2]);
      xs[i] = left + x * half;
      ys[i] = top - y * half;
      depth[i] = dims === 2 ? 0 : Math.max(0, Math.min(LAYERS - 1, Math.floor((z / 1.8 + 0.5) * LAYERS)));
    }
  }
  const visible = (i, margin) => xs[i] > -margin && ys[i] > -margin && xs[i] < me.width + margin && ys[i] < me.height + margin;
  const faint = (i) => state.only !== null && kind[i] !== state.only;

  // Each kind once, filled for real and hollow for generated images; points are copies.
  function stamps() {
    const side = Math.ceil((2 * radius + 4) * scale), sheet = document.createElement("canvas"), ink = sheet.getContext("2d");
    [sheet.width, sheet.height] = [side * cloud.kinds.length, 2 * side];
    cloud.kinds.forEach(({ colour, symbol }, k) => {
      for (const hollow of [0, 1]) {
        const outline = new Path2D();
        corners(symbol).forEach(([x, y]) => outline.lineTo(side * (k + 0.5) + x * radius * scale, side * (hollow + 0.5) + y * radius * scale));
        outline.closePath();
        [ink.fillStyle, ink.strokeStyle, ink.lineWidth] = [hollow ? colours.ground : colour, hollow ? colour : colours.ground, scale * (hollow ? 1.4 : 0.7)];
        ink.fill(outline);
        ink.stroke(outline);
      }
    });
    return { sheet, side };
  }
  function dots(dim) {
    marks ??= stamps();
    const { sheet, side } = marks;
    for (let layer = 0; layer < (dims === 2 ? 1 : LAYERS); layer++) {
      const size = (side / scale) * (dims === 2 ? Math.min(1.6, 1 + 0.08 * (view.zoom - 1)) : 0.6 + (0.7 * layer) / LAYERS);
      for (const pale of state.only === null ? [false] : [true, false]) {
        pen.globalAlpha = pale ? 0.12 : dim * (dims === 2 ? 0.85 : 0.35 + (0.6 * layer) / LAYERS);
        for (let i = 0; i < count; i++)
          if (depth[i] === layer && faint(i) === pale && visible(i, 6))
            pen.drawImage(sheet, kind[i] * side, i >= cloud.real ? side : 0, side, side, xs[i] - size / 2, ys[i] - size / 2, size, size);
      }
    }
    pen.globalAlpha = 1;
  }
  // Pictures where they do not cover each other; the other points stay marks.
  function pictures() {
    const size = Math.min(64, Math.max(22, 16 + 4 * view.zoom)), taken = new Map(), { image, across, width, height, tinted } = state.sheet;
    const free = (x, y) => {
      for (const dx of [-1, 0, 1])
        for (const dy of [-1, 0, 1]) {
          const other = taken.get(4096 * (x + dx) + y + dy);
          if (other?.some((j) => Math.abs(xs[j] - here[0]) < size && Math.abs(ys[j] - here[1]) < size)) return false;
        }
      return true;
    };
    let here = [0, 0];
    pen.imageSmoothingEnabled = width > size;
    for (let i = 0; i < count; i++) {
      if (!visible(i, size) || faint(i)) continue;
      here = [xs[i], ys[i]];
      const x = Math.floor(xs[i] / size) + 8, y = Math.floor(ys[i] / size) + 8, cell = 4096 * x + y;
      if (!free(x, y)) continue;
      if (taken.has(cell)) taken.get(cell).push(i);
      else taken.set(cell, [i]);
      const to = [xs[i] - size / 2, ys[i] - size / 2, size, size], from = [(i % across) * width, Math.floor(i / across) * height, width, height];
      pen.fillStyle = colours.ground;
      pen.globalAlpha = tinted ? 0.7 : 1;
      pen.fillRect(...to);
      pen.globalAlpha = 1;
      pen.drawImage(image, ...from, ...to);
      if (!tinted || i >= cloud.real) frame(i, to);
    }
    pen.imageSmoothingEnabled = true;
  }
  function frame(i, to) {
    pen.strokeStyle = cloud.kinds[kind[i]].colour;
    pen.lineWidth = 2;
    pen.setLineDash(i >= cloud.real ? [3, 3] : []);
    pen.strokeRect(...to);
    pen.setLineDash([]);
  }
  function names() {
    pen.font = `600 12px ${colours.font}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    const taken = [];
    for (const { name, colour, ink, place } of cloud.kinds) {
      if (!place) continue;
      const [x, middle] = me.spot(place), wide = pen.measureText(name).width + 8;
      // None covers another: it moves up or down until it is free.
      const covered = (y) => taken.some((other) => Math.abs(other.y - y) < 19 && Math.abs(other.x - x) < (other.wide + wide) / 2);
      const y = middle + ([0, 19, -19, 38, -38, 57, -57, 76, -76].find((step) => !covered(middle + step)) ?? 0);
      taken.push({ x, y, wide });
      pen.fillStyle = colour;
      pen.fillRect(x - wide / 2, y - 9, wide, 18);
      pen.fillStyle = ink;
      pen.fillText(name, x, y);
    }
  }
  function ring(x, y, size, colour) {
    for (const [style, wide] of [[colours.ground, 6], [colour, 3]]) {
      [pen.strokeStyle, pen.lineWidth] = [style, wide];
      pen.beginPath();
      pen.arc(x, y, size, 0, 2 * Math.PI);
      pen.stroke();
    }
  }
  function lasso() {
    const turned = dims === 3 && state.marks?.turn && (state.marks.turn[0] !== Math.round(view.yaw) || state.marks.turn[1] !== Math.round(view.pitch));
    const corners = state.path ?? (turned ? null : state.marks?.lasso);
    if (!corners?.length) return;
    pen.beginPath();
    corners.forEach((corner) => pen.lineTo(...me.screen(corner)));
    pen.closePath();
    pen.globalAlpha = 0.12;
    pen.fillStyle = colours.accent;
    pen.fill("evenodd");
    pen.globalAlpha = 1;
    [pen.strokeStyle, pen.lineWidth] = [colours.accent, 2];
    pen.stroke();
  }
  function axes() {
    pen.fillStyle = colours.ink;
    pen.font = `12px ${colours.font}`;
    if (dims === 3) return cloud.titles.forEach((title, i) => rod(title, i));
    pen.textAlign = "right";
    pen.textBaseline = "bottom";
    if (cloud.titles[0]) pen.fillText(`${cloud.titles[0]} →`, me.width - 8, me.height - 6);
    pen.textAlign = "left";
    pen.textBaseline = "top";
    if (cloud.titles[1]) pen.fillText(`↑ ${cloud.titles[1]}`, 8, 6);
  }
  function rod(title, i) {
    const end = [0, 1, 2].map((j) => (i === j ? 1 : 0)), [x, y] = me.spot(end);
    [pen.strokeStyle, pen.lineWidth] = [colours.line, 1];
    pen.beginPath();
    pen.moveTo(...me.spot([0, 0, 0]));
    pen.lineTo(x, y);
    pen.stroke();
    pen.textAlign = "center";
    pen.fillText(title, Math.min(me.width - 60, Math.max(60, x)), Math.min(me.height - 12, Math.max(12, y)));
  }
  me.draw = () => {
    const shown = state.sheet && (state.pictures || view.zoom >= CLOSE);
    project();
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, me.width, me.height);
    axes();
    dots(shown ? 0.6 : 1);
    if (shown) pictures();
    lasso();
    if (!shown && cloud.kinds.length <= NAMED && state.only === null) names();
    if (state.marks?.at) ring(...me.spot(state.marks.at), 11, colours.accent);
    if (state.over >= 0) ring(...me.at(state.over), 6, colours.ink);
    if (state.cursor) ring(...state.cursor, 14, colours.ink);
  };
  // As PNG, on the page's ground, large enough for a slide.
  me.saved = (name) => {
    const before = scale, copy = document.createElement("canvas");
    scale = Math.max(scale, WIDE / me.width);
    [canvas.width, canvas.height] = [Math.round(me.width * scale), Math.round(me.height * scale)];
    marks = null;
    me.draw();
    [copy.width, copy.height] = [canvas.width, canvas.height];
    const ink = copy.getContext("2d");
    ink.fillStyle = colours.ground;
    ink.fillRect(0, 0, copy.width, copy.height);
    ink.drawImage(canvas, 0, 0);
    scale = before;
    me.resize();
    me.draw();
    copy.toBlob((blob) => {
      const anchor = element("a");
      anchor.href = URL.createObjectURL(blob);
      anchor.download = name;
      anchor.click();
      setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
    });
  };
  return me;
}

// The pictures in one sheet; grey ones become ink in the colour of their kind, on a ground that lets through.
async function load({ sheet, across, width, height, of }, cloud, grey) {
  const image = new Image();
  image.src = sheet;
  await image.decode();
  const plain = { image, across, width, height, of, plain: image, tinted: false };
  if (!grey) return plain;
  const canvas = document.createElement("canvas"), pen = canvas.getContext("2d", { willReadFrequently: true });
  [canvas.width, canvas.height] = [image.width, image.height];
  pen.drawImage(image, 0, 0);
  const colours = cloud.kinds.map(({ colour }) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16)));
  for (let i = 0; i < cloud.count; i++) {
    // Tile by tile, so that a large sheet is never held twice.
    const x = (i % across) * width, y = Math.floor(i / across) * height, tile = pen.getImageData(x, y, width, height), to = tile.data;
    for (let p = 0; p < to.length; p += 4) {
      to[p + 3] = to[p];
      [to[p], to[p + 1], to[p + 2]] = colours[cloud.kind[i]];
    }
    pen.putImageData(tile, x, y);
  }
  return { ...plain, image: canvas, tinted: true };
}

function enlarge(canvas, { plain, across, width, height }, i) {
  [canvas.width, canvas.height] = [width, height];
  canvas.getContext("2d").drawImage(plain, (i % across) * width, Math.floor(i / across) * height, width, height, 0, 0, width, height);
}

function toolbar(flat, does) {
  const bar = element("div", "tools"), made = {};
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Map");
  const add = (name, text, action, help) => {
    const one = (made[name] = element("button", "", text));
    one.type = "button";
    if (help) one.title = help;
    one.onclick = () => (action(), does.redraw());
    bar.append(one);
  };
  add("lasso", "Lasso", does.lasso, "Draw around points to select them");
  add("view", "Select what is in view", does.view);
  add("clear", "Clear selection", does.clear);
  add("pictures", "Pictures", does.pictures, "Draw the images in place of the points");
  if (!flat) add("turn", "Turn", does.turn);
  add("closer", "+", () => does.zoom(1.4), "Zoom in");
  add("farther", "−", () => does.zoom(1 / 1.4), "Zoom out");
  add("whole", "Whole map", does.whole);
  add("save", "PNG", does.save, "Save the map as a picture");
  made.closer.setAttribute("aria-label", "Zoom in");
  made.farther.setAttribute("aria-label", "Zoom out");
  return {
    element: bar,
    turning: (on) => made.turn && (made.turn.textContent = on ? "Stop" : "Turn"),
    show(state) {
      made.lasso.setAttribute("aria-pressed", state.lasso);
      made.pictures.setAttribute("aria-pressed", state.pictures);
      made.clear.hidden = !state.marks?.lasso?.length;
    },
  };
}

// What the marks mean; a press shows one kind alone.
function legend({ kinds }, state, redraw) {
  const list = element("ul", "legend");
  kinds.slice(0, NAMED).forEach(({ name, colour, symbol }, k) => {
    const item = element("li"), one = element("button", "", name), outline = corners(symbol).map(([x, y]) => `${6 + 5 * x},${6 + 5 * y}`).join(" ");
    one.type = "button";
    one.setAttribute("aria-pressed", false);
    one.insertAdjacentHTML("afterbegin", `<svg width="12" height="12" aria-hidden="true"><polygon points="${outline}" fill="${colour}"/></svg>`);
    one.onclick = () => {
      state.only = state.only === k ? null : k;
      list.querySelectorAll("button").forEach((other, i) => other.setAttribute("aria-pressed", state.only === i));
      redraw();
    };
    item.append(one);
    list.append(item);
  });
  return list;
}

function element(tag, name = "", text = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}
