// @ts-check
// Asking by the link, and hearing when its ticket changed.

const POLL_MS = 8_000, SELDOM = 8, ANEW_MS = 60_000;

const pass = decodeURIComponent(location.pathname.split('/').pop() ?? '');
export const api = `/api/v1/passes/${encodeURIComponent(pass)}`;

/** The answer's JSON, `{}` where there is nothing new. Throws an Error with `status` (0: no network).
 * @param {string} path @param {unknown} [body] a Blob is sent as it is @returns {Promise<any>} */
export async function ask(path, body) {
  const file = body instanceof Blob;
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch(api + path, body === undefined ? { cache: 'no-store' } : { method: 'POST', cache: 'no-store', headers: { 'Content-Type': file ? body.type : 'application/json' }, body: file ? body : JSON.stringify(body) });
  } catch { throw Object.assign(new Error(''), { status: 0 }); }
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(said.reason ?? `HTTP ${answer.status}`), { status: answer.status });
  return said;
}

/** Calls `look` whenever the ticket may have changed: told by the stream; without one, again and again.
 * @param {() => void} look */
export function attend(look) {
  /** @type {EventSource | null} */
  let source = null;
  let tried = 0, turn = 0;
  function listen() {
    tried = Date.now();
    source?.close();
    source = new EventSource(`${api}/stream`);
    for (const name of ['hello', 'ticket', 'gone']) source.addEventListener(name, look);
  }
  listen();
  setInterval(() => {
    turn += 1;
    // A refusal (too many pages, a limit) closes it for good: asked for again after a while.
    if (source?.readyState === EventSource.CLOSED && Date.now() - tried > ANEW_MS) listen();
    if (source?.readyState !== EventSource.OPEN || turn % SELDOM === 0) look();
  }, POLL_MS);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) look(); });
  addEventListener('online', () => { listen(); look(); });
  addEventListener('offline', look);
}
