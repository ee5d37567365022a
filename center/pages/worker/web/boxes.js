// @ts-check
// What is asked before a step is taken: one sheet at the thumb, closed by the same thumb.
import { language } from '/static/common/i18n.js';
import { actionName, el, glyph, say, w, where } from './parts.js';
import { like, liked, ways } from './nav.js';
import { small } from '/static/common/photo.js';
import { doNow } from './queue.js';
import { state } from './state.js';

const box = /** @type {HTMLDialogElement} */ (document.querySelector('#box'));
const KINDS = ['after', 'before', 'near', 'far', 'reference'];
const REASONS = ['wR1', 'wR2', 'wR3', 'wR4', 'wR5', 'wR6'];
const HOURS = [1, 2, 4, 24, 72];

export const isOpen = () => box.open;
export function close() { if (box.open) box.close(); }

/** What is asked scrolls; the answer stays at the thumb. @param {string} title @param {(HTMLElement | null)[]} inside */
export function show(title, ...inside) {
  const all = inside.filter((node) => node !== null);
  const answer = all.filter((node) => node.matches('.huge, .quiet, .wrong'));
  box.replaceChildren(
    el('h2', { id: 'box-title' }, title),
    el('div', { class: 'inside' }, ...all.filter((node) => !answer.includes(node))),
    el('div', { class: 'answer' }, ...answer));
  if (!box.open) box.showModal();
}
const cancel = () => el('button', { type: 'button', class: 'quiet', onclick: close }, w('wCancel'));

box.addEventListener('click', (event) => { if (event.target === box) close(); }); // beside it

/**
 * A step that may need words or pictures.
 * @param {any} card @param {string} action
 */
export function open(card, action) {
  const offer = card.actions.find((/** @type {any} */ a) => a.action === action);
  switch (action) {
    case 'go': return go(card);
    case 'call': return call(card);
    case 'photo': return photo(card);
    case 'dispose': if (card.kind === 'patrol') return round(card, offer);
      return ask(card, action, offer, { pictures: 'after', note: true, text: w('wDoneText') });
    case 'return': case 'refuse_help': return ask(card, action, offer, { title: w('wWhyNot'), reasons: REASONS, reason: true });
    case 'rework': return ask(card, action, offer, { title: w('wReworkWhy'), reason: true, pictures: 'near' });
    case 'extend': return ask(card, action, offer, { title: w('wHours'), hours: true, reason: true });
    case 'confirm': case 'deny': return ask(card, action, offer, { pictures: 'near', note: true });
    case 'report': return ask(card, action, offer, { title: w('wBlocked'), choice: { field: 'road_blocked', options: [[true, w('wBlockedYes')], [false, w('wBlockedNo')]] }, note: true });
    case 'request_helper': return ask(card, action, offer, { title: w('wHowMany'), choice: { field: 'count', options: [1, 2, 3].map((n) => [n, w('wPeople', { n })]) }, note: true });
    case 'assign': return ask(card, action, offer, { choice: { field: 'utility', options: state.me.utilities.map((/** @type {any} */ u) => [u.id, u.name]) }, note: true });
    case 'take_resource': case 'return_resource': case 'release_helper': {
      const field = action === 'release_helper' ? 'worker' : 'resource';
      const options = (offer?.choices?.[field] ?? []).map((/** @type {any} */ c) => [c.id, nameOf(card, c)]);
      return ask(card, action, offer, { choice: { field, options }, note: true });
    }
    case 'note': return ask(card, action, offer, { note: true, mustNote: true });
    default: return ask(card, action, offer, { note: true });
  }
}

/** @param {any} card @param {any} choice */
function nameOf(card, choice) {
  const hand = (card.helpers ?? []).find((/** @type {any} */ h) => h.worker === choice.id);
  return hand?.name ?? (language() === 'zh' ? choice.text_zh : choice.text_en);
}

/**
 * @param {any} card @param {string} action @param {any} offer
 * @param {{title?: string, text?: string, pictures?: string, note?: boolean, mustNote?: boolean, reason?: boolean, reasons?: string[], hours?: boolean, choice?: {field: string, options: any[][]}}} how
 */
