// @ts-check
// A utility's ticket by signed link: look, accept, arrive, restored. No account, no other data.

const AGAIN_MS = 8_000;
const zh = !/^en/i.test(navigator.language);
/** @param {string} cn @param {string} en */
const t = (cn, en) => (zh ? cn : en);
document.documentElement.lang = zh ? 'zh-CN' : 'en';
const pass = decodeURIComponent(location.pathname.split('/').pop() ?? '');
const api = `/api/v1/passes/${encodeURIComponent(pass)}`;
const root = /** @type {HTMLElement} */ (document.querySelector('#ticket'));

/** @type {Record<string, [string, boolean?]>} */
const ACTIONS = {
  accept: [t('接单', 'Accept')], arrive: [t('已到场', 'We are there')],
  dispose: [t('已恢复', 'Restored')], return: [t('不归我们，回退', 'Not ours: give it back'), true], note: [t('留言', 'Leave a note')],
};
/** @type {Record<string, string>} */
const STAGES = {
  dispatched: t('待接单', 'Waiting to be accepted'), accepted: t('已接单', 'Accepted'), arrived: t('处置中', 'On site'), disposed: t('已恢复，待核实', 'Restored, being verified'),
  verified: t('已核实', 'Verified'), closed: t('已结案', 'Closed'), evaluated: t('已评价', 'Rated'), reworked: t('返工', 'To be done again'), returned: t('已回退', 'Given back'), suspended: t('挂账', 'Suspended'), void: t('已作废', 'Void'),
};
/** @type {Record<string, string>} */
const PHOTOS = { near: t('近景', 'Near'), far: t('远景', 'Far'), reference: t('参照物', 'Reference'), before: t('处置前', 'Before'), after: t('处置后', 'After') };
/** @type {Record<string, string>} */
const CLOCKS = { accept: t('接单', 'accept'), arrive: t('到场', 'arrive'), dispose: t('处置', 'restore') };

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Record<string, any>} attributes @param {(Node | string | null | undefined)[]} children
 */
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  for (const child of children) if (child !== null && child !== undefined) node.append(child);
  return node;
}

/** Our half of words in both languages. @param {unknown} text */
const mine = (text) => { const [en, cn] = String(text || '').split(' / '); return cn && zh ? cn : en; };
/** @param {string} iso */
const when = (iso) => new Date(iso).toLocaleString(zh ? 'zh-CN' : 'en-GB', { month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hour12: false });

/** @param {string} method @param {string} url @param {any} [body] @returns {Promise<any>} */
async function call(method, url, body) {
  const answer = await fetch(url, { method, cache: 'no-store', headers: body ? { 'Content-Type': body instanceof File ? body.type : 'application/json' } : {}, body: body instanceof File ? body : body && JSON.stringify(body) });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(said.reason || said.error || `HTTP ${answer.status}`), { status: answer.status });
  return said;
}

/** @type {Record<string, string>} the clock that runs in a stage */
const NEXT = { dispatched: 'accept', accepted: 'arrive', arrived: 'dispose' };
/** @param {any} ticket */
function due(ticket) {
  const next = NEXT[ticket.stage];
  const at = next && ticket.deadlines[next];
  if (!at) return null;
  return el('p', { class: new Date(at) < new Date() ? 'due' : '' }, t(`请于 ${when(at)} 前${CLOCKS[next]}`, `Please ${CLOCKS[next]} by ${when(at)}`));
}

// What is being written stays while the ticket below it changes.
const by = el('input', { name: 'by', maxlength: 60, autocomplete: 'name', value: localStorage.getItem('by') || '' });
const note = el('textarea', { name: 'note', rows: 2, maxlength: 2000 });
const photo = el('input', { type: 'file', name: 'photo', accept: 'image/jpeg,image/png' });
const shows = el('select', { name: 'shows', 'aria-label': t('照片内容', 'The photograph shows') }, ...Object.entries(PHOTOS).map(([name, text]) => el('option', { value: name }, text)));
const said = el('p', { class: 'said', role: 'alert' });
let busy = false;
let rev = -1;

