// A network as a row of blocks, the data going from left to right: a radio group, by click and by arrow keys.
export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".network");
  const { blocks, selected, area } = data;
  const mark = (key) =>
    [...root.children].forEach((block) => {
      const chosen = block.dataset.key === key;
      block.setAttribute("aria-checked", chosen);
      block.tabIndex = chosen ? 0 : -1;
    });
  const choose = (block, focus) => {
    if (focus) block.focus();
    if (block.getAttribute("aria-checked") === "true") return;
    mark(block.dataset.key);
    setStateValue("layer", block.dataset.key);
  };
  // Unchanged blocks stay as they are, or the one in use would lose the keyboard's focus.
  const scene = JSON.stringify(blocks);
  if (root.scene !== scene) {
    root.scene = scene;
    root.style.setProperty("--area", `${area}px`);
    root.replaceChildren(...blocks.map(blockOf));
    drawn(parentElement);
  }
  mark(selected);
  root.onkeydown = (event) => {
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };
    const at = [...root.children].indexOf(event.target.closest(".block"));
    if (at < 0 || !(event.key in steps)) return;
    event.preventDefault();
    const next = Math.min(Math.max(at + steps[event.key], 0), root.children.length - 1);
    choose(root.children[next], true);
  };

  function blockOf({ key, name, size, title, alt, picture, width, height, cards, code, wide }) {
    const block = document.createElement("button");
    const face = document.createElement("img");
    const front = document.createElement("span");
    block.type = "button";
    block.className = code ? "block code" : "block";
    block.dataset.key = key;
    block.style.width = `${wide}px`;
    block.setAttribute("role", "radio");
    block.setAttribute("aria-label", alt);
    face.src = picture;
    face.alt = "";
    face.style.cssText = `width: ${width}px; height: ${height}px;`;
    front.className = "front";
    // One sheet behind the picture for each doubling of the channels.
    face.style.boxShadow = Array.from({ length: cards }, (_, i) => {
      const step = 3 * (i + 1);
      return `${step - 1}px ${1 - step}px 0 0 var(--paper), ${step}px ${-step}px 0 0 var(--edge)`;
    }).join(", ");
    face.style.margin = `${3 * cards}px ${3 * cards}px 0 0`;
    front.append(face);
    const texts = [["group", title], ["name", name], ["size", size]].map(([kind, text]) => {
      const line = document.createElement("span");
      line.className = kind;
      line.textContent = text;
      return line;
    });
    block.append(texts[0], front, texts[1], texts[2]);
    block.onclick = () => choose(block, false);
    return block;
  }
}
