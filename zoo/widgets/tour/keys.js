// Keys that lead through a tour, as presenters' remotes send them. A field that one writes in keeps all its keys; what
// is moved by arrow keys keeps those.
const STEPS = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 };
const WRITTEN = "input:not([type=radio], [type=checkbox], [type=range]), textarea, select, [contenteditable=true]";
const MOVED = "[role=slider], [type=range], .stage, canvas";

export default function ({ data, setTriggerValue }) {
  const tour = (globalThis.latentZooTour ??= listening());
  Object.assign(tour, data, { tell: setTriggerValue });
  return () => (tour.presenting = false);
}

function listening() {
  const tour = { presenting: false };
  document.addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (!tour.presenting || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.closest?.(WRITTEN) || (key.startsWith("Arrow") && target.closest?.(MOVED))) return;
    if (key === "n") return tour.tell("notes", true);
    if (!STEPS[key]) return;
    event.preventDefault();
    event.stopPropagation();
    const to = tour.at + STEPS[key];
    if (to < 0 || to >= tour.count) return;
    tour.at = to; // two quick presses are two stops
    tour.tell("go", to);
  }, true);
  return tour;
}
