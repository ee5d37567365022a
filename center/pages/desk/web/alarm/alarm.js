// @ts-check
// The alarm: it sounds, flashes the title and turns the icon red until somebody at a desk has
// acknowledged (or taken in hand) every ticket that calls. What calls is a matter of the tickets
// alone (urgency.js), so all desks agree and a reload forgets nothing; only mute is one's own.

/** @import {Ticket} from '../types.js' */

import { addTexts, severityName, t } from '/static/common/i18n.js';
import { clean, el, icon } from '/static/common/text.js';
import { gridName, now, onChange, openTickets } from '../state.js';
import { byUrgency, calls } from '../urgency.js';
import { kindName } from '../words.js';
import { AGAIN_S, audible, blocked, ring, unlock } from './sound.js';

addTexts({
  bell: ['告警声', 'Alarm sound'], bellOn: ['告警声：开', 'Alarm sound: on'], bellOff: ['告警声：仅本机静音', 'Alarm sound: muted here'],
  bellBlocked: ['浏览器尚未允许发声', 'The browser does not allow sound yet'], allowSound: ['点击开启告警声', 'Click to turn the alarm sound on'],
  allowWhy: ['浏览器需要一次点击才允许发声。有工单未知悉，此刻没有声音。', 'The browser allows sound only after a click. Tickets are unheard, and there is no sound now.'],
  unheardN: ['{n} 件未知悉', '{n} unheard'],
});

/** @param {string} selector */
const $ = (selector) => /** @type {HTMLElement} */ (document.querySelector(selector));
let muted = false, flash = false, sounded = -Infinity, loudest = 0, title = '';
/** @type {Ticket[]} those that call, the most urgent first */
let ringing = [];
try { muted = localStorage.getItem('muted') === '1'; } catch { /* not kept: it sounds */ }

export function initAlarm() {
  title = document.title;
  const worker = new Worker('/static/desk/alarm/tick.js');
  worker.onmessage = second;
  onChange(look);
  $('#sound').addEventListener('click', toggleMute);
  $('#unblock button').addEventListener('click', () => { unlock().then(() => { sounded = -Infinity; second(); }); });
  for (const name of ['click', 'keydown']) addEventListener(name, () => { if (!audible()) unlock().then(show); }, { capture: true, passive: true });
}

export function toggleMute() {
  muted = !muted;
  try { localStorage.setItem('muted', muted ? '1' : '0'); } catch { /* for this page only */ }
  sounded = -Infinity;
  second();
}

/** What calls now, and whether something new does. */
function look() {
  const moment = now(), before = loudest, known = ringing.length;
  ringing = openTickets().filter((ticket) => calls(ticket, moment)).sort(byUrgency(moment));
  loudest = ringing.reduce((most, ticket) => Math.max(most, ticket.severity), 0);
  if (loudest > before || ringing.length > known) sounded = Math.min(sounded, now() - 1000 * ((AGAIN_S[loudest] ?? 20) - 2));
  show();
}

/** Once a second, also in a hidden tab. */
function second() {
  look();
  flash = !flash;
  if (ringing.length && !muted && now() - sounded >= 1000 * (AGAIN_S[loudest] ?? 20) && ring(loudest)) sounded = now();
  show();
}

function show() {
  const [first] = ringing;
  const words = first ? `【${t('unheardN').replace('{n}', String(ringing.length))}】${severityName(first.severity)} ${kindName(first.kind)} ${gridName(first.grid)}` : '';
  const next = first && flash ? clean(words) : title;
  if (document.title !== next) document.title = next;
  const image = first ? '/static/desk/alarm/icon.svg' : '/static/common/icon.svg', link = /** @type {HTMLLinkElement} */ ($('link[rel=icon]'));
  if (link.getAttribute('href') !== image) link.href = image;
  document.body.dataset.alarm = String(ringing.length > 0);
  const stuck = ringing.length > 0 && !muted && blocked();
  $('#unblock').hidden = !stuck;
  const key = [muted, stuck, ringing.length, loudest, t('bell')].join('|'), bell = $('#sound');
  if (bell.dataset.key === key) return;
  bell.dataset.key = key;
  bell.replaceChildren(icon(muted || stuck ? 'quiet' : 'sound'), ringing.length ? el('b', { class: 'many' }, ringing.length > 99 ? '99+' : String(ringing.length)) : '');
  bell.setAttribute('aria-pressed', String(!muted));
  bell.dataset.severity = String(loudest);
  const said = `${t(stuck ? 'bellBlocked' : muted ? 'bellOff' : 'bellOn')}${ringing.length ? ` · ${t('unheardN').replace('{n}', String(ringing.length))}` : ''}`;
  bell.title = said;
  bell.setAttribute('aria-label', said);
  $('#unblock button').textContent = t('allowSound');
  $('#unblock span').textContent = t('allowWhy');
}

