// Talking to the center: JSON requests, and the live stream with resume after any interruption.

let token = '';
try { token = sessionStorage.getItem('token') ?? ''; } catch { /* asked for again in a new tab */ }
export const hasToken = () => token !== '';
export function setToken(value) {
  token = value.trim();
  try { sessionStorage.setItem('token', token); } catch { /* kept for this page only */ }
}
const auth = () => (token ? { Authorization: `Bearer ${token}` } : {});

async function asked(path) {
  const response = await fetch(path, { headers: auth() });
  if (!response.ok) throw Object.assign(new Error(await reason(response)), { status: response.status });
  return response;
}
export const get = async (path) => (await asked(path)).json();
export const text = async (path) => (await asked(path)).text();
async function reason(response) {
  try { return (await response.json()).reason ?? response.statusText; } catch { return response.statusText; }
}
/** Every item of a listing, page by page, at most `most`. */
export async function pages(path, most = 2000) {
  const items = [];
  let after = null;
  do {
    const page = await get(`${path}${path.includes('?') ? '&' : '?'}limit=500${after ? `&after=${encodeURIComponent(after)}` : ''}`);
    items.push(...page.items);
    after = page.next;
  } while (after !== null && items.length < most);
  return items;
}
export async function post(path, body) {
  const response = await fetch(path, {
    method: 'POST', headers: { 'Content-Type': 'application/json', ...auth() }, body: JSON.stringify(body),
  });
  let answer = {};
  try { answer = await response.json(); } catch { /* an answer without a body says all by its status */ }
  return { status: response.status, answer };
}

/** Send a file as it is. */
export async function upload(path, file) {
  const response = await fetch(path, { method: 'POST', headers: { 'Content-Type': file.type, ...auth() }, body: file });
  const answer = await response.json().catch(() => ({}));
  return { status: response.status, answer };
}

/** A file that is only given for a reason: an object URL, or {status, answer} of the refusal. */
export async function open(path, body) {
  const response = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json', ...auth() }, body: JSON.stringify(body), cache: 'no-store' });
  if (response.ok) return { status: response.status, url: URL.createObjectURL(await response.blob()) };
  return { status: response.status, answer: { reason: await reason(response) } };
}

const SILENT_MS = 40_000; // the center sends a heartbeat every 15 s
const WAITS_MS = [300, 700, 1500, 3000, 5000];

/** Follows `/api/v1/stream` for ever; `on` has `event(name, data)` and `state(name)`. */
export function follow(on) {
  let last = null, tries = 0, controller = null;
  async function once() {
    controller = new AbortController();
    let watchdog = null;
    const alive = () => { clearTimeout(watchdog); watchdog = setTimeout(() => controller.abort(), SILENT_MS); };
    try {
      alive();
      const headers = { ...auth(), ...(last === null ? {} : { 'Last-Event-ID': last }) };
      const response = await fetch('/api/v1/stream', { headers, signal: controller.signal, cache: 'no-store' });
      if (response.status === 401) { on.state('denied'); return; }
      if (!response.ok) throw new Error(String(response.status));
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        alive();
        rest += value;
        const blocks = rest.split('\n\n');
        rest = blocks.pop();
        for (const block of blocks) {
          let name = 'message', data = null, id = null;
          for (const line of block.split('\n')) {
            if (line.startsWith('data: ')) data = line.slice(6);
            else if (line.startsWith('event: ')) name = line.slice(7);
            else if (line.startsWith('id: ')) id = line.slice(4);
          }
          if (data !== null) { tries = 0; on.state('live'); on.event(name, JSON.parse(data)); }
          if (id !== null) last = id; // only behind its event: what fails is sent again
        }
      }
    } catch (error) {
      if (!(error instanceof TypeError) && error.name !== 'AbortError') console.warn('stream:', error.message);
    } finally { clearTimeout(watchdog); }
  }
  (async () => {
    for (;;) {
      await once();
      on.state('lost');
      await new Promise((wake) => setTimeout(wake, WAITS_MS[Math.min(tries++, WAITS_MS.length - 1)]));
    }
  })();
  return { restart() { last = null; controller?.abort(); } };
}
