// Small curves below the picture, one scale each. A row is step, losses of D and G, gradient, JS, KL, modes.
const CHARTS = [
  { title: "Modes covered", lines: [6], digits: 0, from: 0, to: ({ modes }) => modes },
  { title: "JS divergence", lines: [4], digits: 2, from: 0, to: () => Math.LN2, note: "0: the same distribution; dotted: two draws of the data" },
  { title: "KL divergence", lines: [5], digits: 2, from: 0, note: "data from model, in nats" },
  { title: "Loss", lines: [2, 1], digits: 3 },
  { title: "Gradient at the fakes", lines: [3], digits: 3, from: 0, note: "mean length: what G learns from" },
];
const [WIDE, HIGH, POINTS] = [220, 84, 300];

function curves() {
  const box = element("div", "curves"), charts = CHARTS.map(curve);
  box.append(...charts.map((one) => one.element));
  let last = 0, due = 0;
  return {
    element: box,
    // Four times a second is enough for a curve.
    show(state) {
      clearTimeout(due);
      const draw = () => {
        last = performance.now();
        charts.forEach((one) => one.show(state));
      };
      due = setTimeout(draw, Math.max(0, last + 250 - performance.now()));
    },
  };
}

function curve({ title, lines, digits, from, to, note = "" }) {
  const box = element("figure", "curve"), head = element("figcaption"), now = element("b"), low = element("span", "low"), high = element("span", "high");
  const name = element("span", "", title), plot = element("div", "plot");
  head.append(name, now);
  plot.innerHTML = `<svg viewBox="0 0 ${WIDE} ${HIGH}" preserveAspectRatio="none" aria-hidden="true"><path class="floor"/><path/><path class="second"/></svg>`;
  plot.append(high, low);
  const below = element("p", "note", note);
  box.append(head, plot, below);
  const paths = plot.querySelectorAll("path");
  return {
    element: box,
    show(state) {
      const { rows } = state, skip = Math.max(1, Math.ceil(rows.length / POINTS));
      const seen = rows.filter((_, i) => i % skip === 0 || i === rows.length - 1);
      const has = (k) => seen.some((row) => row[k] !== null);
      const kept = lines.filter(has);
      box.hidden = !kept.length && !(lines.includes(2) && rows.length < 2);
      const values = seen.flatMap((row) => kept.map((k) => row[k])).filter((value) => value !== null);
      const most = to?.(state) ?? Math.max(...values), least = Math.min(from ?? Infinity, ...values);
      const end = Math.max(seen.at(-1)[0], 1), span = most - least || 1;
      const path = (k) => {
        let started = false;
        return seen.map((row) => {
          if (row[k] === null) return "";
          const command = started ? "L" : "M";
          started = true;
          return `${command}${((row[0] / end) * WIDE).toFixed(1)} ${(HIGH - 2 - ((row[k] - least) / span) * (HIGH - 4)).toFixed(1)}`;
        }).join("");
      };
      lines.forEach((k, i) => paths[i + 1].setAttribute("d", has(k) ? path(k) : ""));
      if (lines.length > 1) below.textContent = kept.length > 1 ? "G solid, D dashed" : "";
      if (lines[0] === 4) paths[0].setAttribute("d", `M0 ${HIGH - 2 - (state.floor / span) * (HIGH - 4)}H${WIDE}`);
      const written = (value) => (digits && Math.abs(value) < 0.005 && value ? value.toExponential(0).replace("-", "−") : value.toFixed(digits).replace("-", "−"));
      const current = kept.map((k) => rows.at(-1)[k]).filter((value) => value !== null);
      now.textContent = current.length ? current.map(written).join(" · ") + (lines[0] === 6 ? ` of ${state.modes}` : "") : "";
      high.textContent = values.length ? written(most) : "";
      low.textContent = values.length ? written(least) : "";
    },
  };
}
