// @ts-check
// "Not a fall: a bird". One event or a whole ticket is judged, or what was missed is told.

import { get, post } from '/static/common/api.js';
import { dialog, kindName, known, myName, rememberName, tell, toast } from '/static/common/office/frame.js';
import { language, t } from '/static/common/i18n.js';
import { el } from '/static/common/text.js';
import './words.js';

/** @typedef {{id: string, zh: string, en: string}} Cause */
/** @type {Promise<{kinds: Record<string, Cause[]>, any: Cause[]}> | null} */
let causes = null;

/** @param {string} id */
export const causeName = async (kind = '', id = '') => {
  const found = (await asked()).kinds[kind]?.find((one) => one.id === id);
  return found ? (language() === 'zh' ? found.zh : found.en) : id;
};
export function asked() {
  causes ??= get('/api/v1/labels/causes');
  return causes;
}

/** @param {Record<string, any>} body @param {() => void} done */
async function send(body, done) {
  const said = await post('/api/v1/labels', { ...body, ...(myName() ? { by: myName() } : {}) });
  if (!tell(said)) return false;
  toast(t('quDone'));
  done();
  return true;
}

/** It was so. @param {{event?: string, ticket?: string}} what @param {() => void} done */
export const right = (what, done) => send({ ...what, verdict: 'true' }, done);

/** Ask what it really was. @param {{event?: string, ticket?: string}} what @param {string} kind @param {() => void} done */
export async function wrong(what, kind, done) {
  const { kinds, any } = await asked();
  const list = kinds[kind] ?? any;
  const note = /** @type {HTMLTextAreaElement} */ (el('textarea', { rows: '2', maxlength: '2000', name: 'note' }));
  const by = /** @type {HTMLInputElement} */ (el('input', { name: 'by', maxlength: '60', autocomplete: 'name', value: myName() }));
  const form = /** @type {HTMLFormElement} */ (el('form', {},
    el('fieldset', { class: 'choices' }, el('legend', { class: 'unseen' }, t('quWhat')), ...list.map((cause, i) => el('label', { class: 'check' }, el('input', { type: 'radio', name: 'cause', value: cause.id, required: true, checked: i === 0 }), language() === 'zh' ? cause.zh : cause.en))),
    el('label', {}, t('officeNote'), note), el('label', {}, t('officeBy'), by),
    el('menu', {}, el('button', { type: 'button', onclick: () => box.close() }, t('officeCancel')), el('button', { class: 'primary' }, t('v_false')))));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    rememberName(by.value.trim());
    const cause = String(new FormData(form).get('cause'));
    if (await send({ ...what, verdict: 'false', cause, note: note.value.trim() }, done)) box.close();
  });
  const box = dialog(`${kindName(kind)} · ${t('quWhat')}`, form);
}

/** Tell of what no alarm told. @param {() => void} done */
export function missed(done) {
  const kinds = Object.keys(known.city.kinds).filter((kind) => !['citizen_report', 'patrol'].includes(kind));
  const by = /** @type {HTMLInputElement} */ (el('input', { name: 'by', maxlength: '60', autocomplete: 'name', value: myName() }));
  const form = /** @type {HTMLFormElement} */ (el('form', { class: 'form' },
    el('label', {}, t('officeKind'), el('select', { name: 'kind' }, ...kinds.map((kind) => el('option', { value: kind }, kindName(kind))))),
    el('label', {}, t('quMissedWhen'), el('input', { name: 'at', type: 'datetime-local', required: true, step: '1' })),
    el('label', {}, t('quMissedDevice'), el('input', { name: 'device', required: true, maxlength: '64' })), el('label', {}, t('officeBy'), by),
    el('label', { class: 'whole' }, t('officeNote'), el('textarea', { name: 'note', rows: '2', maxlength: '2000' })),
    el('menu', { class: 'whole' }, el('button', { type: 'button', onclick: () => box.close() }, t('officeCancel')), el('button', { class: 'primary' }, t('quMissedAdd')))));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    rememberName(by.value.trim());
    const given = new FormData(form), text = (/** @type {string} */ name) => String(given.get(name) ?? '').trim();
    if (await send({ verdict: 'missed', kind: text('kind'), at: new Date(text('at')).toISOString(), device: text('device'), note: text('note') }, done)) box.close();
  });
  const box = dialog(t('quMissedAdd'), form);
}
