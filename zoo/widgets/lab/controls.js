// Settings: what a link says of them, and the inputs that change them. A setting is a text, as it stands in the link.
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const MOST = 400; // points of a drawing
// Drawn as long as nobody has drawn anything else: a Z.
const DRAWN = Array.from({ length: 60 }, (_, i) => {
  const part = (i % 20) / 10 - 1;
  return [[part, 0.9], [-part, 0.9 * part], [part, -0.9]].at(Math.floor(i / 20)).map((value) => (value * 0.9));
});

function allowed({ options, range, flag }, text) {
  if (flag) return text === "0" || text === "1";
  if (range) return /^\d{1,9}$/.test(text) && Number(text) >= range[0] && Number(text) <= range[1];
  return options.some(([value]) => value === text);
}

// The preset that a link names, its settings with the link's own (all others from the first preset), a drawing, and
// what the link asks for in vain. Where it names no preset, `first` is the one to begin with.
function readLink(settings, presets, search, first) {
  const asked = new URLSearchParams(search), refused = [], named = asked.get("preset") ?? (first || null);
  const preset = presets.find(({ key }) => key === named) ?? presets[0], chosen = { ...presets[0].settings, ...preset.settings };
  if (named && preset.key !== named) refused.push(named);
  for (const setting of settings) {
    const text = asked.get(setting.key);
    if (text === null) continue;
    if (allowed(setting, text)) chosen[setting.key] = text;
    else refused.push(`${text} (${setting.label ?? setting.key})`);
  }
  const drawing = asked.get("drawing") ?? "";
  const points = /^([\w-]{2})+$/.test(drawing) ? drawing.match(/../g).slice(0, MOST).map((pair) => [...pair].map(place)) : DRAWN;
  return { preset, chosen, points, refused: refused.map((text) => text.slice(0, 100)) };
}

const place = (letter) => ((LETTERS.indexOf(letter) + 0.5) / 64) * 2 * HALF - HALF;
const letter = (x) => LETTERS[Math.max(0, Math.min(63, Math.floor(((x + HALF) / (2 * HALF)) * 64)))];

// The link then says the same; what is not the lab's stays in it.
function writeLink(settings, presets, { preset, chosen, points }) {
  const asked = new URLSearchParams(location.search), given = { ...presets[0].settings, ...preset.settings };
  const put = (key, text, usual) => (text === usual ? asked.delete(key) : asked.set(key, text));
  put("preset", preset.key, presets[0].key);
  for (const { key } of settings) put(key, chosen[key], given[key]);
  const own = chosen.points === "drawing" && points !== DRAWN;
  put("drawing", own ? points.map((point) => point.map(letter).join("")).join("") : "", "");
  const text = asked.toString();
  history.replaceState(history.state, "", location.pathname + (text && `?${text}`) + location.hash);
}

// Whether a setting means anything under what else is chosen.
function counts({ when = {} }, chosen) {
  return Object.entries(when).every(([key, values]) => values.includes(chosen[key]));
}

// The presets with what to watch, and the groups of inputs.
function controls(settings, presets, { change, choose }) {
  const panel = element("div", "settings"), watch = element("p", "watch"), cure = button("Show the cure", null, "cure");
  const menu = select("Preset", presets.map(({ key, title }) => [key, title]), (key) => choose(presets.find((one) => one.key === key)));
  const first = element("div", "presets"), inputs = [];
  first.append(menu.element, watch, cure);
  let now = {};
  for (const group of new Set(settings.filter((one) => one.group).map((one) => one.group))) {
    const box = element("fieldset"), rows = element("div", "rows");
    box.append(element("legend", "", group), rows);
    for (const setting of settings.filter((one) => one.group === group)) {
      const set = (value) => (allowed(setting, value) ? change({ ...now, [setting.key]: value }, setting.key) : input.show(now[setting.key]));
      const input = setting.range ? number(setting.label, setting.range, set) : select(setting.label, setting.options, set);
      rows.append(input.element);
      inputs.push([setting, input]);
    }
    panel.append(box);
  }
  return {
    presets: first,
    settings: panel,
    show({ preset, chosen }) {
      now = chosen;
      menu.show(preset.key);
      watch.textContent = preset.watch;
      const other = presets.find((one) => one.key === preset.cure);
      cure.hidden = !other;
      cure.onclick = () => choose(other);
      for (const [setting, input] of inputs) {
        input.element.hidden = !counts(setting, chosen);
        input.show(chosen[setting.key]);
      }
    },
  };
}

function labelled(label, input) {
  const box = element("label", "input");
  input.setAttribute("aria-label", label); // else the name would hold the options too
  box.append(element("span", "", label), input);
  return box;
}

function select(label, options, set) {
  const input = element("select");
  input.append(...options.map(([value, text]) => new Option(text, value)));
  input.onchange = () => set(input.value);
  return { element: labelled(label, input), show: (value) => (input.value = value) };
}

function number(label, [min, max], set) {
  const input = Object.assign(element("input"), { type: "number", min, max, step: 1, inputMode: "numeric" });
  input.onchange = () => set(String(Number(input.value)));
  return { element: labelled(label, input), show: (value) => (input.value = value) };
}
