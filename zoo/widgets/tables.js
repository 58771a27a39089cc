// A table of figures with their ranges. Headings sort where they are buttons; meanings stand in titles.
export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".around"), scene = JSON.stringify(data);
  if (root.scene === scene) return;
  root.scene = scene;
  root.setAttribute("aria-label", data.label);
  const table = element("table"), body = element("tbody"), head = element("tr");
  let by = null, turned = false;
  const fill = () => {
    const rows = [...data.rows];
    if (by !== null) {
      const way = (data.columns[by].least ? 1 : -1) * (turned ? -1 : 1);
      rows.sort((a, b) => order(a[by].sort, b[by].sort, way));
    }
    body.replaceChildren(...rows.map(rowOf));
    [...head.children].forEach((cell, index) => {
      const rising = data.columns[index].least !== turned;
      if (index === by) cell.setAttribute("aria-sort", rising ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    });
  };
  head.append(
    ...data.columns.map(({ title, help, least }, index) => {
      const cell = element("th");
      cell.scope = "col";
      if (least === null) cell.append(hint(title, help));
      else {
        const button = element("button", title);
        button.type = "button";
        button.title = help;
        button.onclick = () => {
          turned = by === index && !turned;
          by = index;
          fill();
        };
        cell.append(button);
      }
      return cell;
    })
  );
  const top = element("thead");
  top.append(head);
  table.append(top, body);
  fill();
  root.replaceChildren(table);
  drawn(parentElement);
}

function order(a, b, way) {
  if (a === null || b === null) return (a === null) - (b === null);
  return way * (typeof a === "string" ? a.localeCompare(b) : a - b);
}

function rowOf(cells) {
  const row = element("tr");
  row.append(
    ...cells.map(({ text, note, help, href }, index) => {
      const cell = element(index ? "td" : "th");
      if (!index) cell.scope = "row";
      if (href) {
        const link = element("a", text);
        Object.assign(link, { href, onclick: follow });
        cell.append(link);
      } else cell.append(hint(text, help));
      if (note) {
        const small = element("span", note);
        small.className = "note";
        cell.append(small);
      }
      return cell;
    })
  );
  return row;
}

function hint(text, help) {
  const made = element(help ? "abbr" : "span", text);
  if (help) made.title = help;
  return made;
}

function element(tag, text) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  return made;
}
