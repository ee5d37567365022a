// @ts-check
// The words of the consent, and what is chosen. Changed words are a new version (place.py: CONSENT).
import { close, show } from './boxes.js';
import { at, el, w } from './parts.js';
import { choose } from './place.js';
import { state } from './state.js';

/** What the button at the top says. */
export function label() {
  const { state: now } = state.sharing;
  return w(now === 'on' ? 'wShareOn' : now === 'wait' ? 'wShareWait' : now === 'denied' ? 'wShareDenied' : now === 'none' ? 'wNoGps' : 'wShareOff');
}

/** The same, said whole. */
export const spoken = () => `${w('wShareTitle')}：${label()}`;

export function open() {
  if (!state.me) return;
  const sharing = state.consent.share !== 'off' && state.consent.version === state.me.consent;
  /** @type {'job' | 'shift'} */
  let share = state.consent.share === 'shift' ? 'shift' : 'job';
  const part = (/** @type {string} */ key) => el('div', {}, el('h3', {}, w(key)), el('p', {}, w(`${key}t`)));
  const options = el('div', { class: 'options', role: 'group', 'aria-label': w('wS4') }, ...(/** @type {const} */ (['job', 'shift'])).map((value) => {
    const button = el('button', { type: 'button', 'aria-pressed': String(value === share), data: { share: value }, onclick: () => {
      share = value;
      for (const other of options.querySelectorAll('button')) other.setAttribute('aria-pressed', String(other === button));
      if (sharing) { void choose(share); close(); }
    } }, w(value === 'job' ? 'wShareJob' : 'wShareShift'));
    return button;
  }));
  show(w('wShareTitle'),
    el('p', { class: 'now', data: { state: state.sharing.state } }, state.sharing.state === 'off' ? w('wShareIsOff') : label(), state.sharing.why ? ` · ${w(state.sharing.why)}` : '', state.sharing.sentAt ? ` · ${w('wLast')} ${at(state.sharing.sentAt)}` : '', state.here ? ` · ${w('wAcc', { m: Math.round(state.here.accuracy) })}` : ''),
    el('div', { class: 'consent' }, part('wS1'), part('wS2'), part('wS3'), part('wS4')),
    options,
    sharing
      ? el('button', { type: 'button', class: 'primary huge stop', data: { send: 'stop' }, onclick: () => { void choose('off'); close(); } }, w('wStop'))
      : el('button', { type: 'button', class: 'primary huge', data: { send: 'agree' }, onclick: () => { void choose(share); close(); } }, w('wAgree')),
    el('button', { type: 'button', class: 'quiet', data: { send: 'never' }, onclick: close }, w(sharing ? 'wClose' : 'wShareNever')));
}
