// @ts-check
// One report, followed: how far it is, kept up to date; rated when done, denied when it is not.

import { both, t, timeOf } from '/static/common/i18n.js';
import { el, icon } from '/static/common/text.js';
import { dropMine, keepMine, newKey } from '/static/resident/kept.js';
import { ask } from '/static/resident/net.js';
import { fill } from '/static/resident/place.js';

/** @typedef {{code: string, zh: string, en: string, now: string, kind: string | null, state: string, steps: {state: string, at: string}[], others: number, sensed: boolean, rated: number | null, may_rate: boolean, may_deny: boolean}} Followed */

const FAST_MS = 4_000, SLOW_MS = 15_000, FAST_FOR_MS = 180_000;
const ZONE = 'Asia/Shanghai';

/**
 * Shows it in `root` and keeps asking until `stop` is called.
 * @param {HTMLElement} root @param {string} code @param {string} link @param {{fresh: boolean, back: () => void, go: (link: string) => void}} on
 */
export function followReport(root, code, link, on) {
  const path = `/api/v1/follows/${encodeURIComponent(link)}`;
  const began = performance.now();
  let stopped = false, last = '', heard = Date.now();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const status = el('div', { 'aria-live': 'polite' });
  const actions = el('div', {});
  const stale = el('p', { class: 'stale', role: 'status', hidden: true });
  const title = el('h1', { tabindex: -1 }, on.fresh ? t('r.thanks') : t('r.progress'));
  root.replaceChildren(title, stale, status, actions,
    el('p', { class: 'soft' }, t('r.keep')),
    el('div', { class: 'pair' }, copyButton(), el('button', { type: 'button', onclick: on.back }, t(on.fresh ? 'r.another' : 'r.back'))));
  title.focus({ preventScroll: true });
  scrollTo(0, 0);

  async function look() {
    clearTimeout(timer);
    if (stopped) return;
    if (!document.hidden) {
      const answer = await ask(path);
      if (stopped) return;
      if (answer.ok) { heard = Date.now(); stale.hidden = true; show(answer.body); }
      else if (answer.status === 403 || answer.status === 404) { gone(); return; }
      else { stale.hidden = false; stale.textContent = fill('r.stale', { t: timeOf(heard, undefined) }); }
    }
    timer = setTimeout(look, performance.now() - began < FAST_FOR_MS ? FAST_MS : SLOW_MS);
  }

  /** @param {Followed} now */
  function show(now) {
    const same = JSON.stringify({ ...now, now: '' });
    if (same === last) return; // what is being typed below stays as it is
    last = same;
    status.replaceChildren(way(now));
    actions.replaceChildren(...[now.may_rate ? rating(now) : null, now.may_deny ? denial() : null].filter((one) => one !== null));
  }

  function gone() {
    stopped = true;
    dropMine(code, link);
    root.replaceChildren(el('h1', {}, t('r.linkGone')), el('button', { type: 'button', class: 'primary', onclick: on.back }, t('r.back')));
  }

  /** @param {Followed} now */
  function rating(now) {
    const said = el('p', { role: 'status', class: 'soft' }, now.rated === null ? '' : `${fill('r.rated', { n: now.rated })} ${t('r.rateChange')}`);
    const stars = [1, 2, 3, 4, 5].map((n) => el('button', {
      type: 'button', class: 'star', 'aria-pressed': String(now.rated === n), 'aria-label': fill('r.stars', { n }), data: { on: String(now.rated !== null && n <= now.rated) },
      onclick: async () => {
        const answer = await ask(`${path}/rating`, { score: n });
        if (answer.ok) { last = ''; show(answer.body); status.focus?.(); } else said.textContent = both(answer.reason) || t('r.failed');
      },
    }, '★'));
    return el('section', { class: 'rate' }, el('h2', {}, t('r.rate')), el('div', { class: 'stars', role: 'group', 'aria-label': t('r.rate') }, ...stars), said);
  }

  function denial() {
    const key = newKey();
    const text = el('textarea', { id: 'still', rows: 2, maxlength: 300 });
    const said = el('p', { class: 'said', role: 'alert' });
    const button = el('button', { type: 'submit' }, t('r.denySend'));
    return el('details', { class: 'deny' }, el('summary', {}, t('r.deny')),
      el('form', {
        novalidate: true,
        onsubmit: async (/** @type {Event} */ event) => {
          event.preventDefault();
          if (!text.value.trim()) { said.textContent = t('r.denyText'); text.focus(); return; }
          button.disabled = true;
          const answer = await ask(`${path}/not-done`, { key, text: text.value.trim() });
          button.disabled = false;
          if (!answer.ok) { said.textContent = both(answer.reason) || t('r.failed'); return; }
          if (answer.body.follow === link) { last = ''; look(); return; }
          keepMine(code, { follow: answer.body.follow, kind: null, at: Date.now() });
          on.go(answer.body.follow);
        },
      }, el('label', { for: 'still' }, t('r.denyText')), text, said, button));
  }

  look();
  const wake = () => { if (!document.hidden) look(); };
  document.addEventListener('visibilitychange', wake);
  addEventListener('online', wake);
  return () => { stopped = true; clearTimeout(timer); document.removeEventListener('visibilitychange', wake); removeEventListener('online', wake); };
}

/** @param {Followed} now */
function way(now) {
  const steps = now.steps.map((step, i) => {
    const current = i === now.steps.length - 1;
    return el('li', { class: current ? 'current' : 'past', data: { state: step.state }, 'aria-current': current ? 'step' : null },
      el('b', {}, t(`s.${step.state}`)), el('time', { datetime: step.at }, timeOf(step.at, ZONE)));
  });
  const joined = now.sensed && now.others ? fill('r.joinedBoth', { n: now.others }) : now.sensed ? t('r.joinedS') : now.others === 1 ? t('r.joined1') : now.others ? fill('r.joinedN', { n: now.others }) : '';
  return el('section', { class: 'way' },
    now.kind ? el('p', { class: 'about' }, el('span', { class: 'badge' }, icon(now.kind)), el('b', {}, t(`k.${now.kind}`))) : null,
    el('ol', {}, ...steps), joined ? el('p', { class: 'joined' }, joined) : null);
}

function copyButton() {
  const button = el('button', {
    type: 'button',
    onclick: async () => {
      try {
        await navigator.clipboard.writeText(location.href);
        button.textContent = t('r.copied');
      } catch { // an old browser, or no permission: the address bar has it
        prompt('', location.href);
      }
    },
  }, t('r.copy'));
  return button;
}
