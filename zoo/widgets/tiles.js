// Cuts one sheet of tiles into canvases of the images' own resolution; CSS enlarges them without smoothing.
export default function ({ parentElement, data, setStateValue }) {
  const { sheet, across, height, width, tiles, columns, size, select } = data;
  const root = parentElement.querySelector(".tiles");
  const press = () => [...root.children].forEach((cell, i) => cell.setAttribute("aria-pressed", root.chosen.has(i)));
  root.chosen = new Set(data.selected);
  root.choose = (index) => {
    const was = root.chosen.has(index);
    if (select === "one") root.chosen.clear();
    // One of several stays chosen, like a radio button; of many, a second click takes a tile back.
    if (was && select === "many") root.chosen.delete(index);
    else root.chosen.add(index);
    press();
    setStateValue("selected", [...root.chosen]);
    const place = data.leads_to && innerWidth < 700 && document.querySelector(data.leads_to);
    if (place) place.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  };
  // Unchanged tiles stay as they are, or the one in use would lose the keyboard's focus.
  const scene = JSON.stringify({ ...data, selected: null });
  if (root.scene !== scene) {
    root.scene = scene;
    root.style.gridTemplateColumns = columns
      ? `repeat(${columns}, minmax(0, ${size}px))`
      : `repeat(auto-fill, minmax(min(${size}px, 100%), ${size}px))`;
    root.replaceChildren(...tiles.map((tile, index) => cellOf(tile, index)));
    drawn(parentElement);
    const image = new Image();
    image.onload = () =>
      root.querySelectorAll("canvas").forEach((canvas, index) => {
        const x = (index % across) * width, y = Math.floor(index / across) * height;
        canvas.getContext("2d").drawImage(image, x, y, width, height, 0, 0, width, height);
      });
    image.src = sheet;
  }
  if (select) press();

  function cellOf({ alt, caption }, index) {
    const cell = document.createElement(select ? "button" : "div");
    const canvas = document.createElement("canvas");
    cell.className = "tile";
    canvas.width = width;
    canvas.height = height;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", alt);
    cell.append(canvas);
    if (caption) {
      const text = document.createElement("span");
      text.className = "caption";
      text.textContent = caption;
      cell.append(text);
    }
    if (select) {
      cell.type = "button";
      cell.onclick = () => root.choose(index);
    }
    return cell;
  }
}
