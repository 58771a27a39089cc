// What a page needs of the window around it: where it is scrolled to, and a sidebar that gives way on small screens.
const NARROW = matchMedia("(max-width: 1100px)");
const PATIENCE = 6000; // milliseconds in which a page that one returns to may grow to its old length

export default function ({ data }) {
  const frame = (globalThis.latentZooFrame ??= listening());
  if (frame.view === data.view) return;
  const first = frame.view === null;
  const top = frame.back ? frame.tops[data.view] ?? 0 : 0;
  frame.view = data.view;
  frame.back = false;
  if (NARROW.matches) fold();
  if (!first) frame.go(top);
}

// Remembers where each view was left, from the moment before the click or the step through the history that leaves it.
function listening() {
  const main = () => document.querySelector("[data-testid=stMain]");
  const frame = { view: null, tops: {}, back: false, turn: 0, go };
  const leave = () => {
    if (frame.view !== null && main()) frame.tops[frame.view] = main().scrollTop;
  };
  const interrupt = () => (frame.turn += 1);
  addEventListener("click", (event) => {
    leave();
    frame.back ||= Boolean(event.target.closest?.(".st-key-all-entries button"));
  }, true);
  addEventListener("popstate", (event) => {
    leave();
    frame.back = !event.state?.followed;
  }, true);
  for (const kind of ["wheel", "touchstart", "keydown", "pointerdown"]) addEventListener(kind, interrupt, { capture: true, passive: true });

  function go(top) {
    const turn = ++frame.turn, until = performance.now() + PATIENCE;
    const step = () => {
      if (turn !== frame.turn || !main()) return;
      if (Math.abs(main().scrollTop - top) > 1) main().scrollTop = top;
      if (performance.now() < until && (top || performance.now() < until - PATIENCE + 600)) requestAnimationFrame(step);
    };
    step();
  }
  return frame;
}

function fold() {
  const sidebar = document.querySelector("[data-testid=stSidebar]");
  if (sidebar?.dataset.collapsed === "false") sidebar.querySelector("[data-testid=stSidebarCollapseButton] button")?.click();
}
