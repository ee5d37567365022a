// @ts-check
// The analysis page: period, part and order stand in the address.

import { address } from '/static/common/office/address.js';
import { $, complain, frame } from '/static/common/office/frame.js';
import { t } from '/static/common/i18n.js';
import { el } from '/static/common/text.js';
import './words.js';
import { chooser, periodOf } from './period.js';
import * as figures from './figures.js';
import * as quality from './quality.js';
import * as ratings from './ratings.js';
import * as spots from './spots.js';

/** @type {Record<string, {label: string, show: (asked: any) => Promise<(said: Record<string, string>) => Node[]>}>} */
const PARTS = { figures: { label: 'anFigures', show: figures.show }, spots: { label: 'anSpots', show: spots.show }, ratings: { label: 'anRatings', show: ratings.show }, quality: { label: 'anQuality', show: quality.show } };
const ours = address({ part: 'figures', period: '7', from: '', to: '', by: 'utility', sort: '', sort2: '', kind: '', curve: 'on_time_rate' });

/** @type {((said: Record<string, string>) => Node[]) | null} */
let made = null;
let turn = 0;
let loaded = '';

function draw() {
  const said = ours.read();
  $('#period').replaceChildren(...chooser(said, change));
  $('#parts').setAttribute('aria-label', t('anParts'));
  $('#parts').replaceChildren(...Object.entries(PARTS).map(([name, part]) => el('button', { role: 'tab', id: `tab-${name}`, 'aria-selected': String(name === said.part), 'aria-controls': 'shown', tabindex: name === said.part ? '0' : '-1', onclick: () => change({ part: name, sort: '', sort2: '' }), onkeydown: arrows }, t(part.label))));
  $('#shown').setAttribute('aria-labelledby', `tab-${said.part}`);
  if (!made) return;
  const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.key;
  $('#shown').replaceChildren(...made(said));
  if (focused) /** @type {HTMLElement | null} */ (document.querySelector(`.sorter[data-key="${CSS.escape(focused)}"]`))?.focus();
}

/** @param {KeyboardEvent} event */
function arrows(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const names = Object.keys(PARTS), at = names.indexOf(ours.read().part);
  change({ part: names[(at + step + names.length) % names.length], sort: '', sort2: '' });
  $(`#tab-${ours.read().part}`).focus();
}

async function load(force = false) {
  const said = ours.read();
  const part = PARTS[said.part] ?? PARTS.figures, { query } = periodOf(said);
  const wanted = `${said.part}|${query}|${said.part === 'figures' ? said.by : said.kind}`;
  if (!force && wanted === loaded) return;
  const mine = (turn += 1);
  $('#shown').setAttribute('aria-busy', 'true');
  if (!loaded.startsWith(`${said.part}|`)) { made = null; $('#shown').replaceChildren(el('p', { class: 'empty' }, t('officeLoading'))); }
  try {
    const next = await part.show({ said, query, change, again: () => load(true) });
    if (mine !== turn) return;
    made = next; loaded = wanted;
    $('#said').replaceChildren();
    draw();
  } catch (error) {
    if (mine !== turn) return;
    complain(error, () => load(true));
  } finally { if (mine === turn) $('#shown').setAttribute('aria-busy', 'false'); }
}

/** @param {Record<string, string>} changes */
function change(changes) {
  ours.write(changes, !('sort' in changes && Object.keys(changes).length === 1));
  draw();
  load();
}
addEventListener('popstate', () => { draw(); load(); });

frame({ title: 'anTitle', draw, load });
