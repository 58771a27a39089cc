// Shows the picture of the point under the pointer, beside it. The pictures are asked for when a pointer first enters.
export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".peek"), chart = document.querySelector(data.chart);
  if (!chart) return;
  const { sheet, across, height, width, rows } = data;
  root.style.setProperty("--width", `${width * data.scale}px`);
  root.style.setProperty("--height", `${height * data.scale}px`);
  root.style.backgroundImage = sheet ? `url(${sheet})` : "";
  root.style.backgroundSize = `${across * width * data.scale}px auto`;
  const show = ({ points: [point], event }) => {
    const place = point.customdata === undefined ? -1 : rows ? rows.indexOf(Number(point.customdata)) : Number(point.customdata);
    root.hidden = place < 0 || !sheet;
    if (root.hidden) return;
    const x = place % across, y = Math.floor(place / across);
    root.style.backgroundPosition = `${-x * width * data.scale}px ${-y * height * data.scale}px`;
    const left = event.clientX + 20 + width * data.scale > innerWidth ? event.clientX - 20 - width * data.scale : event.clientX + 20;
    root.style.left = `${left}px`;
    root.style.top = `${Math.max(8, event.clientY - height * data.scale - 12)}px`;
    root.dataset.point = place;
  };
  const hide = () => (root.hidden = true);
  const listen = () => {
    const plot = chart.querySelector(".js-plotly-plot");
    if (!plot?.on || plot.peeking === show) return;
    if (plot.peeking) plot.removeListener("plotly_hover", plot.peeking);
    plot.peeking = show;
    plot.on("plotly_hover", show);
    plot.on("plotly_unhover", hide);
  };
  chart.onpointerenter = () => {
    listen();
    if (!data.wanted) setStateValue("wanted", true);
  };
  chart.onpointerleave = hide;
  listen();
}
