// The thread in which a run trains, so that the page stays free. It is told to begin, tune, run, step or play slowly, and
// answers with views; a new one only when the last was drawn.
const SLICE = 40; // milliseconds of training between two views
const LAST = 20000; // steps after which it pauses by itself: a forgotten page drains no battery

function serve(scope) {
  let run = null, running = false, pace = Infinity, told = 0, drawn = true, due = 0, clock = 0, done = 0;
  const show = (extra = {}) => {
    drawn = false;
    const { step, history, floor, real, cloud } = run, rows = history.slice(told);
    told = history.length;
    scope.postMessage({ view: view(run), rows, real, floor, modes: cloud.modes?.length ?? null, running, step, ...extra });
  };
  const speed = () => {
    const now = performance.now(), rate = (1000 * done) / (now - clock);
    if (now - clock < 500) return {};
    [clock, done] = [now, 0];
    return { rate };
  };
  const loop = () => {
    if (!running) return;
    const start = performance.now();
    if (pace < Infinity) {
      advance(run);
      done++;
    } else
      do {
        advance(run);
        done++;
      } while (performance.now() - start < SLICE && run.step % LAST);
    if (run.step % LAST === 0) running = false;
    if (drawn || !running) show(speed());
    due = setTimeout(loop, pace < Infinity ? Math.max(0, 1000 / pace - performance.now() + start) : 0);
  };
  const actions = {
    begin({ settings, points }) {
      run = begin(settings, points);
      told = 0;
      show({ fresh: true });
    },
    tune: (settings) => tune(run, settings),
    pace: (steps) => (pace = Number(steps) || Infinity),
    drawn: () => (drawn = true),
    run(on) {
      clearTimeout(due);
      running = on;
      [clock, done] = [performance.now(), 0];
      if (on) loop();
      else show();
    },
    step(who) {
      if (who === "both") advance(run);
      else if (who === "d") turnD(run);
      else turnG(run);
      show();
    },
    // One step of each player with all that happened: the views between, and both batches.
    slowly() {
      const copy = (turn) => Object.fromEntries(Object.entries(turn).map(([key, value]) => [key, value?.slice?.() ?? value]));
      const before = view(run), d = run.gan ? copy(turnD(run)) : null, middle = view(run), g = copy(turnG(run));
      show({ slowly: { before, d, middle, g } });
    },
  };
  scope.onmessage = ({ data }) => Object.entries(data).forEach(([name, value]) => actions[name](value));
}
