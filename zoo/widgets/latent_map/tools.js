// What stands around a cloud of points: its buttons, its legend, and the sheet of its pictures.
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
