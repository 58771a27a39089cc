// Many points on a plane or in a room, with their pictures. One pans, zooms, turns, points, clicks and draws around them
// without asking the server; it hears of a clicked place, of a lasso, and once that the pictures are wanted.
// Two small components of the same file bring what changes without the points: the marks, and the pictures.
const NEWS = "latent-zoo-cloud";
const NEAR = 14; // pixels from a point within which the pointer is over it
const STILL = 4; // pixels that a click may move
const CORNERS = 14; // of a lasso, as its link holds them
const CLOSE = 4; // zoom from which pictures are drawn as points by themselves
const MOST = 400; // zoom
const UNIT = 1000; // places are told in thousandths of the half side

export default function ({ parentElement, data, setStateValue }) {
  const told = (globalThis.latentZooCloud ??= {});
  if (!data.points) {
    told[data.kind] = data;
    document.dispatchEvent(new CustomEvent(NEWS));
    return;
  }
  const root = parentElement.querySelector(".cloud");
  root.tell = setStateValue;
  if (root.scene === data.id) return root.news();
  root.scene = data.id;
  build(root, data, told);
  drawn(parentElement);
  const news = () => (root.isConnected ? root.news() : document.removeEventListener(NEWS, news));
  if (!root.listens) document.addEventListener(NEWS, news);
  root.listens = true;
}

function build(root, data, told) {
  const cloud = unpacked(data), flat = cloud.dims === 2;
  // A change of colours alone keeps the view.
  const view = (root.view = root.view?.of === data.places ? root.view : { of: data.places, zoom: 1, x: 0, y: 0, yaw: flat ? 0 : -30, pitch: flat ? 0 : 20 });
  const state = { cloud, view, marks: null, sheet: null, over: -1, cursor: null, path: null, lasso: false, pictures: root.state?.pictures ?? false, only: null };
  root.state?.stop();
  root.state = state;
  const stage = element("div", "stage"), canvas = element("canvas", "points"), tip = element("div", "tip"), picture = element("canvas"), words = element("span");
  const readout = element("p", "readout"), paint = painter(canvas, state);
  let asked = 0, turning = 0, wanted = false;
  tip.append(picture, words);
  tip.hidden = true;
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", data.label);
  readout.setAttribute("aria-live", "polite");
  stage.append(canvas, tip);

  const redraw = () => (asked ||= requestAnimationFrame(draw));
  function draw() {
    asked = 0;
    paint.draw();
    tools.show(state);
  }
  function want() {
    if (!wanted) root.tell("wanted", true);
    wanted = true;
  }
  function zoom(factor, at = [paint.width / 2, paint.height / 2]) {
    const before = paint.place(...at);
    view.zoom = Math.min(MOST, Math.max(0.8, view.zoom * factor));
    const after = paint.place(...at);
    view.x += before[0] - after[0];
    view.y += before[1] - after[1];
    if (view.zoom >= CLOSE) want();
    redraw();
  }
  function shift(x, y, turn = !flat) {
    if (turn) {
      view.yaw = (view.yaw + 0.4 * x + 540) % 360 - 180;
      view.pitch = Math.min(90, Math.max(-90, view.pitch + 0.4 * y));
    } else {
      view.x -= x / paint.half();
      view.y += y / paint.half();
    }
    redraw();
  }
  function whole() {
    Object.assign(view, { zoom: 1, x: 0, y: 0 });
    redraw();
  }
  // In a room a click means the point under it: a place on the screen has no depth.
  function click(at) {
    const point = paint.nearest(at, flat ? 0 : 40);
    if (!flat && point < 0) return;
    const place = flat ? paint.place(...at) : Array.from(cloud.points.subarray(3 * point, 3 * point + 3));
    state.marks = { ...state.marks, at: place };
    root.tell("at", place.map((value) => Math.round(UNIT * value)));
    redraw();
  }
  function select(corners) {
    const told = corners.flat().map((value) => Math.max(-9999, Math.min(9999, Math.round(UNIT * value))));
    const turn = [Math.round(view.yaw), Math.round(view.pitch)];
    [view.yaw, view.pitch] = turn;
    state.marks = { ...state.marks, lasso: corners, turn };
    root.tell("lasso", [...turn, ...told]);
    redraw();
  }
  function point(at) {
    const found = at ? paint.nearest(at, NEAR) : -1;
    state.over = found;
    tip.hidden = found < 0;
    if (found >= 0) {
      const [x, y] = paint.at(found), text = describe(found);
      words.textContent = text;
      picture.hidden = !state.sheet;
      if (state.sheet) enlarge(picture, state.sheet, found);
      tip.style.left = `${x}px`;
      tip.style.top = `${y}px`;
      tip.classList.toggle("left", x > paint.width / 2);
      tip.classList.toggle("below", y < 170);
      canvas.dataset.point = found;
    }
    redraw();
  }
  function describe(found) {
    const name = data.names[cloud.labels[found]], made = found >= data.real;
    const number = (made ? found - data.real : found).toLocaleString("en");
    return `${name ? `${name} · ` : ""}${made ? "generated image" : "test image"} ${number}`;
  }
  function key(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (way && event.shiftKey) shift(-24 * way[0], -24 * way[1]);
    else if (way) {
      const from = state.cursor ?? paint.spot(state.marks?.at ?? [0, 0, 0]);
      const side = [paint.width, paint.height];
      state.cursor = from.map((value, i) => Math.min(side[i] - 2, Math.max(2, value + 12 * way[i])));
      want();
      point(state.cursor);
      readout.textContent = state.over < 0 ? "no point here" : describe(state.over);
    } else if (event.key === "Enter" || event.key === " ") click(state.cursor ?? paint.spot(state.marks?.at ?? [0, 0, 0]));
    else if (event.key === "+" || event.key === "=") zoom(1.4);
    else if (event.key === "-") zoom(1 / 1.4);
    else if (event.key === "0" || event.key === "Home") whole();
    else if (event.key === "Escape") root.tell("lasso", null);
    else return;
    event.preventDefault();
  }
  function turn() {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (turning) return stop();
    let before = 0;
    const step = (now) => {
      if (!canvas.isConnected) return;
      if (!calm || now - before > 1000) {
        shift(calm ? 40 : 1, 0, true);
        before = now;
      }
      turning = requestAnimationFrame(step);
    };
    turning = requestAnimationFrame(step);
    tools.turning(true);
  }
  function stop() {
    cancelAnimationFrame(turning);
    turning = 0;
    tools.turning(false);
  }
  const tools = toolbar(flat, {
    zoom, whole, turn,
    lasso: () => (state.lasso = !state.lasso),
    pictures: () => {
      state.pictures = !state.pictures;
      want();
    },
    view: () => select(paint.corners()),
    clear: () => root.tell("lasso", null),
    save: () => paint.saved(data.filename),
    redraw,
  });
  state.stop = stop;
  hand(canvas, state, { shift, zoom, click, select, point, want, stop, redraw, place: (at) => paint.place(...at) });
  canvas.onkeydown = key;
  root.news = () => {
    if (told.marks?.places === data.places && state.marks?.id !== told.marks.id) {
      state.marks = told.marks;
      if (!flat && told.marks.lasso) [view.yaw, view.pitch] = told.marks.turn;
    }
    if (told.sheet?.of === data.pictures && state.sheet?.of !== data.pictures) load(told.sheet, cloud, data.grey).then((sheet) => ((state.sheet = sheet), point(state.cursor), redraw()));
    paint.theme();
    redraw();
  };
  root.replaceChildren(stage, tools.element, readout, legend(data, state, redraw));
  new ResizeObserver(() => (paint.resize(), redraw())).observe(canvas);
  paint.resize();
  root.news();
  if (state.pictures || view.zoom >= CLOSE) want();
}

