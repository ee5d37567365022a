// @ts-check
// Talking to the center: JSON requests, and the live stream with resume after any interruption.

let token = '';
try { token = sessionStorage.getItem('token') ?? ''; } catch { /* asked for again in a new tab */ }
export const hasToken = () => token !== '';
/** @param {string} value */
export function setToken(value) {
  token = value.trim();
  try { sessionStorage.setItem('token', token); } catch { /* kept for this page only */ }
}
/** @returns {Record<string, string>} */
const auth = () => (token ? { Authorization: `Bearer ${token}` } : {});
/** What a write carries besides: by it the center knows that one of its own pages sends it. @returns {Record<string, string>} */
function own() {
  const found = /(?:^|; )(?:__Host-)?gridsentry-csrf=([^;]*)/.exec(document.cookie);
  return { ...auth(), ...(found?.[1] ? { 'X-CSRF-Token': decodeURIComponent(found[1]) } : {}) };
}
const json = () => ({ 'Content-Type': 'application/json', ...own() });

/** @param {string} path */
async function asked(path) {
  const response = await fetch(path, { headers: auth() });
  if (!response.ok) throw Object.assign(new Error(await reason(response)), { status: response.status });
  return response;
}
/** The JSON at a path; what is refused is thrown with its `status`. @param {string} path @returns {Promise<any>} */
export const get = async (path) => (await asked(path)).json();
/** @param {string} path @returns {Promise<string>} */
export const text = async (path) => (await asked(path)).text();
/** @param {Response} response @returns {Promise<string>} */
async function reason(response) {
  try { return (await response.json()).reason ?? response.statusText; } catch { return response.statusText; }
}
/** Every item of a listing, page by page, at most `most`. @param {string} path @param {number} [most] @returns {Promise<any[]>} */
export async function pages(path, most = 2000) {
  /** @type {any[]} */
  const items = [];
  /** @type {string | null} */
  let after = null;
  do {
    const page = await get(`${path}${path.includes('?') ? '&' : '?'}limit=500${after ? `&after=${encodeURIComponent(after)}` : ''}`);
    items.push(...page.items);
    after = page.next;
  } while (after !== null && items.length < most);
  return items;
}
/** @param {string} path @param {unknown} body @param {string} [method] @returns {Promise<{status: number, answer: any}>} */
export async function post(path, body, method = 'POST') {
  const response = await fetch(path, { method, headers: json(), body: JSON.stringify(body) });
  let answer = {};
  try { answer = await response.json(); } catch { /* an answer without a body says all by its status */ }
  return { status: response.status, answer };
}

/** Send a file as it is. @param {string} path @param {Blob} file @returns {Promise<{status: number, answer: any}>} */
export async function upload(path, file) {
  const response = await fetch(path, { method: 'POST', headers: { 'Content-Type': file.type, ...own() }, body: file });
  const answer = await response.json().catch(() => ({}));
  return { status: response.status, answer };
}

/** A file that is only given for a reason: an object URL, or {status, answer} of the refusal.
 * @param {string} path @param {unknown} body @returns {Promise<{status: number, url?: string, answer?: any}>} */
export async function open(path, body) {
  const response = await fetch(path, { method: 'POST', headers: json(), body: JSON.stringify(body), cache: 'no-store' });
  if (response.ok) return { status: response.status, url: URL.createObjectURL(await response.blob()) };
  return { status: response.status, answer: { reason: await reason(response) } };
}

const SILENT_MS = 40_000; // the center sends a heartbeat every 15 s
const WAITS_MS = [300, 700, 1500, 3000, 5000];

/** Follows `/api/v1/stream` for ever: `event(name, data)` for what comes, `state(name)` for how the
 * connection stands (`live`, `lost`, `denied`). `query` narrows it (`kind=…&grid=…`).
 * @param {{event: (name: string, data: any) => void, state: (name: string) => void, query?: string, last?: string}} on `last`: the event id to go on from */
export function follow(on) {
  /** @type {string | null} */
  let last = on.last ?? null;
  let tries = 0;
  /** @type {AbortController | null} */
  let controller = null;
  /** @type {() => void} */
  let wake = () => {};
  async function once() {
    const mine = new AbortController();
    controller = mine;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let watchdog;
    const alive = () => { clearTimeout(watchdog); watchdog = setTimeout(() => mine.abort(), SILENT_MS); };
    try {
      alive();
      const headers = { ...auth(), ...(last === null ? {} : { 'Last-Event-ID': last }) };
      const response = await fetch(`/api/v1/stream${on.query ? `?${on.query}` : ''}`, { headers, signal: mine.signal, cache: 'no-store' });
      if (response.status === 401) { on.state('denied'); return; }
      if (!response.ok || !response.body) throw new Error(String(response.status));
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        alive();
        rest += value;
        const blocks = rest.split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) take(block);
      }
    } catch (error) {
      if (!(error instanceof TypeError) && /** @type {Error} */ (error).name !== 'AbortError') console.warn('stream:', /** @type {Error} */ (error).message);
    } finally { clearTimeout(watchdog); }
  }
  /** @param {string} block */
  function take(block) {
    let name = 'message';
    /** @type {string | null} */
    let data = null;
    /** @type {string | null} */
    let id = null;
    for (const line of block.split('\n')) {
      if (line.startsWith('data: ')) data = line.slice(6);
      else if (line.startsWith('event: ')) name = line.slice(7);
      else if (line.startsWith('id: ')) id = line.slice(4);
    }
    if (data !== null) { tries = 0; on.state('live'); on.event(name, JSON.parse(data)); }
    if (id !== null) last = id; // only behind its event: what fails is sent again
  }
  (async () => {
    for (;;) {
      await once();
      on.state('lost');
      const wait = WAITS_MS[Math.min(tries++, WAITS_MS.length - 1)];
      await new Promise((go) => { wake = () => go(null); setTimeout(wake, wait); });
    }
  })();
  return {
    /** Begin anew, as if the page had just been opened. */
    restart() { last = null; controller?.abort(); },
    /** Do not wait for the next try. */
    retry() { tries = 0; wake(); },
  };
}
