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

  // Each kind once, filled for real and hollow for generated images, as pixels of `grown` times the usual size.
  function stamps(grown) {
    const wide = radius * grown, side = Math.ceil((2 * wide + 3) * scale), sheet = document.createElement("canvas");
    const ink = sheet.getContext("2d", { willReadFrequently: true }), found = [];
    sheet.width = sheet.height = side;
    for (const { colour, symbol } of cloud.kinds)
      for (const hollow of [false, true]) {
        const outline = new Path2D();
        corners(symbol).forEach(([x, y]) => outline.lineTo(side / 2 + x * wide * scale, side / 2 + y * wide * scale));
        outline.closePath();
        ink.clearRect(0, 0, side, side);
        [ink.fillStyle, ink.strokeStyle, ink.lineWidth] = [hollow ? colours.ground : colour, hollow ? colour : colours.ground, scale * (hollow ? 1.4 : 0.7)];
        ink.fill(outline);
        ink.stroke(outline);
        found.push(ink.getImageData(0, 0, side, side).data);
      }
    return { side, found };
  }
  function pixel(colour) {
    const ink = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    ink.fillStyle = colour;
    ink.fillRect(0, 0, 1, 1);
    return new Uint32Array(ink.getImageData(0, 0, 1, 1).data.buffer)[0];
  }
  // All marks, written into one picture: thousands of them cost less so than as many calls of the canvas.
  function dots(dim) {
    const flat = dims === 2, grown = flat ? Math.min(1.6, 1 + Math.round(view.zoom - 1) / 10) : 1;
    if (marks?.grown !== grown) {
      const sizes = flat ? [grown] : Array.from({ length: LAYERS }, (_, layer) => 0.6 + (0.7 * layer) / LAYERS);
      marks = { grown, layers: sizes.map(stamps), buffer: pen.createImageData(canvas.width, canvas.height) };
      marks.ground = pixel(colours.ground);
    }
    new Uint32Array(marks.buffer.data.buffer).fill(marks.ground);
    for (const pale of state.only === null ? [false] : [true, false])
      for (let layer = 0; layer < marks.layers.length; layer++) {
        const alpha = pale ? 0.12 : dim * (flat ? 0.85 : 0.35 + (0.6 * layer) / LAYERS), { side, found } = marks.layers[layer];
        for (let i = 0; i < count; i++)
          if (depth[i] === layer && faint(i) === pale && visible(i, 0))
            stamp(found[2 * kind[i] + (i >= cloud.real ? 1 : 0)], side, Math.round(xs[i] * scale - side / 2), Math.round(ys[i] * scale - side / 2), alpha / 255);
      }
    pen.putImageData(marks.buffer, 0, 0);
  }
  function stamp(from, side, left, top, alpha) {
    const to = marks.buffer.data, { width, height } = canvas;
    for (let row = Math.max(0, -top); row < Math.min(side, height - top); row++)
      for (let column = Math.max(0, -left); column < Math.min(side, width - left); column++) {
        const p = 4 * (row * side + column), part = from[p + 3] * alpha;
        if (!part) continue;
        const q = 4 * ((top + row) * width + left + column);
        to[q] += (from[p] - to[q]) * part;
        to[q + 1] += (from[p + 1] - to[q + 1]) * part;
        to[q + 2] += (from[p + 2] - to[q + 2]) * part;
      }
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
    dots(shown ? 0.6 : 1);
    axes();
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