/** @param {any} shown */
function form(shown) {
  if (!photo.files?.length) shows.value = shown.ticket.stage === 'arrived' || shown.ticket.stage === 'reworked' ? 'after' : 'near';
  const act = async (/** @type {string} */ action) => {
    const text = note.value.trim();
    if ((action === 'return' || action === 'note') && !text) { said.textContent = t('请先填写说明', 'Please say why first'); note.focus(); return; }
    /** @type {Record<string, any>} */
    const body = { action, rev: shown.ticket.rev };
    if (by.value.trim()) { body.by = by.value.trim(); localStorage.setItem('by', body.by); }
    if (text) body[action === 'return' ? 'reason' : 'note'] = text;
    for (const button of root.querySelectorAll('button')) button.disabled = true;
    said.textContent = '';
    busy = true;
    try {
      const file = photo.files?.[0];
      if (file) body.photos = [{ name: shows.value, ref: (await call('POST', `${api}/photos?name=${shows.value}`, file)).ref }];
      await call('POST', `${api}/actions`, body);
      note.value = photo.value = '';
      await load();
    } catch (error) {
      await load().catch(() => {});
      said.textContent = mine(/** @type {Error} */ (error).message);
    } finally { busy = false; }
  };
  const buttons = shown.actions.map((/** @type {string} */ action, /** @type {number} */ i) => el('button', { type: 'button', class: i === 0 && action !== 'note' ? 'primary' : '', 'data-action': action, onclick: () => act(action) }, ACTIONS[action][0]));
  return el('section', {}, el('form', { onsubmit: (/** @type {Event} */ event) => event.preventDefault() }, buttons[0], el('label', {}, t('您的姓名或工号', 'Your name or number'), by), el('label', {}, t('说明', 'Note'), note), el('label', {}, t('照片', 'Photograph'), photo), shows, said, ...buttons.slice(1)));
}

/** @param {any} shown */
function render(shown) {
  const { ticket } = shown;
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  rev = ticket.rev;
  const { lon, lat } = ticket.place;
  const reason = ticket.incident_detail ? mine(ticket.incident_detail.reason) : '';
  const steps = ticket.timeline.slice(-8).reverse().map((/** @type {any} */ step) => el('li', {}, el('time', {}, when(step.at)), mine(step.note) || STAGES[step.change] || step.change));
  root.replaceChildren(
    el('header', {}, el('p', { class: 'soft' }, shown.utility), el('h1', {}, ticket.place.address || ticket.grid || ''), el('p', {}, reason), due(ticket), el('p', { class: 'stage' }, STAGES[ticket.stage] || ticket.stage)),
    form(shown),
    el('section', {}, el('h2', {}, t('地点', 'Where')), el('p', {}, el('a', { href: `geo:${lat},${lon}?q=${lat},${lon}` }, t('导航', 'Navigate')), ` ${lat.toFixed(5)}, ${lon.toFixed(5)}`), shown.contact ? el('p', { class: 'soft' }, t(`现场联系人：${shown.contact}`, `Contact on site: ${shown.contact}`)) : null),
    el('section', {}, el('h2', {}, t('经过', 'So far')), el('ol', {}, ...steps)),
  );
  if (focused && root.contains(focused)) focused.focus({ preventScroll: true });
}

async function load() { render(await call('GET', api)); }
/** @param {any} error */
const instead = (error) => { rev = -1; root.replaceChildren(el('section', {}, el('p', { class: 'said' }, mine(error.message)))); };
/** The others' steps show by themselves; without network, the next time. */
async function again() {
  if (document.hidden || busy) return;
  try {
    const shown = await call('GET', `${api}?rev=${rev}`);
    if (shown.ticket && !busy) render(shown);
  } catch (error) { if ([403, 410].includes(/** @type {any} */ (error).status) && !busy) instead(error); }
}
load().then(() => {
  setInterval(again, AGAIN_MS);
  document.addEventListener('visibilitychange', again);
}, instead);
