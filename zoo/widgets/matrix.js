// Draws rows of pictures, each at its own resolution; CSS enlarges them without smoothing.
export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".matrix");
  // Unchanged data must not reset the place to which someone has scrolled.
  const scene = JSON.stringify(data);
  if (root.scene === scene) return;
  root.scene = scene;
  root.style.setProperty("--columns", data.columns);
  root.style.setProperty("--size", `${data.size}px`);
  root.style.setProperty("--least", `${data.least}px`);
  root.classList.toggle("single", data.columns === 1);
  root.replaceChildren(...(data.columns === 1 ? data.rows.map(single) : data.rows.flatMap(cellsOf)));
  drawn(parentElement);
}

function single(row) {
  const box = element("div", "one"), [heading, cell] = cellsOf({ ...row, apart: false });
  box.append(cell, heading);
  return box;
}

function cellsOf({ title, note, apart, height, width, sheet, tiles }) {
  const heading = element("div", apart ? "heading apart" : "heading");
  heading.append(element("strong", "", title), element("span", "note", note));
  const cells = tiles.map(({ alt, caption }) => {
    const cell = element("div", apart ? "cell apart" : "cell"), canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", alt);
    cell.append(canvas);
    if (caption) cell.append(element("span", "caption", caption));
    return cell;
  });
  const image = new Image();
  image.onload = () =>
    cells.forEach((cell, index) =>
      cell.firstChild.getContext("2d").drawImage(image, index * width, 0, width, height, 0, 0, width, height));
  image.src = sheet;
  return [heading, ...cells];
}

function element(tag, name, text) {
  const made = document.createElement(tag);
  made.className = name;
  if (text) made.textContent = text;
  return made;
}
