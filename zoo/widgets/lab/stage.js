// The picture: the plane with real points and what the model makes of its noise.
const BLUE = [0, 114, 178], ORANGE = [230, 159, 0]; // real, made: told apart by all kinds of eyes
const PHRASES = {
  gan: { real: "real points", fakes: "fakes, made by G", ground: "D’s verdict: blue for real, orange for fake", arrows: "where G’s gradient pushes a fake", manifold: "G’s noise, a regular grid bent by G" },
  autoencoder: { real: "real points", fakes: "reconstructions", ground: "blue: rebuilt well here, orange: badly", arrows: "from a point to its reconstruction", manifold: "all that the decoder can draw" },
  vae: { real: "real points", fakes: "samples: decoded noise", ground: "blue: rebuilt well here, orange: badly", arrows: "from a point to its reconstruction", manifold: "all that the decoder can draw" },
};

// The square canvas; in a drawing of one's own the pointer leaves points on it.
function stage(state, redrawn) {
  const box = element("div", "stage"), canvas = element("canvas"), hint = element("p", "hint", "Draw here: your points are what the model learns.");
  box.append(canvas, hint);
  box.setAttribute("role", "img");
  const ground = element("canvas");
  ground.width = ground.height = SIDE;
  let stroke = null;
  const at = (event) => {
    const { left, top, width } = canvas.getBoundingClientRect();
    return [((event.clientX - left) / width) * 2 * HALF - HALF, HALF - ((event.clientY - top) / width) * 2 * HALF];
  };
  canvas.onpointerdown = (event) => {
    if (state.chosen.points !== "drawing") return;
    canvas.setPointerCapture(event.pointerId);
    stroke = [at(event)];
  };
  canvas.onpointermove = (event) => {
    if (!stroke || stroke.length >= MOST) return;
    const [x, y] = at(event), [a, b] = stroke.at(-1);
    if (Math.hypot(x - a, y - b) < 0.04) return;
    stroke.push([x, y]);
    paint(state.slow ?? {});
  };
  canvas.onpointerup = canvas.onpointercancel = () => {
    if (!stroke) return;
    const before = state.points === DRAWN ? [] : state.points;
    redrawn([...before, ...stroke].slice(-MOST));
    stroke = null;
  };
  new ResizeObserver(() => state.scene && paint(state.slow ?? {})).observe(canvas);

  // `shot`: what slow motion shows instead of everything.
  function paint(shot) {
    const { chosen } = state, scene = shot.scene ?? state.scene, pen = canvas.getContext("2d");
    const size = Math.round(canvas.clientWidth * devicePixelRatio), unit = size / (2 * HALF), scale = devicePixelRatio;
    if (!size) return;
    if (canvas.width !== size) canvas.width = canvas.height = size;
    const style = getComputedStyle(box), ink = style.color, paper = style.getPropertyValue("--st-background-color").trim();
    const x = (value) => (value + HALF) * unit, y = (value) => (HALF - value) * unit;
    const own = chosen.points === "drawing";
    box.classList.toggle("drawing", own);
    hint.hidden = !own || scene.step > 0 || state.points !== DRAWN;
    pen.fillStyle = paper;
    pen.fillRect(0, 0, size, size);
    if (chosen.ground === "1") tint(pen, ground, scene.ground, size);
    if (chosen.manifold === "1") weave(pen, scene, x, y, ink, scale);
    const dots = (points, colour, radius, hollow) => {
      pen.lineWidth = scale;
      for (let i = 0; i < points.length; i += 2) {
        const empty = hollow?.(i / 2);
        pen.beginPath();
        pen.arc(x(points[i]), y(points[i + 1]), radius * scale, 0, 2 * Math.PI);
        pen.fillStyle = empty ? paper : `rgb(${colour})`;
        pen.strokeStyle = empty ? `rgb(${colour})` : paper;
        pen.fill();
        pen.stroke();
      }
    };
    const { real = state.real, fakes = scene.fakes } = shot.batch ?? {}, big = shot.batch ? 4.5 : 3.2;
    if (chosen.real === "1" && real) dots(real, BLUE, big, shot.wrongReal);
    if (chosen.fakes === "1" && fakes) dots(fakes, ORANGE, big, shot.wrongFake);
    if (stroke) dots(stroke.flat(), BLUE, big);
    if (chosen.arrows === "1" && (!shot.batch || shot.arrows)) arrows(pen, shot.arrows ?? scene, x, y, ink, scale);
  }
  return { element: box, paint };
}

// The ground, from orange through the paper to blue.
function tint(pen, small, ground, size) {
  const brush = small.getContext("2d"), image = brush.createImageData(SIDE, SIDE);
  for (let i = 0; i < ground.length; i++) {
    const at = 4 * ((SIDE - 1 - Math.floor(i / SIDE)) * SIDE + (i % SIDE)), colour = ground[i] > 0 ? BLUE : ORANGE;
    for (let c = 0; c < 3; c++) image.data[at + c] = colour[c];
    image.data[at + 3] = 120 * Math.abs(ground[i]);
  }
  brush.putImageData(image, 0, 0);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(small, 0, 0, size, size);
}

function weave(pen, { grid, across, down }, x, y, ink, scale) {
  pen.strokeStyle = ink;
  pen.globalAlpha = down === 1 ? 0.7 : 0.3;
  pen.lineWidth = (down === 1 ? 1.6 : 0.8) * scale;
  pen.beginPath();
  const line = (start, skip, count) => {
    for (let k = 0; k < count; k++) {
      const i = 2 * (start + k * skip);
      pen[k ? "lineTo" : "moveTo"](x(grid[i]), y(grid[i + 1]));
    }
  };
  for (let row = 0; row < down; row++) line(row * across, 1, across);
  if (down > 1) for (let column = 0; column < across; column++) line(column, across, down);
  pen.stroke();
  pen.globalAlpha = 1;
}

function arrows(pen, { starts, ends }, x, y, ink, scale) {
  pen.strokeStyle = ink;
  pen.lineWidth = 1.2 * scale;
  pen.beginPath();
  for (let i = 0; i < starts.length; i += 2) {
    const [a, b, c, d] = [x(starts[i]), y(starts[i + 1]), x(ends[i]), y(ends[i + 1])], turn = Math.atan2(d - b, c - a);
    if (Math.hypot(c - a, d - b) < 2 * scale) continue;
    pen.moveTo(a, b);
    pen.lineTo(c, d);
    for (const side of [2.6, -2.6]) {
      pen.moveTo(c, d);
      pen.lineTo(c + 4.5 * scale * Math.cos(turn + side), d + 4.5 * scale * Math.sin(turn + side));
    }
  }
  pen.stroke();
}

// What the picture shows, each with a box to leave it out.
function legend(settings, set) {
  const list = element("div", "legend"), parts = {};
  list.setAttribute("role", "group");
  list.setAttribute("aria-label", "Shown");
  for (const { key } of settings.filter((one) => one.flag).reverse()) {
    const box = element("label"), input = Object.assign(element("input"), { type: "checkbox" }), text = element("span");
    input.onchange = () => set(key, input.checked ? "1" : "0");
    box.append(input, element("i", `sign ${key}`), text);
    list.append(box);
    parts[key] = { input, text };
  }
  return {
    element: list,
    show(chosen) {
      for (const [key, { input, text }] of Object.entries(parts)) {
        input.checked = chosen[key] === "1";
        text.textContent = PHRASES[chosen.model][key];
      }
    },
  };
}
