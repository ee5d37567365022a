// @ts-check
// What holds tickets back: silences, and planned works.

import { get, pages, post } from '/static/common/api.js';
import { dialog, kindName, known, myName, rememberName, tell, toast, when } from '/static/common/office/frame.js';
import { table } from '/static/common/office/table.js';
import { t } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';

/** @typedef {{id: string, kinds: string[], sites: string[], grid: string | null, point: {lon: number, lat: number} | null, radius_m: number | null, since: string, until: string, by: string, reason: string, ended_at: string | null, ended_by: string | null}} Silence */
/** @typedef {{id: string, kind: string, start: string, end: string, point: {lon: number, lat: number} | null, radius_m: number, assets: string[], note: string, state: 'on' | 'to_come' | 'over'}} Work */

/** @param {{point: {lon: number, lat: number} | null, radius_m: number | null}} at */
const around = ({ point, radius_m }) => (point ? `${point.lat.toFixed(4)}, ${point.lon.toFixed(4)} · ${radius_m} m` : '');
/** @param {string} text */
const words = (text) => text.split(/[,，;；\s]+/).filter(Boolean);
/** @param {string} local from a `datetime-local` field */
const moment = (local) => new Date(local).toISOString();
/** The field's own form of a moment. @param {number} ms */
const local = (ms) => { const date = new Date(ms); return new Date(ms - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16); };

/** @param {string} label @param {string} name @param {Record<string, any>} [more] */
const field = (label, name, more = {}) => el('label', {}, label, el('input', { name, ...more }));
/** @param {string} title @param {Node[]} fields @param {(text: (name: string) => string, form: HTMLFormElement) => Promise<boolean>} send */
function ask(title, fields, send) {
  const form = /** @type {HTMLFormElement} */ (el('form', { class: 'form' }, ...fields, field(t('officeBy'), 'by', { required: true, maxlength: '60', value: myName(), autocomplete: 'name' }),
    el('menu', { class: 'whole' }, el('button', { type: 'button', onclick: () => box.close() }, t('officeCancel')), el('button', { class: 'primary' }, title))));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const given = new FormData(form), text = (/** @type {string} */ name) => String(given.get(name) ?? '').trim();
    rememberName(text('by'));
    if (await send(text, form)) box.close();
  });
  const box = dialog(title, form);
}

/** @param {() => void} again */
function newSilence(again) {
  const kinds = Object.keys(known.city.kinds).filter((kind) => kind !== 'patrol');
  ask(t('hNewSilence'), [
    el('fieldset', { class: 'whole choices' }, el('legend', {}, t('hKinds')), ...kinds.map((kind) => el('label', { class: 'check' }, el('input', { type: 'checkbox', name: 'kinds', value: kind }), kindName(kind)))),
    field(t('hSites'), 'sites', { maxlength: '2000' }), field(t('hGrid'), 'grid', { maxlength: '64' }), field(t('hUntil'), 'until', { type: 'datetime-local', required: true, value: local(Date.now() + 4 * 3_600_000) }),
    field(t('officeReason'), 'reason', { required: true, maxlength: '2000' }),
  ], async (text, form) => {
    const body = { until: moment(text('until')), by: text('by'), reason: text('reason'), kinds: new FormData(form).getAll('kinds'), sites: words(text('sites')), ...(text('grid') ? { grid: text('grid') } : {}) };
    const done = tell(await post('/api/v1/silences', body));
    if (done) { toast(t('hMade')); again(); }
    return done;
  });
}

/** @param {() => void} again */
function newWork(again) {
  ask(t('hNewWork'), [
    field(t('hId'), 'id', { required: true, maxlength: '64', pattern: '[A-Za-z0-9._\\-]+' }), field(t('hWorkKind'), 'kind', { required: true, maxlength: '64', value: 'works' }),
    field(t('hStart'), 'start', { type: 'datetime-local', required: true, value: local(Date.now()) }), field(t('hStop'), 'end', { type: 'datetime-local', required: true, value: local(Date.now() + 8 * 3_600_000) }),
    field(t('hAssets'), 'assets', { maxlength: '2000' }), field(t('hLon'), 'lon', { type: 'number', step: 'any', min: '-180', max: '180' }), field(t('hLat'), 'lat', { type: 'number', step: 'any', min: '-90', max: '90' }), field(t('hRadius'), 'radius', { type: 'number', min: '1', max: '50000', value: '100' }),
    el('label', { class: 'whole' }, t('officeNote'), el('textarea', { name: 'note', rows: '2', maxlength: '2000' })),
  ], async (text) => {
    const placed = text('lon') && text('lat');
    const body = { id: text('id'), kind: text('kind'), start: moment(text('start')), end: moment(text('end')), assets: words(text('assets')), note: text('note'), by: text('by'), ...(placed ? { point: { lon: Number(text('lon')), lat: Number(text('lat')) }, radius_m: Number(text('radius')) || 100 } : {}) };
    const done = tell(await post('/api/v1/admin/works', body));
    if (done) { toast(t('hMade')); again(); }
    return done;
  });
}

