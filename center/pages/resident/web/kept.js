// @ts-check
// What this telephone remembers: reports on their way, and links of those that were taken.

/** @typedef {{code: string, key: string, ts: number, kind: string | null, text: string, photo?: string, contact?: string, lon?: number, lat?: number, homepage?: string}} Report */
/** @typedef {{follow: string, kind: string | null, at: number}} Mine */

const MOST = 20;

/** @type {Map<string, unknown>} */
const here = new Map(); // where the browser keeps nothing (private mode), this page does

/** @param {string} name @returns {any[]} */
function read(name) {
  if (here.has(name)) return /** @type {any[]} */ (here.get(name));
  try { const found = JSON.parse(localStorage.getItem(name) ?? '[]'); return Array.isArray(found) ? found : []; } catch { return []; }
}
/** Whether it outlives the page. @param {string} name @param {unknown[]} value */
function write(name, value) {
  try { localStorage.setItem(name, JSON.stringify(value)); here.delete(name); return true; } catch { here.set(name, value); return false; }
}

/** @returns {Report[]} */
export const waiting = () => read('resident.waiting');
/** @param {Report} report */
export const keepWaiting = (report) => write('resident.waiting', [...waiting().filter((one) => one.key !== report.key), report]);
/** @param {string} key */
export const forget = (key) => write('resident.waiting', waiting().filter((one) => one.key !== key));

/** Newest first. @param {string} code @returns {Mine[]} */
export const mine = (code) => read(`resident.mine.${code}`);
/** @param {string} code @param {Mine} one */
export const keepMine = (code, one) => write(`resident.mine.${code}`, [one, ...mine(code).filter((m) => m.follow !== one.follow)].slice(0, MOST));
/** @param {string} code @param {string} follow */
export const dropMine = (code, follow) => write(`resident.mine.${code}`, mine(code).filter((m) => m.follow !== follow));

/** A key that nobody else draws. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}
