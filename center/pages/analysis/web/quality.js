// @ts-check
// How often alarms are right: by kind, by device, and what people said of single ones.

import { get, post } from '/static/common/api.js';
import { dialog, kindName, tell, toast, when } from '/static/common/office/frame.js';
import { whisker } from '/static/common/office/chart.js';
import { percent, table } from '/static/common/office/table.js';
import { language, t } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';
import { asked as askCauses, missed, right, wrong } from './label.js';

/** @typedef {{kind: string, device: string, alarms: number, said_true: number, said_false: number, worked: number, missed: number, unjudged: number, precision: number | null, low: number, high: number}} Line */
/** @typedef {{id: string, kind: string, event: string | null, device: string | null, verdict: 'true' | 'false' | 'missed', cause: string, note: string, at: string, by: string, made_at: string, withdrawn_at: string | null, withdrawn_by: string | null}} Label */

const DEVICES = 200;
const TONES = /** @type {const} */ ({ true: 'good', false: 'bad', missed: 'warn' });

/** @param {boolean} byDevice @param {(line: Line) => void} open */
function columns(byDevice, open) {
  /** @param {string} key @param {string} label @param {(row: Line) => any} value */
  const count = (key, label, value) => ({ key, label: t(label), number: true, value });
  return [
    byDevice
      ? { key: 'device', label: t('officeDevice'), value: (/** @type {Line} */ row) => row.device, cell: (/** @type {Line} */ row) => el('button', { onclick: () => open(row), title: t('quEvents') }, say(row.device || '–')) }
      : { key: 'kind', label: t('officeKind'), value: (/** @type {Line} */ row) => kindName(row.kind), cell: (/** @type {Line} */ row) => el('button', { onclick: () => open(row), title: t('quEvents') }, say(kindName(row.kind))) },
    ...(byDevice ? [{ key: 'kind', label: t('officeKind'), value: (/** @type {Line} */ row) => kindName(row.kind) }] : []),
    count('alarms', 'quAlarms', (row) => row.alarms),
    { ...count('right', 'quRight', (row) => row.said_true + row.worked), cell: (/** @type {Line} */ row) => el('span', { title: `${t('quSaid')} ${row.said_true}, ${t('quWorked')} ${row.worked}` }, String(row.said_true + row.worked)) },
    count('false', 'quFalse', (row) => row.said_false), count('open', 'quOpen', (row) => row.unjudged), count('missed', 'quMissed', (row) => row.missed),
    { ...count('precision', 'quPrecision', (row) => row.precision), cell: (/** @type {Line} */ row) => percent(row.precision) },
    { key: 'interval', label: t('quInterval'), sorts: false, value: (/** @type {Line} */ row) => row.low, cell: (/** @type {Line} */ row) => (row.precision === null ? null : el('span', { class: 'row' }, whisker(row.precision, row.low, row.high, `${percent(row.low)} – ${percent(row.high)}`), el('span', { class: 'soft' }, `${percent(row.low)} – ${percent(row.high)}`))) },
  ];
}

/** The alarms of a kind, or of a device, to be judged one by one. @param {Line} line @param {string} query @param {() => void} changed */
async function alarms(line, query, changed) {
  const of = `kind=${line.kind}${line.device ? `&device=${encodeURIComponent(line.device)}` : ''}&${query}`;
  const body = el('div', {}, t('officeLoading'));
  const box = dialog(`${kindName(line.kind)}${line.device ? ` · ${line.device}` : ''}`, body);
  box.classList.add('broad');
  async function fill() {
    const [events, labels, { kinds }] = await Promise.all([get(`/api/v1/events?limit=100&${of}`), get(`/api/v1/labels?kind=${line.kind}&${query}`), askCauses()]);
    /** @type {Map<string, Label>} */
    const said = new Map(labels.items.map((/** @type {Label} */ label) => [label.event, label]));
    const done = () => { fill(); changed(); };
    body.replaceChildren(table({
      caption: t('quEvents'), rows: events.items, sort: '-at', columns: [
        { key: 'at', label: t('officeWhen'), value: (/** @type {any} */ row) => row.at, cell: (/** @type {any} */ row) => when(row.at, true) },
        { key: 'device', label: t('officeDevice'), value: (/** @type {any} */ row) => row.device ?? row.site },
        { key: 'still', label: t('still'), sorts: false, value: () => null, cell: (/** @type {any} */ row) => (row.links?.still ? el('a', { href: row.links.clip ?? row.links.still, target: '_blank', rel: 'noopener' }, el('img', { src: row.links.still, alt: t('still'), width: '112', height: '64', loading: 'lazy' })) : null) },
        { key: 'said', label: t('quVerdict'), sorts: false, value: () => null, cell: (/** @type {any} */ row) => verdict(said.get(row.id), kinds) },
        { key: 'do', label: '', sorts: false, value: () => null, cell: (/** @type {any} */ row) => {
          const label = said.get(row.id);
          return el('span', { class: 'row' }, label ? el('button', { onclick: () => back(label, done) }, t('quTakeBack')) : null,
            label?.verdict === 'true' ? null : el('button', { onclick: () => right({ event: row.id }, done) }, t('quIsRight')), label?.verdict === 'false' ? null : el('button', { onclick: () => wrong({ event: row.id }, row.kind, done) }, t('quNotRight')));
        } },
      ],
    }));
  }
  fill().catch((error) => body.replaceChildren(el('p', { class: 'said' }, say(error.message))));
}

