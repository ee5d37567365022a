// @ts-check
// Short words at the edge: a new ticket, a refusal with its reason.

import { both, t } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';

const MOST = 4;
/** @type {(id: string) => void} */
let open = () => {};
/** @type {(error: any) => void} */
let denied = () => {};

/** @param {(id: string) => void} opened a ticket's toast was clicked @param {(error: any) => void} failed */
export function initToasts(opened, failed) { open = opened; denied = failed; }

/** @param {Node | string} content @param {'new' | 'info' | 'bad'} kind @param {string | null} [id] */
export function toast(content, kind, id = null) {
  const node = el('div', { class: `toast ${kind}`, data: { ticket: id ?? '' }, onclick: () => { if (id) open(id); node.remove(); } }, content);
  const box = /** @type {HTMLElement} */ (document.querySelector('#toasts'));
  box.append(node);
  while (box.children.length > MOST) box.firstElementChild?.remove();
  setTimeout(() => node.remove(), kind === 'bad' ? 9000 : 5000);
}
/** @param {any} error */
export function complain(error) {
  toast(el('span', {}, t('failed'), '：', say(both(error.message) ?? error.message)), 'bad');
  denied(error);
}