function ask(card, action, offer, how) {
  const label = offer?.text_zh && action !== 'dispose' ? actionName(offer) : w(`wNext_${action}`);
  const pictures = how.pictures ? new Pictures(how.pictures) : null;
  const words = /** @type {HTMLTextAreaElement} */ (el('textarea', { name: 'words', rows: 2, maxlength: 1000, placeholder: how.reason || how.mustNote ? '' : w('wNoteHint') }));
  const said = el('p', { class: 'wrong', role: 'alert' });
  /** @type {unknown} */
  let chosen;
  /** @type {string | null} */
  let reason = null;
  const pick = (/** @type {HTMLElement} */ group, /** @type {HTMLElement} */ button) => { for (const other of group.querySelectorAll('button')) other.setAttribute('aria-pressed', String(other === button)); said.textContent = ''; };
  /** @param {[unknown, string][]} options @param {(value: any) => void} take */
  const options = (options, take) => {
    const group = el('div', { class: 'options', role: 'group' });
    for (const [value, text] of options) {
      const button = el('button', { type: 'button', 'aria-pressed': 'false', onclick: () => { take(value); pick(group, button); } }, say(text));
      group.append(button);
    }
    return group;
  };
  const send = async () => {
    const text = words.value.trim();
    if (how.choice && chosen === undefined) { said.textContent = w('wNeedChoice'); return; }
    if (how.hours && chosen === undefined) { said.textContent = w('wNeedChoice'); return; }
    if (how.reason && !reason && !text) { said.textContent = w('wNeedReason'); words.focus(); return; }
    if (how.mustNote && !text) { said.textContent = w('wNeedNote'); words.focus(); return; }
    if (pictures?.busy) { said.textContent = w('wShrinking'); return; }
    /** @type {Record<string, unknown>} */
    const data = {};
    if (how.choice) data[how.choice.field] = chosen;
    if (how.hours) data.until = new Date(Date.now() + state.offset + Number(chosen) * 3_600_000).toISOString();
    const full = [reason, text].filter(Boolean).join('；');
    close();
    await doNow({ ticket: card.id, action, label, ...(Object.keys(data).length ? { data } : {}), ...(how.reason ? { reason: full } : text ? { note: text } : {}) }, pictures?.taken ?? []);
  };
  show(how.title ?? label,
    el('p', { class: 'soft' }, say(where(card))), how.text ? el('p', {}, how.text) : null,
    how.reasons ? options(how.reasons.map((key) => [w(key), w(key)]), (value) => { reason = value; }) : null,
    how.choice ? options(/** @type {[unknown, string][]} */ (how.choice.options), (value) => { chosen = value; }) : null,
    how.hours ? options(HOURS.map((n) => [n, n < 24 ? w('wH', { n }) : w('wDays', { n: n / 24 })]), (value) => { chosen = value; }) : null,
    pictures ? pictures.node : null,
    how.note || how.reason ? el('label', {}, w(how.reason ? 'wReason' : 'wNote'), words) : null,
    said,
    el('button', { type: 'button', class: 'primary huge', data: { send: action }, onclick: () => void send() }, how.title ? w('wSend') : label), cancel());
}

/** A round ends with what was found, asset by asset. @param {any} card @param {any} offer */
function round(card, offer) {
  /** @type {{asset?: string, item: string, ok?: boolean, text: HTMLInputElement}[]} */
  const found = [];
  const { assets = [], checklist = [] } = card.round ?? {};
  const items = /** @type {string[]} */ (assets.length ? assets : checklist.length ? checklist : [w('wRound')]);
  const rows = items.map((item) => {
    const text = /** @type {HTMLInputElement} */ (el('input', { type: 'text', maxlength: 300, 'aria-label': `${item} · ${w('wFound')}`, placeholder: w('wFound'), hidden: true }));
    /** @type {typeof found[number]} */
    const entry = { ...(assets.length ? { asset: item } : {}), item, text };
    found.push(entry);
    const both = [true, false].map((ok) => el('button', { type: 'button', 'aria-pressed': 'false', data: { ok: String(ok) }, onclick: (/** @type {Event} */ event) => {
      entry.ok = ok;
      text.hidden = ok;
      for (const other of both) other.setAttribute('aria-pressed', String(other === event.currentTarget));
      if (!ok) text.focus();
    } }, w(ok ? 'wFine' : 'wNotFine')));
    return el('fieldset', { class: 'found' }, el('legend', {}, say(item)), el('div', { class: 'two' }, ...both), text);
  });
  const pictures = new Pictures('near');
  const said = el('p', { class: 'wrong', role: 'alert' });
  const send = async () => {
    if (found.some((one) => one.ok === undefined)) { said.textContent = w('wNeedRound'); return; }
    const bare = found.find((one) => !one.ok && !one.text.value.trim());
    if (bare) { said.textContent = w('wNeedFound'); bare.text.focus(); return; }
    if (pictures.busy) { said.textContent = w('wShrinking'); return; }
    const here = state.here ? { lon: state.here.lon, lat: state.here.lat } : {};
    const findings = found.map(({ asset, item, ok, text }) => {
      const words = [...(asset || !checklist.length ? [] : [item]), ...(ok ? [] : [text.value.trim()])].join('：');
      return { ok, ...(asset ? { asset } : {}), ...(words ? { text: words } : {}), ...(ok || asset ? {} : here) };
    });
    close();
    await doNow({ ticket: card.id, action: 'dispose', label: w('wRoundDone'), data: { findings } }, pictures.taken);
  };
  show(w('wRoundDone'), el('p', { class: 'soft' }, say(where(card))), ...rows, pictures.node, said,
    el('button', { type: 'button', class: 'primary huge', data: { send: 'dispose' }, disabled: !offer, onclick: () => void send() }, w('wRoundDone')), cancel());
}

