// @ts-check
// A page of several parts: which one, and how it is looked at, stands in the address.

import { t } from '../i18n.js';
import { el } from '../text.js';
import { address } from './address.js';
import { $, complain, frame } from './frame.js';

/**
 * @typedef {Record<string, string>} Said
 * @typedef {{said: Said, query: string, change: (changes: Said) => void, again: () => void}} Asked
 * @typedef {{label: string, show: (asked: any) => Promise<(said: Said) => Node[]>}} Part
 */

/**
 * @param {{title: string, label: string, usual: Said, parts: Record<string, Part>, drawnOnly: string[],
 *   above?: (said: Said, change: (changes: Said) => void) => void, query?: (said: Said) => string}} page
 *   `drawnOnly` are words of the address that need nothing new from the center.
 */
export function parts({ title, label, usual, parts: all, drawnOnly, above, query = () => '' }) {
  const ours = address(usual), first = Object.keys(all)[0];
  /** @type {((said: Said) => Node[]) | null} */
  let made = null;
  let turn = 0, loaded = '';
  const part = () => (ours.read().part in all ? ours.read().part : first);
  const clean = () => Object.fromEntries(Object.keys(usual).filter((name) => !['part', 'period', 'from', 'to'].includes(name)).map((name) => [name, usual[name]]));

  function draw() {
    const said = ours.read(), now = part();
    above?.(said, change);
    $('#parts').setAttribute('aria-label', t(label));
    $('#parts').replaceChildren(...Object.entries(all).map(([name, one]) => el('button', { role: 'tab', id: `tab-${name}`, 'aria-selected': String(name === now), 'aria-controls': 'shown', tabindex: name === now ? '0' : '-1', onclick: () => change({ ...clean(), part: name }), onkeydown: arrows }, t(one.label))));
    $('#shown').setAttribute('aria-labelledby', `tab-${now}`);
    if (!made) return;
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset;
    const mark = focused?.key ? `.sorter[data-key="${CSS.escape(focused.key)}"]` : focused?.state !== undefined ? `[data-state="${CSS.escape(focused.state)}"]` : focused?.value !== undefined ? `[data-value="${CSS.escape(focused.value)}"]` : null;
    $('#shown').replaceChildren(...made(said));
    if (mark) /** @type {HTMLElement | null} */ (document.querySelector(`#shown ${mark}`))?.focus();
  }

  /** @param {KeyboardEvent} event */
  function arrows(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const names = Object.keys(all);
    change({ ...clean(), part: names[(names.indexOf(part()) + step + names.length) % names.length] });
    $(`#tab-${part()}`).focus();
  }

  async function load(force = false) {
    const said = ours.read(), now = part(), asked = query(said);
    const wanted = `${now}|${asked}|${JSON.stringify(Object.entries(said).filter(([name]) => !drawnOnly.includes(name)))}`;
    if (!force && wanted === loaded) return;
    const mine = (turn += 1);
    $('#shown').setAttribute('aria-busy', 'true');
    if (!loaded.startsWith(`${now}|`)) { made = null; $('#shown').replaceChildren(el('p', { class: 'empty' }, t('officeLoading'))); }
    try {
      const next = await all[now].show({ said, query: asked, change, again: () => load(true) });
      if (mine !== turn) return;
      made = next; loaded = wanted;
      $('#said').replaceChildren();
      draw();
    } catch (error) {
      if (mine !== turn) return;
      if (!made) $('#shown').replaceChildren();
      complain(error, () => load(true));
    } finally { if (mine === turn) $('#shown').setAttribute('aria-busy', 'false'); }
  }

  /** @param {Said} changes */
  function change(changes) {
    ours.write(changes, !Object.keys(changes).every((name) => drawnOnly.includes(name)));
    draw();
    load();
  }
  let settled = 0;
  addEventListener('resize', () => { clearTimeout(settled); settled = setTimeout(draw, 200); });
  addEventListener('popstate', () => { draw(); load(); });
  frame({ title, draw, load: () => load() });
}