/** @param {Label | undefined} label @param {Record<string, {id: string, zh: string, en: string}[]>} causes */
function verdict(label, causes) {
  if (!label) return null;
  const cause = causes[label.kind]?.find((one) => one.id === label.cause);
  return el('span', {}, el('span', { class: 'tag', data: { tone: TONES[label.verdict] } }, t(`v_${label.verdict}`)), ' ', cause ? say(language() === 'zh' ? cause.zh : cause.en) : say(label.cause), label.note ? el('small', {}, ' ', say(label.note)) : null);
}

/** @param {Label} label @param {() => void} done */
async function back(label, done) {
  if (tell(await post(`/api/v1/labels/${encodeURIComponent(label.id)}`, undefined, 'DELETE'))) { toast(t('quBack')); done(); }
}

/** @param {import('./figures.js').Asked & {again: () => void}} asked */
export async function show({ query, change, again }) {
  const [found, labels, { kinds }] = await Promise.all([get(`/api/v1/analysis/detectors?${query}`), get(`/api/v1/labels?all=1&limit=300&${query}`), askCauses()]);
  return (/** @type {Record<string, string>} */ said) => {
    const open = (/** @type {Line} */ line) => alarms(line, query, again);
    /** @type {Line[]} */
    const devices = found.devices;
    return [
      el('section', { class: 'panel' },
        el('div', { class: 'head' }, el('h2', {}, t('quKinds')), el('button', { class: 'noprint', onclick: () => missed(again) }, t('quMissedAdd')), el('a', { class: 'button noprint', href: `/api/v1/labels.jsonl?${query}`, download: 'labels.jsonl' }, t('quExport')), el('a', { class: 'button noprint', href: `/api/v1/analysis/detectors.csv?${query}`, download: '' }, t('officeCsv'))),
        el('p', { class: 'soft' }, t('quText')), table({ columns: columns(false, open), rows: found.items, caption: t('quKinds'), sort: said.sort || '-alarms', onsort: (sort) => change({ sort }), id: (row) => row.kind })),
      el('section', { class: 'panel' },
        el('div', { class: 'head' }, el('h2', {}, t('quDevices'), devices.length > DEVICES ? el('small', {}, ' ', t('quFewer')) : null)),
        table({ columns: columns(true, open), rows: devices.slice(0, DEVICES), caption: t('quDevices'), sort: said.sort2 || '-false', onsort: (sort2) => change({ sort2 }), id: (row) => row.device })),
      el('section', { class: 'panel' }, el('div', { class: 'head' }, el('h2', {}, t('quLabels'))),
        table({
          caption: t('quLabels'), rows: /** @type {Label[]} */ (labels.items), sort: '-made', id: (row) => row.id, columns: [
            { key: 'made', label: t('officeWhen'), value: (row) => row.made_at, cell: (row) => when(row.made_at) },
            { key: 'kind', label: t('officeKind'), value: (row) => kindName(row.kind) }, { key: 'device', label: t('officeDevice'), value: (row) => row.device },
            { key: 'at', label: t('spLast'), value: (row) => row.at, cell: (row) => when(row.at, true) }, { key: 'verdict', label: t('quVerdict'), value: (row) => row.verdict, cell: (row) => verdict(row, kinds) },
            { key: 'by', label: t('quWho'), value: (row) => row.by },
            { key: 'do', label: '', value: () => null, cell: (row) => (row.withdrawn_at ? el('small', {}, row.withdrawn_by === 'newer' ? t('quNewer') : `${t('quWithdrawn')} · ${row.withdrawn_by}`) : el('button', { class: 'noprint', onclick: () => back(row, again) }, t('quTakeBack'))) },
          ],
        })),
    ];
  };
}