/** A photograph by itself goes as a note. @param {any} card */
function photo(card) {
  const before = ['dispatched', 'accepted', 'arrived'].includes(card.stage);
  const pictures = new Pictures(before ? 'before' : 'after');
  const words = /** @type {HTMLTextAreaElement} */ (el('textarea', { name: 'words', rows: 2, maxlength: 1000 }));
  const said = el('p', { class: 'wrong', role: 'alert' });
  show(w('wPhoto'), el('p', { class: 'soft' }, say(where(card))), pictures.node, el('label', {}, w('wNote'), words), said,
    el('button', { type: 'button', class: 'primary huge', data: { send: 'photo' }, onclick: async () => {
      if (pictures.busy) { said.textContent = w('wShrinking'); return; }
      if (!pictures.taken.length) { said.textContent = w('wNeedPhoto'); return; }
      close();
      const names = pictures.taken.map((one) => w(`photo_${one.name}`)).join('、');
      await doNow({ ticket: card.id, action: 'note', label: w('wPhoto'), note: words.value.trim() || `${w('wPhotos')}：${names}` }, pictures.taken);
    } }, w('wSend')), cancel());
}

/** Pictures of a step: what they show is chosen first, then the phone's camera opens. */
class Pictures {
  /** @param {string} first */
  constructor(first) {
    /** @type {{name: string, blob: Blob}[]} */
    this.taken = [];
    this.busy = 0;
    this.name = first;
    this.thumbs = el('div', { class: 'thumbs' });
    this.said = el('p', { class: 'wrong', role: 'alert' });
    const kinds = el('div', { class: 'kinds', role: 'group', 'aria-label': w('wShows') }, ...KINDS.map((name) => {
      const button = el('button', { type: 'button', 'aria-pressed': String(name === first), data: { shows: name }, onclick: () => {
        this.name = name;
        for (const other of kinds.querySelectorAll('button')) other.setAttribute('aria-pressed', String(other === button));
      } }, w(`photo_${name}`));
      return button;
    }));
    const input = /** @type {HTMLInputElement} */ (el('input', { type: 'file', accept: 'image/*', capture: 'environment', class: 'unseen', 'aria-label': w('wTake'), onchange: () => void this.take(input) }));
    this.node = el('div', { class: 'pictures' }, kinds, el('label', { class: 'button take' }, glyph('photo'), w('wTake'), input), this.thumbs, this.said);
  }

  /** @param {HTMLInputElement} input */
  async take(input) {
    const name = this.name;
    this.said.textContent = '';
    for (const file of [...(input.files ?? [])]) {
      this.busy += 1;
      const wait = el('p', { class: 'soft' }, w('wShrinking'));
      this.thumbs.append(wait);
      try {
        const one = { name, blob: await small(file) };
        this.taken.push(one);
        const url = URL.createObjectURL(one.blob);
        const figure = el('figure', {}, el('img', { src: url, alt: w(`photo_${name}`) }), el('figcaption', {}, `${w(`photo_${name}`)} · ${w('wBytes', { kb: Math.round(one.blob.size / 1000) })}`),
          el('button', { type: 'button', 'aria-label': `${w('wRemove')} · ${w(`photo_${name}`)}`, onclick: () => { this.taken.splice(this.taken.indexOf(one), 1); figure.remove(); URL.revokeObjectURL(url); } }, '×'));
        this.thumbs.append(figure);
      } catch {
        this.said.textContent = w('wBadPhoto');
      } finally {
        wait.remove();
        this.busy -= 1;
      }
    }
    input.value = '';
  }
}

/** The way there. @param {any} card */
function go(card) {
  const all = ways(card, where(card));
  const mine = all.find((one) => one.id === liked());
  if (mine) { location.assign(mine.href); }
  const remember = /** @type {HTMLInputElement} */ (el('input', { type: 'checkbox', name: 'remember', checked: Boolean(mine) }));
  show(w('wHow'), el('p', { class: 'soft' }, say(where(card))),
    el('div', { class: 'options ways' }, ...all.map((one) => el('a', { class: 'button', href: one.href, target: one.id === 'geo' ? null : '_blank', rel: 'noopener noreferrer', data: { way: one.id }, onclick: () => { like(remember.checked ? one.id : null); } }, w(one.word)))),
    el('label', { class: 'tick' }, remember, w('wRemember')),
    el('button', { type: 'button', class: 'quiet', onclick: async (/** @type {Event} */ event) => { try { await navigator.clipboard.writeText(`${card.place.lat},${card.place.lon}`); /** @type {HTMLElement} */ (event.target).textContent = w('wCopied'); } catch { /* the position stands on the ticket */ } } }, w('wCopy')),
    cancel());
}

/** Whom to call. @param {any} card */
function call(card) {
  const phone = state.me.office_phone;
  show(w('wCall'), el('div', { class: 'options' },
    phone ? el('a', { class: 'button primary', href: `tel:${phone}` }, `${w('wOffice')} ${phone}`) : null,
    card.utility?.phone ? el('a', { class: 'button', href: `tel:${card.utility.phone}` }, `${w('wCallUtility', { name: card.utility.name })} ${card.utility.phone}`) : null,
    card.actions.some((/** @type {any} */ a) => a.action === 'note') ? el('button', { type: 'button', onclick: () => open(card, 'note') }, w('wWriteOffice')) : null), cancel());
}

