// @ts-check
// Asking the center. A lost network is `Lost`; every other answer is said with its status.

export class Lost extends Error {}

export class Refusal extends Error {
  /** @param {number} status @param {any} body */
  constructor(status, body) {
    super(String(body?.reason ?? body?.error ?? `HTTP ${status}`));
    this.status = status;
    this.code = String(body?.error ?? '');
    this.body = body ?? {};
  }
}

const ACT_AS = 'worker.as';
const PATIENCE_MS = 20_000;

/** In a demonstration: whom to act as. */
export const actingAs = () => { try { return localStorage.getItem(ACT_AS) ?? ''; } catch { return ''; } };
/** @param {string} worker */
export function actAs(worker) {
  try { localStorage.setItem(ACT_AS, worker); } catch { /* private mode: asked again next time */ }
}

/** @returns {Record<string, string>} */
function token() {
  try {
    const said = sessionStorage.getItem('token');
    return said ? { Authorization: `Bearer ${said}` } : {};
  } catch { return {}; }
}

/** A write by the session's cookie carries the session's own token. @returns {Record<string, string>} */
function session() {
  const found = /(?:^|;\s*)(?:__Host-)?gridsentry-csrf=([^;]+)/.exec(document.cookie);
  return found ? { 'X-CSRF-Token': decodeURIComponent(found[1]) } : {};
}

/** @param {string} path */
function asMe(path) {
  const worker = actingAs();
  return worker ? `${path}${path.includes('?') ? '&' : '?'}worker=${encodeURIComponent(worker)}` : path;
}

/**
 * The answer, whatever it is. Raises Lost where there is none.
 * @param {string} path
 * @param {{method?: string, body?: BodyInit, type?: string, key?: string, signal?: AbortSignal, as?: boolean}} [how]
 */
export async function ask(path, how = {}) {
  const headers = { ...token(), ...(how.method ? session() : {}), ...(how.type ? { 'Content-Type': how.type } : {}), ...(how.key ? { 'Idempotency-Key': `"${how.key}"` } : {}) };
  try {
    return await fetch(how.as === false ? path : asMe(path), {
      method: how.method ?? 'GET', body: how.body, headers, cache: 'no-store',
      signal: how.signal ?? AbortSignal.timeout(PATIENCE_MS),
    });
  } catch (error) {
    throw new Lost(error instanceof Error ? error.message : 'lost');
  }
}

/**
 * Its JSON. Raises Lost, Refusal.
 * @param {string} path
 * @param {Parameters<typeof ask>[1]} [how]
 * @returns {Promise<{status: number, body: any}>}
 */
export async function json(path, how) {
  const response = await ask(path, how);
  let body = null;
  try { body = await response.json(); } catch { if (response.ok) throw new Lost('cut off'); }
  if (!response.ok) throw new Refusal(response.status, body);
  return { status: response.status, body };
}

/** @param {string} path @param {unknown} body @param {string} [key] */
export const send = (path, body, key) => json(path, { method: 'POST', body: JSON.stringify(body), type: 'application/json', key });

/** A file as it is; null where it cannot be had. @param {string} path */
export async function blob(path) {
  try {
    const response = await ask(path, { as: false });
    return response.ok ? await response.blob() : null;
  } catch { return null; }
}