// What the server packed: places as float32, kinds and labels of the points as uint16.
function unpacked(data) {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
  const points = new Float32Array(bytes(data.points)), count = points.length / data.dims;
  return { ...data, points, count, kind: new Uint16Array(bytes(data.kind)), labels: new Uint16Array(bytes(data.labels)) };
}

// Mouse, pen and fingers: a drag moves or turns, two fingers zoom, Shift or the lasso draws around points.
function hand(canvas, state, { shift, zoom, click, select, point, want, stop, redraw, place }) {
  const down = new Map();
  const at = ({ clientX, clientY }) => {
    const { left, top } = canvas.getBoundingClientRect();
    return [clientX - left, clientY - top];
  };
  let moved = 0, apart = 0;
  canvas.onpointerenter = want;
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
    stop();
    down.set(event.pointerId, at(event));
    [moved, apart, state.cursor] = [down.size > 1 ? Infinity : 0, 0, null];
    state.path = down.size === 1 && (state.lasso || event.shiftKey) ? [place(at(event))] : null;
    point(null);
  };
  canvas.onpointermove = (event) => {
    const now = at(event), before = down.get(event.pointerId);
    if (!before) return event.pointerType === "touch" ? null : point(now);
    const [x, y] = [now[0] - before[0], now[1] - before[1]];
    moved += Math.hypot(x, y);
    down.set(event.pointerId, now);
    if (state.path) {
      const between = event.getCoalescedEvents?.() ?? [];
      state.path.push(...(between.length ? between : [event]).map((one) => place(at(one))));
      redraw();
    } else if (down.size === 2) {
      const [a, b] = [...down.values()], distance = Math.hypot(a[0] - b[0], a[1] - b[1]);
      if (apart) zoom(distance / apart, [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]);
      apart = distance;
    } else if (moved > STILL) shift(x, y);
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    if (!down.has(event.pointerId)) return;
    canvas.onpointermove(event); // the last move may not have been told
    const path = state.path;
    state.path = null;
    down.delete(event.pointerId);
    if (event.type === "pointercancel") return redraw();
    if (path && moved > STILL && path.length > 2) select(thinned(path));
    else if (moved <= STILL) click(at(event));
    redraw();
  };
  canvas.onpointerleave = () => point(null);
  // The wheel scrolls the page until the map has been clicked.
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && canvas.getRootNode().activeElement !== canvas) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), at(event));
  }, { passive: false });
}

// At most CORNERS corners, evenly along the path.
function thinned(path) {
  const count = Math.min(CORNERS, path.length);
  return Array.from({ length: count }, (_, i) => path[Math.floor((i * path.length) / count)]);
}
