// Cards of entries, each of them a link. Their sheets are asked for when the cards come near the window.
const AHEAD = "1200px";

export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".cards");
  const scene = JSON.stringify(data.cards.map(({ sheet, ...card }) => card));
  if (root.scene !== scene) {
    root.scene = scene;
    root.replaceChildren(...data.cards.map(cardOf));
    drawn(parentElement);
  }
  data.cards.forEach(({ sheet, label }, index) => {
    const frame = root.children[index].querySelector(".sheet");
    if (!sheet || frame.querySelector("img")) return;
    const image = document.createElement("img");
    Object.assign(image, { src: sheet, alt: `Samples of ${label}`, decoding: "async" });
    frame.replaceChildren(image);
  });
  root.watching?.disconnect();
  if (data.seen) return;
  root.watching = new IntersectionObserver((found) => {
    if (!found.some((one) => one.isIntersecting)) return;
    root.watching.disconnect();
    setStateValue("seen", true);
  }, { root: root.closest("[data-testid=stMain]") ?? document.querySelector("[data-testid=stMain]"), rootMargin: AHEAD });
  root.watching.observe(root);
}

function cardOf({ href, label, lines, problem }) {
  const card = document.createElement("a"), text = element("span", "text");
  card.className = "card";
  card.href = href;
  card.onclick = follow;
  text.append(element("strong", "label", label), ...lines.map(([kind, line]) => element("span", kind, line)));
  card.append(element("span", "sheet", problem), text);
  return card;
}

function element(tag, name, text) {
  const made = document.createElement(tag);
  made.className = name;
  if (text) made.textContent = text;
  return made;
}
