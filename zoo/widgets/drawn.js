// Says that a component is there, so that the space that was kept for it is its own.
function drawn(parentElement) {
  const root = parentElement.getRootNode();
  (root.host ?? parentElement).closest(".stElementContainer")?.setAttribute("data-drawn", "");
}