/** @param {string} path @param {() => void} again */
function end(path, again) {
  ask(t('adSure'), [field(t('officeReason'), 'reason', { maxlength: '400' })], async (text) => {
    const query = new URLSearchParams({ by: text('by'), ...(path.includes('silences') && text('reason') ? { reason: text('reason') } : {}) });
    const done = tell(await post(`${path}?${query}`, undefined, 'DELETE'));
    if (done) { toast(t('hEnded')); setTimeout(again, 300); }
    return done;
  });
}

/** @param {import('./devices.js').Asked} asked */
export async function show({ change, again }) {
  /** @type {[Silence[], {items: Work[], changeable: boolean}]} */
  const [silences, works] = await Promise.all([pages('/api/v1/silences', 500), get('/api/v1/admin/works')]);
  return (/** @type {Record<string, string>} */ said) => {
    const over = said.over === '1', now = Date.now();
    /** @param {Silence} one */
    const on = (one) => !one.ended_at && Date.parse(one.until) > now;
    const shown = silences.filter((one) => over || on(one)), planned = works.items.filter((one) => over || one.state !== 'over');
    return [el('label', { class: 'check' }, el('input', { type: 'checkbox', checked: over, onchange: (/** @type {any} */ event) => change({ over: event.target.checked ? '1' : '' }) }), t('hOver')),
      el('section', { class: 'panel' }, el('div', { class: 'head' }, el('h2', {}, t('hSilences'), ' ', el('small', {}, String(silences.filter(on).length))), el('button', { class: 'primary', id: 'new-silence', onclick: () => newSilence(again) }, t('hNewSilence'))), el('p', { class: 'soft' }, t('hSilenceText')),
        table({ caption: t('hSilences'), rows: shown, id: (row) => row.id, columns: [
          { key: 'what', label: t('hScope'), value: (row) => row.id, cell: (row) => el('span', {}, say([row.kinds.map(kindName).join('、'), row.sites.join('、'), row.grid, around(row)].filter(Boolean).join(' · '))) },
          { key: 'reason', label: t('officeReason'), value: (row) => row.reason }, { key: 'by', label: t('hBy'), value: (row) => row.by }, { key: 'since', label: t('hFrom'), value: (row) => row.since, cell: (row) => when(row.since) }, { key: 'until', label: t('hUntil'), value: (row) => row.until, cell: (row) => when(row.until) },
          { key: 'do', label: '', value: () => null, cell: (row) => (on(row) ? el('button', { onclick: () => end(`/api/v1/silences/${encodeURIComponent(row.id)}`, again) }, t('hLift')) : el('small', {}, `${t('hEnded')} ${when(row.ended_at)} ${row.ended_by === 'expired' ? t('hExpired') : row.ended_by ?? ''}`)) },
        ] })),
      el('section', { class: 'panel' }, el('div', { class: 'head' }, el('h2', {}, t('hWorks'), ' ', el('small', {}, String(works.items.filter((one) => one.state !== 'over').length))), works.changeable ? el('button', { class: 'primary', id: 'new-work', onclick: () => newWork(again) }, t('hNewWork')) : null), el('p', { class: 'soft' }, t('hWorksText')),
        table({ caption: t('hWorks'), rows: planned, id: (row) => row.id, columns: [
          { key: 'id', label: t('hId'), value: (row) => row.id, cell: (row) => el('span', { class: 'mono' }, say(row.id)) }, { key: 'state', label: t('dState'), value: (row) => row.state, cell: (row) => el('span', { class: 'tag', data: { tone: row.state === 'on' ? 'warn' : '' } }, t(`w_${row.state}`)) }, { key: 'kind', label: t('hWorkKind'), value: (row) => row.kind },
          { key: 'start', label: t('hFrom'), value: (row) => row.start, cell: (row) => when(row.start) }, { key: 'end', label: t('hUntil'), value: (row) => row.end, cell: (row) => when(row.end) }, { key: 'where', label: t('hScope'), value: (row) => row.assets.join('、') || around(row) }, { key: 'note', label: t('officeNote'), value: (row) => row.note },
          { key: 'do', label: '', value: () => null, cell: (row) => (works.changeable && row.state !== 'over' ? el('button', { onclick: () => end(`/api/v1/admin/works/${encodeURIComponent(row.id)}`, again) }, t(row.state === 'on' ? 'hEnd' : 'hTakeOut')) : null) },
        ] }))];
  };
}
