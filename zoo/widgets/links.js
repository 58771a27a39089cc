// Follows a link within the app without loading the page anew; with a key held, or in a new tab, the browser does it.
function follow(event) {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  history.pushState(null, "", event.currentTarget.href);
  dispatchEvent(new PopStateEvent("popstate", { state: { followed: true } }));
}
