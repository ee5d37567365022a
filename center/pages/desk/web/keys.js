// @ts-check
// The keyboard: one table binds the keys and is what `?` shows.

import { addTexts, t } from '/static/common/i18n.js';
import { el } from '/static/common/text.js';

/** @typedef {object} Key
 * @property {string[]} keys as `KeyboardEvent.key` says them; two with a space between: one after the other
 * @property {string} text key of its words
 * @property {string} group
 * @property {() => unknown} run what it does; false: nothing, let the browser have it
 */

addTexts({
  keyboard: ['键盘操作', 'Keyboard'], keysList: ['列表', 'List'], keysTicket: ['工单', 'Ticket'], keysPage: ['页面', 'Page'], keysGo: ['前往', 'Go to'],
  keyHint: ['按 ? 查看键盘操作', 'Press ? for the keyboard'], then: ['然后', 'then'], or: ['或', 'or'],
});

const WAIT_MS = 1500;
/** @type {Key[]} */
const table = [];
let begun = '', begunAt = 0;

/** Add keys to the table. @param {Key[]} keys */
export function bind(keys) { table.push(...keys); }

export function initKeys() {
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const at = /** @type {HTMLElement} */ (event.target);
    const writing = at.matches?.('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]');
    if (document.querySelector('dialog[open]') || (writing && event.key !== 'Escape')) return;
    const pressed = begun && event.timeStamp - begunAt < WAIT_MS ? `${begun} ${event.key}` : event.key;
    begun = '';
    const found = table.find((one) => one.keys.includes(pressed));
    if (found) {
      if (found.run() !== false) event.preventDefault();
    } else if (table.some((one) => one.keys.some((keys) => keys.startsWith(`${pressed} `)))) {
      begun = pressed;
      begunAt = event.timeStamp;
      event.preventDefault();
    }
  });
}

const SHOWN = /** @type {Record<string, string>} */ ({ ArrowDown: '↓', ArrowUp: '↑', Escape: 'Esc', Enter: '⏎', ' ': '␣' });
/** @param {string} keys */
const keyNode = (keys) => el('span', {}, ...keys.split(' ').flatMap((key, i) => [i ? ` ${t('then')} ` : '', el('kbd', {}, SHOWN[key] ?? key)]));

/** The overlay that lists every key. */
export function showKeys() {
  const box = /** @type {HTMLDialogElement} */ (document.querySelector('#keys'));
  if (box.open) { box.close(); return; }
  const groups = [...new Set(table.map((one) => one.group))];
  box.replaceChildren(el('h2', {}, t('keyboard')), el('div', { class: 'groups' }, ...groups.map((group) => el('section', {}, el('h3', {}, t(group)),
    el('dl', {}, ...table.filter((one) => one.group === group).map((one) => el('div', {}, el('dt', {}, ...one.keys.flatMap((keys, i) => [i ? ` ${t('or')} ` : '', keyNode(keys)])), el('dd', {}, t(one.text)))))))),
    el('form', { method: 'dialog' }, el('menu', {}, el('button', { class: 'primary' }, t('ok')))));
  box.setAttribute('aria-label', t('keyboard'));
  box.showModal();
}
