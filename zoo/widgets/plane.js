// The plane of live.js: the decoded grid behind points, and a ring that is dragged, touched or moved by the arrow keys.
const MOST = 17; // tiles behind the points on each side
const NEAR = 10; // pixels from a point within which the pointer is over it

function map({ axes, plane, columns }, state, move, release, hover) {
  const box = element("div", "map"), tiles = element("canvas", "ground"), marks = element("canvas", "points");
  const ring = element("span", "ring"), label = element("span", "over");
  marks.tabIndex = 0;
  marks.setAttribute("role", "slider");
  marks.setAttribute("aria-roledescription", "two-dimensional slider");
  marks.setAttribute("aria-label", plane.label);
  marks.setAttribute("aria-valuemin", axes[0].low);
  marks.setAttribute("aria-valuemax", axes[0].high);
  box.append(tiles, marks, ring, label);
  const margin = 0.5 / across(columns); // half a tile, so that each lies around its own place
  const inside = (part) => margin + part * (1 - 2 * margin);
  const value = (part, { low, high, up }) => {
    const along = (part - margin) / (1 - 2 * margin);
    return low + (high - low) * (up ? 1 - along : along);
  };
  const place = ({ clientX, clientY }) => {
    const { left, top, width, height } = marks.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
  };
  const points = plane.points.map(([x, y, kind]) => ({ at: [x, y], part: fractions([x, y], axes).map(inside), kind }));
  const nearest = ([x, y]) => {
    let found = null, least = NEAR / size;
    for (const point of points) {
      const away = Math.hypot(point.part[0] - x, point.part[1] - y);
      if (away < least) [found, least] = [point, away];
    }
    return found;
  };
  const drag = (event) => move(place(event).map((part, i) => value(part, axes[i])));
  marks.onpointerdown = (event) => {
    marks.setPointerCapture(event.pointerId);
    marks.focus({ preventScroll: true });
    state.held = true;
    label.textContent = "";
    drag(event);
  };
  marks.onpointermove = (event) => {
    if (state.held && marks.hasPointerCapture(event.pointerId)) return drag(event);
    if (event.pointerType === "touch") return;
    const point = nearest(place(event));
    label.textContent = point ? plane.kinds[point.kind]?.name ?? "" : "";
    if (point) [label.style.left, label.style.top] = point.part.map((part) => `${100 * part}%`);
    hover(point?.at ?? null);
  };
  marks.onpointerup = marks.onpointercancel = (event) => marks.hasPointerCapture(event.pointerId) && release();
  marks.onpointerleave = () => {
    label.textContent = "";
    hover(null);
  };
  let waiting = 0;
  marks.onkeydown = (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
    if (!way && event.key !== "Home") return;
    event.preventDefault();
    state.held = true;
    const far = event.shiftKey ? 5 : 1;
    move(axes.map(({ low, high, step, up }, i) => (way ? state.at[i] + way[i] * far * step * (i && !up ? -1 : 1) : (low + high) / 2)));
    clearTimeout(waiting);
    waiting = setTimeout(release, 500);
  };
  let size = 0, shown = [0, 0]; // asking for the size in each frame would lay out the page each time
  const put = () => (ring.style.transform = `translate(${shown[0] * size}px, ${shown[1] * size}px)`);
  new ResizeObserver(() => {
    const pen = marks.getContext("2d"), scale = devicePixelRatio;
    size = marks.clientWidth;
    marks.width = marks.height = Math.round(size * scale);
    put();
    pen.strokeStyle = getComputedStyle(marks).getPropertyValue("--st-background-color");
    for (const { part, kind } of points) {
      const { colour, symbol } = plane.kinds[kind] ?? plane.kinds[0];
      pen.fillStyle = colour;
      pen.lineWidth = scale;
      const outline = new Path2D();
      corners(symbol).forEach(([x, y]) => outline.lineTo((part[0] * size + 4 * x) * scale, (part[1] * size + 4 * y) * scale));
      outline.closePath();
      pen.stroke(outline);
      pen.fill(outline);
    }
  }).observe(marks);
  return {
    element: box,
    ground: tiles,
    show(at, part, text) {
      shown = part.map(inside);
      put();
      marks.setAttribute("aria-valuenow", at[0]);
      marks.setAttribute("aria-valuetext", text);
    },
  };
}

// How many tiles are drawn on a side: all of a small grid, every second of a larger one.
function across(columns) {
  return columns > MOST ? (columns + 1) / 2 : columns;
}

// The pictures of the grid; grey ones as ink, in the colour of their class where no points say it.
function ground(canvas, pixels, { columns, width, height, grey, plane, reads }) {
  const count = across(columns), skip = (columns - 1) / (count - 1), pen = canvas.getContext("2d");
  const paint = plane.points.length ? null : reads;
  canvas.width = count * width;
  canvas.height = count * height;
  const out = pen.createImageData(canvas.width, canvas.height), to = out.data, from = pixels.data;
  for (let y = 0, i = 0; y < canvas.height; y++)
    for (let x = 0; x < canvas.width; x++, i += 4) {
      const column = Math.floor(x / width), row = Math.floor(y / height);
      const j = ((row * skip * height + (y % height)) * pixels.width + column * skip * width + (x % width)) * 4;
      const class_ = paint && plane.kinds[paint.index[row * count + column]];
      const ink = class_ ? class_.rgb : [136, 136, 136];
      for (let c = 0; c < 3; c++) to[i + c] = grey ? ink[c] : class_ ? 0.75 * from[j + c] + 0.25 * ink[c] : from[j + c];
      to[i + 3] = grey ? from[j] * (paint ? 1 : 0.7) : 255;
    }
  pen.putImageData(out, 0, 0);
}

function legend({ kinds }) {
  const list = element("ul", "legend");
  list.append(
    ...kinds.map(({ name, colour, symbol }) => {
      const item = element("li", "");
      const outline = corners(symbol).map(([x, y]) => `${6 + 5 * x},${6 + 5 * y}`).join(" ");
      item.innerHTML = `<svg width="12" height="12" aria-hidden="true"><polygon points="${outline}" fill="${colour}"/></svg>`;
      item.append(name);
      return item;
    })
  );
  return list;
}
