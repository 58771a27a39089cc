// Pictures one by one, each called real or fake by a button or a key. All of them are sent once; the server hears the
// answers when the last one was given, and nothing before.
const KEYS = { ArrowLeft: 1, r: 1, ArrowRight: 0, f: 0 };

export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".quiz");
  root.tell = (answers) => setStateValue("answers", answers);
  if (root.scene === data.id) return;
  root.scene = data.id;
  root.away?.();
  const answers = [], canvas = document.createElement("canvas"), pen = canvas.getContext("2d"), image = new Image();
  const where = element("p", "where"), marks = element("div", "marks"), buttons = element("div", "buttons");
  const real = button("Real", "←", () => answer(1)), fake = button("Fake", "→", () => answer(0));
  Object.assign(canvas, { width: data.width, height: data.height });
  canvas.setAttribute("role", "img");
  where.setAttribute("role", "status");
  marks.setAttribute("aria-hidden", "true");
  marks.append(...Array.from({ length: data.count }, () => element("i")));
  buttons.append(real, fake);
  root.replaceChildren(where, marks, canvas, buttons);
  image.onload = show;
  image.src = data.sheet;
  drawn(parentElement);
  const press = (event) => {
    if (!root.isConnected) return root.away();
    const typing = event.composedPath().some((part) => /^(INPUT|TEXTAREA|SELECT)$/.test(part.tagName ?? "") || part.isContentEditable);
    const given = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (given === undefined || typing || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    answer(given);
  };
  document.addEventListener("keydown", press);
  root.away = () => document.removeEventListener("keydown", press);

  function show() {
    const index = answers.length, over = index >= data.count, picture = Math.min(index, data.count - 1);
    where.textContent = over ? `All ${data.count} answered` : `Picture ${index + 1} of ${data.count}`;
    canvas.setAttribute("aria-label", `Picture ${picture + 1} of ${data.count}: real or fake?`);
    pen.drawImage(image, picture * data.width, 0, data.width, data.height, 0, 0, data.width, data.height);
    [...marks.children].forEach((mark, i) => (mark.className = i < index ? "done" : i === index ? "now" : ""));
    real.disabled = fake.disabled = over;
    root.classList.toggle("over", over);
  }
  function answer(given) {
    if (!image.complete || answers.length >= data.count) return;
    answers.push(given);
    show();
    if (answers.length === data.count) root.tell(answers);
  }
}

function button(text, key, action) {
  const made = element("button", "", text);
  made.type = "button";
  made.append(element("kbd", "", key));
  made.onclick = action;
  return made;
}

function element(tag, name = "", text = "") {
  const made = document.createElement(tag);
  made.className = name;
  if (text) made.textContent = text;
  return made;
}
