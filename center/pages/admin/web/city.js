// @ts-check
// The city's data: look at what files would change, then make it so.

import { get, post } from '/static/common/api.js';
import { $, myName, rememberName, tell, toast, when } from '/static/common/office/frame.js';
import { table } from '/static/common/office/table.js';
import { t } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';

/** @typedef {{what: string, before: number, after: number, added: number, removed: number, changed: number, added_ids: string[], removed_ids: string[], changed_items: {id: string, fields: [string, string, string][]}[]}} Differences */
/** @typedef {{id: string, ok: boolean, problems: {where: string, found: string, allowed: string}[], warnings: string[], files: {name: string, state: string, bytes: number}[], differences: Differences[]}} Preview */

/** @type {Preview | null} */
let seen = null;

/** @param {File} file @returns {Promise<{name: string, data: string}>} */
async function encoded(file) {
  const url = await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
  return { name: file.webkitRelativePath || file.name, data: String(url).split(',')[1] ?? '' };
}

/** @param {FileList | File[]} files @param {HTMLElement} into @param {() => void} again */
async function preview(files, into, again) {
  if (!files.length) return;
  into.replaceChildren(el('p', { class: 'empty', role: 'status' }, t('cReading')));
  const said = await post('/api/v1/admin/city/preview', { files: await Promise.all([...files].map(encoded)) });
  if (!tell(said)) { into.replaceChildren(); return; }
  seen = said.answer;
  into.replaceChildren(...shown(/** @type {Preview} */ (seen), into, again));
}

/** @param {Preview} told @param {HTMLElement} into @param {() => void} again */
function shown(told, into, again) {
  const real = told.differences.filter((one) => one.added + one.removed + one.changed > 0);
  const by = /** @type {HTMLInputElement} */ (el('input', { 'aria-label': t('officeBy'), placeholder: t('officeBy'), value: myName(), maxlength: '60' }));
  const apply = el('button', { class: 'primary', id: 'apply', onclick: async (/** @type {any} */ event) => {
    rememberName(by.value.trim());
    event.currentTarget.disabled = true;
    const said = await post('/api/v1/admin/city/apply', { preview: told.id, ...(by.value.trim() ? { by: by.value.trim() } : {}) });
    if (!tell(said)) { event.target.disabled = false; return; }
    seen = null;
    toast(`${t('cApplied')} · ${t('cBackup')} ${said.answer.backup}`);
    into.replaceChildren();
    setTimeout(again, 400);
  } }, t('cApply'));
  return [
    el('div', { class: 'row' }, ...told.files.map((file) => el('span', { class: 'tag', data: { tone: file.state === 'not_known' ? 'bad' : file.state === 'same' ? '' : 'good' } }, say(file.name), ' · ', t(`f_${file.state}`)))),
    told.problems.length ? el('section', { id: 'problems' }, el('h3', { class: 'said' }, t('cProblems'), ' ', String(told.problems.length)), table({ caption: t('cProblems'), rows: told.problems, columns: [
      { key: 'where', label: t('cWhere'), value: (row) => row.where, cell: (row) => el('span', { class: 'mono' }, say(row.where)) }, { key: 'found', label: t('cFound'), value: (row) => row.found }, { key: 'allowed', label: t('cAllowed'), value: (row) => row.allowed },
    ] })) : null,
    told.ok ? el('section', { id: 'differences' }, el('h3', {}, t('cChanges')), real.length ? table({ caption: t('cChanges'), rows: real, id: (row) => row.what, columns: [
      { key: 'what', label: t('cWhat'), value: (row) => t(`x_${row.what}`) }, { key: 'before', label: t('cBefore'), number: true, value: (row) => row.before }, { key: 'after', label: t('cAfter'), number: true, value: (row) => row.after },
      { key: 'added', label: t('cAdded'), number: true, value: (row) => row.added }, { key: 'removed', label: t('cRemoved'), number: true, value: (row) => row.removed, cell: (row) => (row.removed ? el('b', { class: 'said' }, String(row.removed)) : '0') }, { key: 'changed', label: t('cChanged'), number: true, value: (row) => row.changed },
      { key: 'details', label: t('cDetails'), value: () => null, cell: details },
    ] }) : el('p', { class: 'empty' }, t('cNothing')), el('div', { class: 'row' }, by, apply)) : null,
    told.warnings.length ? el('details', {}, el('summary', {}, t('cWarnings'), ' ', String(told.warnings.length)), el('ul', { class: 'plain' }, ...told.warnings.slice(0, 200).map((text) => el('li', { class: 'soft' }, say(text))))) : null,
  ].filter((node) => node !== null);
}

/** @param {Differences} row */
function details(row) {
  const list = (/** @type {string} */ label, /** @type {string[]} */ ids) => (ids.length ? el('p', {}, el('b', {}, label, ' '), say(ids.join(', '))) : null);
  return el('details', {}, el('summary', {}, t('cDetails'), row.added + row.removed + row.changed > 200 ? el('small', {}, ' ', t('cFirst')) : null),
    list(t('cAdded'), row.added_ids), list(t('cRemoved'), row.removed_ids),
    ...row.changed_items.map((one) => el('p', {}, el('b', { class: 'mono' }, say(one.id)), ...one.fields.map(([name, before, after]) => el('span', {}, ' ', say(name), ': ', el('del', {}, say(before || '–')), ' → ', el('ins', {}, say(after || '–')))))));
}

/** @param {import('./devices.js').Asked} asked */
export async function show({ again }) {
  /** @type {{id: string, files: {name: string, bytes: number, changed_at: string}[]}} */
  const found = await get('/api/v1/admin/city');
  return () => {
    const into = el('div', { id: 'preview', 'aria-live': 'polite' });
    if (seen) into.replaceChildren(...shown(seen, into, again));
    const input = /** @type {HTMLInputElement} */ (el('input', { type: 'file', id: 'files', multiple: true, accept: '.csv,.geojson,.toml,.zip,.sor,.jpg,.png', 'aria-label': t('cChoose'), onchange: () => preview(input.files ?? [], $('#preview'), again).catch((error) => toast(error.message, true)) }));
    const zone = el('div', { class: 'row drop', ondragover: (/** @type {Event} */ event) => event.preventDefault(), ondrop: (/** @type {DragEvent} */ event) => { event.preventDefault(); preview([...(event.dataTransfer?.files ?? [])], $('#preview'), again).catch((error) => toast(error.message, true)); } }, input, el('span', { class: 'soft' }, t('cDrop')));
    return [el('section', { class: 'panel' }, el('div', { class: 'head' }, el('h2', {}, t('adCity'), ' ', el('small', {}, say(found.id))), el('a', { class: 'button', href: '/api/v1/admin/city/files', download: '' }, t('cDownload'))), el('p', { class: 'soft' }, t('cText')), zone, into),
      el('section', { class: 'panel' }, el('div', { class: 'head' }, el('h2', {}, t('cNow'))), table({ caption: t('cNow'), rows: found.files, id: (row) => row.name, columns: [
        { key: 'name', label: t('cFiles'), value: (row) => row.name, cell: (row) => el('span', { class: 'mono' }, say(row.name)) }, { key: 'bytes', label: t('lSize'), number: true, value: (row) => row.bytes, cell: (row) => row.bytes.toLocaleString() }, { key: 'at', label: t('cMoment'), value: (row) => row.changed_at, cell: (row) => when(row.changed_at) },
      ] }))];
  };
}
