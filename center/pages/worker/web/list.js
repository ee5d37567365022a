// @ts-check
// The list: what waits for my word, what I have in hand (the nearest first), what nobody does here.
import { actAs, json } from './net.js';
import { askedFor, clock, distance, el, headline, kindName, nextStep, say, w, where } from './parts.js';
import { refused, shown, state } from './state.js';

/** @param {HTMLElement} main */
export function draw(main) {
  if (state.link === 'choose') { if (!main.querySelector('.choose')) void chooser(main); return; }
  if (state.link === 'login' && !state.list) { main.replaceChildren(login()); return; }
  if (state.link === 'stranger') { main.replaceChildren(login('wNoWorker')); return; }
  if (!state.list) { main.replaceChildren(el('p', { class: 'empty' }, w(state.link === 'lost' ? 'wNever' : 'wFirst'))); return; }
  const list = shown();
  const quiet = !list.asked.length && !list.working.length;
  main.replaceChildren(...[
    ...(state.link === 'login' ? [login()] : []),
    refusals(),
    quiet ? el('div', { class: 'empty' }, el('h2', {}, w('wQuiet')), el('p', {}, w('wQuietText'))) : null,
    group('wAsked', list.asked),
    group('wWorking', list.working),
    nearby(list.nearby),
    group('wDone', list.done, true),
    me(),
  ].filter((node) => node !== null));
}

/** @param {string} word @param {any[]} cards @param {boolean} [past] */
function group(word, cards, past = false) {
  if (!cards.length) return null;
  return el('section', { class: 'group', 'aria-label': w(word) },
    el('h2', {}, w(word), el('span', { class: 'soft' }, ` ${cards.length}`)),
    el('ol', { class: 'cards' }, ...cards.map((card) => row(card, past))));
}

/** @param {any} card @param {boolean} past */
function row(card, past) {
  const step = past ? null : nextStep(card);
  return el('li', { class: 'ticket', data: { severity: card.severity, id: card.id, fresh: String(state.fresh.has(card.id)), past: String(past) } },
    el('a', { href: `#/t/${encodeURIComponent(card.id)}`, data: { key: `row-${card.id}` } },
      headline(card),
      el('span', { class: 'where' }, say(where(card))),
      el('span', { class: 'facts' }, distance(card) ? el('span', { class: 'far' }, distance(card)) : null, past ? null : clock(card), card.waits ? el('span', { class: 'waits' }, w('wWaits')) : null),
      card.asked && card.asked !== 'accept' ? el('span', { class: 'asked' }, askedFor(card)) : null),
    step ? el('button', { type: 'button', class: card.asked ? 'primary step' : 'step', data: { step: step.action, ticket: card.id, key: `step-${card.id}` } }, w(step.word), el('span', { class: 'unseen' }, ` · ${kindName(card)}`)) : null);
}

/** @param {any[]} cards */
function nearby(cards) {
  if (!cards.length) return null;
  return el('details', { class: 'group nearby' },
    el('summary', {}, el('h2', {}, w('wNearby'), el('span', { class: 'soft' }, ` ${cards.length}`))),
    el('p', { class: 'soft' }, w('wNearbyHint')),
    el('ul', { class: 'cards' }, ...cards.map((card) => el('li', { class: 'ticket', data: { severity: card.severity } },
      el('div', { class: 'plain' }, headline(card), el('span', { class: 'where' }, say(where(card))), el('span', { class: 'facts' }, el('span', { class: 'far' }, distance(card))))))));
}

/** What could not be applied any more: why, and that the office has it. */
function refusals() {
  const gone = refused();
  if (!gone.length) return null;
  return el('section', { class: 'refusals', 'aria-label': w('wNotApplied') },
    el('h2', {}, w('wNotApplied')), el('p', { class: 'soft' }, w('wNotAppliedText')),
    el('ul', {}, ...gone.map((deed) => el('li', {},
      el('strong', {}, deed.label), ' ', el('span', { class: 'soft' }, new Date(deed.done_at).toLocaleTimeString('zh-CN', { hour: '2-digit', minute: '2-digit', hour12: false })),
      el('p', {}, say(half(deed.why ?? ''))), deed.noted ? el('p', { class: 'soft' }, w('wNoted')) : null,
      el('button', { type: 'button', data: { dismiss: deed.n } }, w('wDismiss'))))));
}

/** Ours of a text in both languages. @param {string} text */
export function half(text) {
  const parts = text.split(' / ');
  if (parts.length !== 2) return text;
  return document.documentElement.lang === 'zh-CN' ? parts[1] : parts[0];
}

function me() {
  if (!state.me) return null;
  return el('footer', { class: 'me' },
    el('p', {}, say(state.me.name), el('span', { class: 'soft' }, ` ${state.me.id}${state.me.grid ? ` · ${state.me.grid}` : ''}`)),
    window.isSecureContext ? null : el('p', { class: 'soft' }, w('wInsecure')),
    el('div', { class: 'calls' },
      state.me.office_phone ? el('a', { class: 'button', href: `tel:${state.me.office_phone}` }, w('wOffice')) : null,
      state.me.demo ? el('button', { type: 'button', data: { switch: '1' } }, w('wSwitch')) : null));
}

/** Drawn once: what is being typed into it stays. @type {HTMLElement | null} */
let door = null;

/** @param {string} [word] */
function login(word = 'wLogin') {
  const said = `${word} ${document.documentElement.lang}`;
  if (door?.dataset.said !== said) { door = entrance(word); door.dataset.said = said; }
  return door;
}

/** @param {string} word */
function entrance(word) {
  const field = /** @type {HTMLInputElement} */ (el('input', { type: 'password', name: 'token', autocomplete: 'off', spellcheck: 'false', data: { key: 'token' } }));
  return el('section', { class: 'login' }, el('h2', {}, w(word)), el('p', {}, w('wLoginText')),
    el('a', { class: 'button primary', href: '/login?next=%2Fw' }, w('wLoginGo')),
    el('form', { onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); try { sessionStorage.setItem('token', field.value.trim()); } catch { /* it stays for nothing: private mode */ } location.reload(); } },
      el('label', {}, w('wToken'), field), el('button', {}, w('wTokenGo'))));
}

/** In a demonstration: who am I? @param {HTMLElement} main */
async function chooser(main) {
  main.replaceChildren(el('section', { class: 'choose' }));
  /** @type {any[]} */
  let people = [];
  try { people = (await json('/api/v1/me/choices')).body.items; } catch { /* said by the state line */ }
  const found = el('ul', { class: 'people' });
  const field = /** @type {HTMLInputElement} */ (el('input', { type: 'search', 'aria-label': w('wDemoFind'), placeholder: w('wDemoFind'), oninput: () => fill() }));
  function fill() {
    const wanted = field.value.trim().toLowerCase();
    const some = people.filter((one) => !wanted || `${one.id} ${one.name} ${one.grid ?? ''}`.toLowerCase().includes(wanted)).slice(0, 60);
    found.replaceChildren(...some.map((one) => el('li', {}, el('button', { type: 'button', data: { as: one.id }, onclick: () => { actAs(one.id); location.reload(); } },
      el('strong', {}, say(one.name)), el('span', { class: 'soft' }, ` ${one.id}${one.grid ? ` · ${one.grid}` : ''}`)))));
  }
  fill();
  main.replaceChildren(el('section', { class: 'choose' }, el('h2', {}, w('wDemo')), el('p', { class: 'soft' }, w('wDemoText')), field, found));
}
