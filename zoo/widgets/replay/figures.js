// Small figures with a marker that moves along: curves over the moments, and histograms of one moment.
const [WIDE, HIGH, EDGE] = [240, 100, 4];

function element(tag, name = "", text = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

function figure(title) {
  const box = element("figure", "figure"), caption = element("figcaption"), name = element("span", "title", title), now = element("span", "now");
  const body = element("div", "plot");
  caption.append(name, now);
  box.append(caption, body);
  return { element: box, now, body };
}

function absent(made) {
  made.body.classList.add("absent");
  made.body.textContent = "not stored";
  return { element: made.element, show() {} };
}

// A key with its line, as it is drawn: dashed for the second one, so that no meaning hangs on colour alone.
function sign(name, value, colour, dashed) {
  const part = element("span", "sign");
  part.innerHTML = `<svg width="18" height="8" aria-hidden="true"><path d="M0 4H18" style="stroke:${colour}" class="${dashed ? "dashed" : ""}"/></svg>`;
  part.append(`${name}${name && value ? " " : ""}${value}`);
  return part;
}

function written(value, percent) {
  if (percent) return `${Math.round(100 * value)} %`;
  const size = Math.abs(value), text = size && size < 0.01 ? value.toExponential(0) : size < 10 ? value.toFixed(2) : size < 1000 ? value.toFixed(0) : value.toPrecision(2);
  return text.replace("-", "−");
}

// Where a number of images seen stands on the axis: moments are evenly spaced, as they are on the slider.
function along(seen, stops) {
  const right = stops.findIndex((stop) => stop >= seen);
  if (right < 0) return WIDE;
  if (right === 0) return 0;
  const part = (seen - stops[right - 1]) / (stops[right] - stops[right - 1]);
  return (WIDE * (right - 1 + part)) / Math.max(1, stops.length - 1);
}

function curve({ title, lines, low, high, log, percent }, stops) {
  const made = figure(title);
  if (!lines.length) return absent(made);
  const scale = log && low > 0 && high > 10 * low ? Math.log : (value) => value;
  const [from, to] = [scale(low), scale(high)];
  const down = (value) => HIGH - EDGE - ((scale(value) - from) / (to - from || 1)) * (HIGH - 2 * EDGE);
  const paths = lines.map(({ points, colour }, i) => {
    const d = points.map(([seen, value], k) => `${k ? "L" : "M"}${along(seen, stops).toFixed(1)} ${down(value).toFixed(1)}`).join("");
    return `<path d="${d}" style="stroke:${colour}" class="${i ? "dashed" : ""}"/>`;
  });
  const area = element("div", "area");
  area.innerHTML = `<svg viewBox="0 0 ${WIDE} ${HIGH}" preserveAspectRatio="none" aria-hidden="true">${paths.join("")}<path class="marker"/></svg>`;
  const marker = area.querySelector(".marker");
  made.body.append(area, element("span", "high", written(high, percent)), element("span", "low", written(low, percent)));
  const dots = lines.map(({ colour }) => {
    const dot = element("span", "dot");
    dot.style.background = colour;
    area.append(dot);
    return dot;
  });
  return {
    element: made.element,
    show(seen) {
      const x = along(seen, stops);
      marker.setAttribute("d", `M${x.toFixed(1)} 0V${HIGH}`);
      const signs = lines.map(({ name, colour, points }, i) => {
        const last = points.findLast(([at]) => at <= seen) ?? points[0];
        dots[i].style.left = `${(100 * along(last[0], stops)) / WIDE}%`;
        dots[i].style.top = `${(100 * down(last[1])) / HIGH}%`;
        return lines.length > 1 ? sign(name, written(last[1], percent), colour, i > 0) : element("b", "", written(last[1], percent));
      });
      made.now.replaceChildren(...signs);
    },
  };
}

function histogram(verdicts, sides, colours) {
  const made = figure("Scores of D");
  made.now.append(sign(sides[0], "", colours.real, false), sign(sides[1], "", colours.fake, true));
  if (!verdicts) return absent(made);
  const area = element("div", "area");
  area.innerHTML = `<svg viewBox="0 0 ${WIDE} ${HIGH}" preserveAspectRatio="none" aria-hidden="true"><path class="filled" style="fill:${colours.real};stroke:${colours.real}"/><path class="filled dashed" style="fill:${colours.fake};stroke:${colours.fake}"/></svg>`;
  const [real, fake] = area.querySelectorAll("path"), left = element("span", "left"), right = element("span", "right");
  made.body.classList.add("scores");
  made.body.append(area, left, right);
  return {
    element: made.element,
    show(index) {
      const edges = verdicts.edges[index], most = Math.max(1, ...verdicts.real[index], ...verdicts.fake[index]);
      const [from, to] = [edges[0], edges.at(-1)], across = (edge) => (((edge - from) / (to - from)) * WIDE).toFixed(1);
      const steps = (counts) =>
        `M0 ${HIGH}` + counts.map((count, i) => {
          const y = (HIGH - (count / most) * (HIGH - EDGE)).toFixed(1);
          return `L${across(edges[i])} ${y}L${across(edges[i + 1])} ${y}`;
        }).join("") + `L${WIDE} ${HIGH}Z`;
      real.setAttribute("d", steps(verdicts.real[index]));
      fake.setAttribute("d", steps(verdicts.fake[index]));
      left.textContent = written(from);
      right.textContent = written(to);
    },
  };
}
