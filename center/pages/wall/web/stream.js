// @ts-check
// The wall's stream: reconnects for ever, notices silence, never trusts a connection that says nothing.

const SILENT_MS = 12_000; // the center sends a frame every 5 s at least
const PAUSES_MS = [500, 1000, 2000, 4000, 8000, 15000];

/** @typedef {{name: string, data: any}} Frame */

/**
 * @param {string} path @param {Record<string, string>} headers
 * @param {{frame: (frame: Frame) => void, lost: (denied: boolean) => void}} on
 */
export function follow(path, headers, on) {
  let tries = 0;
  /** @type {AbortController | null} */
  let controller = null;
  /** @type {(() => void) | null} */
  let wake = null;

  async function once() {
    controller = new AbortController();
    const mine = controller;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let watchdog;
    const alive = () => { clearTimeout(watchdog); watchdog = setTimeout(() => mine.abort(), SILENT_MS); };
    let denied = false;
    try {
      alive();
      const response = await fetch(path, { headers, signal: mine.signal, cache: 'no-store' });
      denied = response.status === 401 || response.status === 403;
      if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return false;
        alive();
        const blocks = (rest + value).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) {
          const frame = read(block);
          if (frame === null) continue;
          tries = 0;
          on.frame(frame);
        }
      }
    } catch (error) {
      if (!mine.signal.aborted) console.info('wall:', /** @type {Error} */ (error).message);
    } finally { clearTimeout(watchdog); mine.abort(); }
    return denied;
  }

  (async () => {
    for (;;) {
      on.lost(await once());
      const pause = PAUSES_MS[Math.min(tries++, PAUSES_MS.length - 1)] * (0.75 + Math.random() / 2);
      await new Promise((go) => { wake = () => go(null); setTimeout(go, pause); });
      wake = null;
    }
  })();
  addEventListener('online', () => { tries = 0; wake?.(); });
}

/** @param {string} block @returns {Frame | null} */
function read(block) {
  let name = 'message', data = '';
  for (const line of block.split('\n')) {
    if (line.startsWith('data: ')) data = line.slice(6);
    else if (line.startsWith('event: ')) name = line.slice(7);
  }
  return data === '' ? null : { name, data: JSON.parse(data) };
}
