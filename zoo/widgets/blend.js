// Pictures blended from a sheet that was sent once, and what shows them.
// Bilinear: the four neighbours of the place in the grid of picture k; part is in [0, 1] across and down.
function blend({ data: from, width: stride }, { columns, rows, width, height }, k, [across, down = 0], out) {
  const x = across * (columns - 1), y = down * (rows - 1);
  const left = Math.max(0, Math.min(columns - 2, Math.floor(x))), top = Math.max(0, Math.min(rows - 2, Math.floor(y)));
  const right = Math.min(columns - 1, left + 1), low = Math.min(rows - 1, top + 1), a = x - left, b = y - top;
  const start = (row, column) => ((k * rows + row) * height * stride + column * width) * 4;
  const corners = [start(top, left), start(top, right), start(low, left), start(low, right)];
  const [p, q, r, s] = [(1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b], to = out.data;
  for (let row = 0, i = 0; row < height; row++) {
    let [c, d, e, f] = corners.map((corner) => corner + row * stride * 4);
    for (const end = i + width * 4; i < end; i++) to[i] = p * from[c++] + q * from[d++] + r * from[e++] + s * from[f++];
  }
  return out;
}

function figure({ title }, { width, height }) {
  const box = element("figure", "picture"), canvas = document.createElement("canvas"), note = element("span", "note");
  canvas.width = width;
  canvas.height = height;
  canvas.setAttribute("role", "img");
  const caption = element("figcaption", "");
  caption.append(element("strong", "", title), note);
  box.append(canvas, caption);
  return { figure: box, canvas, note, pen: canvas.getContext("2d"), out: new ImageData(width, height) };
}

async function picture(source) {
  const image = new Image();
  image.src = source;
  await image.decode();
  return image;
}

function element(tag, name, text) {
  const made = document.createElement(tag);
  made.className = name;
  if (text) made.textContent = text;
  return made;
}
