// @ts-check
// What a screen that nobody touches needs: no burnt-in picture, no sleep, a fresh start at night and
// whenever the center serves other pages.

const SHIFT_MS = 60_000;
const NIGHT_HOUR = 4;
const OLD_MS = 6 * 3600_000;
const MOST_FAULTS = 20;

/** Move the whole picture by a few pixels, round and round, so that no edge stays. @param {HTMLElement} picture */
export function shiftSlowly(picture) {
  let turn = 0;
  setInterval(() => {
    turn += 1;
    // Two periods without a common divisor: the same place again only after some 6 hours.
    const x = Math.sin((turn * 2 * Math.PI) / 17) * 0.35, y = Math.cos((turn * 2 * Math.PI) / 23) * 0.35;
    picture.style.transform = `translate(${x.toFixed(2)}vmin, ${y.toFixed(2)}vmin)`;
  }, SHIFT_MS);
}

export function stayAwake() {
  const ask = async () => {
    if (document.hidden || !('wakeLock' in navigator)) return;
    try { await navigator.wakeLock.request('screen'); } catch { /* the system says when its screen sleeps */ }
  };
  document.addEventListener('visibilitychange', ask);
  ask();
}

/** Hide the pointer when it rests. */
export function hidePointer() {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const rest = () => { document.body.dataset.pointer = 'away'; };
  addEventListener('pointermove', () => { document.body.dataset.pointer = 'here'; clearTimeout(timer); timer = setTimeout(rest, 3000); });
  timer = setTimeout(rest, 3000);
}

/** Load the page anew, but never into nothing: only while the center answers. */
async function anew() {
  try {
    const answer = await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
    if (answer.ok) location.reload();
  } catch { /* not now: asked again with the next frame or night */ }
}

/** Watches what each frame says. */
export function freshStarts() {
  const began = Date.now();
  let build = '', faults = 0, asked = 0;
  addEventListener('error', () => { faults += 1; });
  addEventListener('unhandledrejection', () => { faults += 1; });
  /** @param {string} served the build that the center serves @param {Date} now @param {string} zone */
  return (served, now, zone) => {
    build ||= served;
    const hour = Number(new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', hourCycle: 'h23' }).format(now));
    const night = hour === NIGHT_HOUR && Date.now() - began > OLD_MS;
    if ((served !== build || night || faults > MOST_FAULTS) && Date.now() - asked > 30_000) {
      asked = Date.now();
      setTimeout(anew, Math.random() * 3000); // not all screens of a hall at once
    }
  };
}
