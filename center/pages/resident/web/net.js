// @ts-check
// Asking the center: what came back, or why nothing did.

/**
 * @typedef {{ok: true, status: number, body: any}
 *   | {ok: false, status: number, reason: string, code: string, wait: number}} Answer
 * `status` 0: nothing came back. `wait`: seconds to wait before trying again, where it was said.
 */

const PATIENCE_MS = 20_000;

/**
 * @param {string} path
 * @param {unknown} [body]  sent by POST when given
 * @returns {Promise<Answer>}
 */
export async function ask(path, body) {
  /** @type {RequestInit} */
  const how = { cache: 'no-store', signal: AbortSignal.timeout(body === undefined ? PATIENCE_MS : 3 * PATIENCE_MS) };
  if (body !== undefined) Object.assign(how, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  try {
    const response = await fetch(path, how);
    const said = await response.json().catch(() => null);
    if (response.ok && said !== null) return { ok: true, status: response.status, body: said };
    const wait = Number(response.headers.get('Retry-After')) || 0;
    return { ok: false, status: response.status, reason: said?.reason ?? '', code: said?.error ?? '', wait };
  } catch { // no network, no answer in time, half an answer
    return { ok: false, status: 0, reason: '', code: '', wait: 0 };
  }
}

/** Whether it may work later without anybody changing anything. @param {Answer} answer */
export const passing = (answer) => !answer.ok && (answer.status === 0 || answer.status === 408 || answer.status === 429 || answer.status >= 500);
