// @ts-check
// Both languages in one table. Names of kinds come from the city; these are the page's own words.

/** @type {Record<string, string[]>} */
const TEXTS = {
  brand: ['网格哨兵', 'grid command'], skip: ['跳到工单', 'Skip to tickets'],
  tickets: ['工单', 'Tickets'], map: ['地图', 'Map'], newest: ['最新', 'Newest'], urgent: ['最急', 'Most urgent'],
  open: ['未结', 'Open'], all: ['全部', 'All'], allKinds: ['全部类别', 'All kinds'],
  live: ['实时', 'Live'], connecting: ['连接中…', 'Connecting…'], lost: ['连接中断，正在重连…', 'Connection lost, reconnecting…'],
  denied: ['无访问权限', 'No access'], sound: ['新工单提示音', 'Sound on new tickets'], theme: ['深色／浅色', 'Dark / light'],
  token: ['访问令牌', 'Access token'], tokenTitle: ['访问令牌', 'Access token'],
  tokenText: ['处置工单、查看证据需要令牌。仅保存在本标签页。', 'Acting on tickets and seeing evidence need a token. It stays in this tab only.'],
  ok: ['确定', 'OK'], cancel: ['取消', 'Cancel'], close: ['关闭详情', 'Close details'],
  empty: ['暂无工单，一切平安。', 'No tickets. All is quiet.'], emptyFilter: ['此筛选下没有工单。', 'No tickets match this filter.'],
  worker: ['网格员', 'Worker'], utility: ['责任单位', 'Utility'], none: ['未指定', 'none'],
  where: ['地点', 'Where'], grid: ['网格', 'Grid'], severity: ['等级', 'Severity'],
  evidence: ['证据', 'Evidence'], why: ['派单理由', 'Why'], whyOne: ['为何是同一事件', 'Why one incident'], candidates: ['其他人选', 'Others considered'],
  timeline: ['经过', 'Timeline'], deadlines: ['时限', 'Deadlines'], overdue: ['超时', 'overdue'], left: ['剩余', 'left'],
  accept: ['接单', 'Accept'], arrive: ['到场', 'Arrive'], dispose: ['处置完毕', 'Dispose'], verify: ['核实', 'Verify'], closeTicket: ['结案', 'Close'],
  refused: ['未受理', 'Refused'], waiting: ['已提交，等待受理', 'Filed, waiting for the answer'], failed: ['请求失败', 'The request failed'],
  rateLimited: ['操作过于频繁', 'Too many requests'],
  window: ['抛出位置', 'Thrown from'], floor: ['层', 'floor'], bay: ['列', 'bay'], abstain: ['无法确定窗口', 'The window cannot be told'],
  uncalibrated: ['摄像头未标定，无法指认窗口', 'The camera is not calibrated: it cannot name a window'], viewOff: ['画面与标定时不符，不指认窗口', 'The view is not the calibrated one: no window is named'],
  others: ['其他可能', 'Others'], floors: ['可能楼层', 'Floors'], speed: ['速度', 'Speed'], still: ['抓拍画面', 'Still picture'], clip: ['视频片段', 'Video clip'],
  withheld: ['证据对未授权访问者不可见', 'Evidence is withheld without a token'], pending: ['证据截取中…', 'Evidence is being cut…'],
  level: ['水位', 'Level'], warn: ['警戒', 'warn'], closing: ['封路', 'close'], forecast: ['预计', 'forecast'], overflowAt: ['预计封路时刻', 'Reaches closing line'],
  now: ['当前', 'now'], rate: ['上涨速率', 'Rate of rise'], reached: ['已达', 'reached'],
  atRest: ['静置', 'at rest'], usual: ['该时段通常', 'usual at this hour'], hydrants: ['消火栓', 'Hydrants'],
  span: ['区段', 'Span'], probability: ['可能性', 'Probability'], ruledOut: ['已排除', 'Ruled out'], owners: ['权属', 'Owners'], error: ['误差', 'Error'],
  distance: ['断点距离', 'Distance to the break'], loss: ['损耗', 'Loss'], pipes: ['管段', 'Pipes'], since: ['自', 'Since'],
  upstream_outage: ['上级停电', 'outage upstream'], sensor_or_customer: ['传感器或用户侧', 'sensor or customer side'], planned_work: ['计划停电', 'planned work'], load_switching: ['负荷投切', 'load switching'],
  planned_outage: ['计划停电', 'planned outage'], switching: ['开关操作', 'switching'], recloser: ['重合闸', 'recloser'], voltage_sag: ['电压暂降', 'voltage sag'], earth_fault: ['单相接地', 'earth fault'], gateway_dead: ['网关离线', 'gateway dead'],
  wind_or_strike_only: ['仅风摆或撞击', 'wind or a strike only'], customer_off: ['用户侧停电', 'a customer switched off'], sensor_fault: ['传感器故障', 'sensor fault'], sensor_moved: ['传感器移位', 'sensor moved'], wind: ['风摆', 'wind'], works: ['施工', 'works'], dimming: ['调光', 'dimming'], supply: ['供电中断', 'supply lost'],
  macro_bend: ['宏弯', 'macro-bend'], noise: ['噪声', 'noise'], length_drift: ['长度漂移', 'length drift'], readout_failure: ['读数失败', 'read-out failure'],
  severed: ['断线', 'severed'], phase_open: ['缺相', 'phase open'], neutral_open: ['断零', 'neutral open'], suspected: ['疑似', 'suspected'], confirmed: ['确认', 'confirmed'],
  observed: ['已发生', 'observed'], receding: ['消退中', 'receding'],
  km: ['公里', 'km'], m: ['米', 'm'], min: ['分钟', 'min'], load: ['在办', 'load'], device: ['设备', 'Device'], person: ['网格员', 'Workers'], line: ['线路', 'Line'], drain: ['排水', 'Drains'], fibre: ['光缆', 'Fibre'],
  mapHint: ['地图：方向键移动，加减号缩放', 'Map: arrow keys move, plus and minus zoom'], fit: ['全图', 'Whole city'], zoomIn: ['放大', 'Zoom in'], zoomOut: ['缩小', 'Zoom out'],
  newTicket: ['新工单', 'New ticket'], ago: ['前', 'ago'], events: ['事件', 'Events'], phone: ['电话', 'Phone'], otherText: ['其他', 'Other'],
  original: ['查看原始影像', 'Open the original'], originalWhy: ['为保护居民隐私，画面已做模糊处理。查看原始影像须有权限并说明理由，理由与您的身份将被记录。', 'Homes and people are blurred. Opening the original needs the right to, and a reason; both are kept with your name.'],
  originalReason: ['理由（如案件编号）', 'Reason (such as the case number)'], originalStill: ['原始抓拍', 'Original still'], originalClip: ['原始视频', 'Original clip'], besideStill: ['另一录像设备同时所见', 'What another recorder saw'], sealed: ['存证', 'Sealed'], sealedText: ['第 {n} 环', 'link {n}'], trackFile: ['轨迹数据', 'Track data'],
  lastHeard: ['最后上报', 'Last heard'], reportsEvery: ['上报间隔', 'Reports every'], backAt: ['恢复上报', 'Heard again'], loudness: ['声级', 'Level'], background: ['背景声级', 'Background'], louderBy: ['高出背景', 'Louder by'], lasting: ['持续', 'Lasting'], soundOnset: ['起始', 'Began'], saidKind: ['上报类别', 'Reported as'],
  reading: ['读数', 'Readings'], reporter: ['上报人', 'Reporter'], photo: ['照片', 'Photograph'], deadlineRule: ['时限依据', 'Deadline'], proof: ['核实', 'Proof'], returnedBy: ['回退', 'Returned'], urged: ['督办', 'Urged'], suspendedFor: ['挂账', 'Suspended'], judged: ['评价', 'Judged'], doubted: ['存疑', 'Doubted'], deaf: ['无法核实', 'Cannot verify'], lane: ['处置方式', 'Lane'], sla: ['时限', 'SLA'],
  moreWay: ['办理', 'Work'], moreHelp: ['督办与协同', 'Together'], moreWords: ['记录与评价', 'Words'], working: ['正在读取可执行的操作…', 'Reading what may be done…'],
  reason: ['原因', 'Reason'], note: ['备注', 'Note'], until: ['截止时间', 'Until'], score: ['评分（1 差，5 好）', 'Score (1 bad, 5 good)'], whom: ['改派给', 'To whom'], into: ['并入工单', 'Into which ticket'], splitEvents: ['另案处理的事件', 'Events that are something else'],
  helper: ['协助人员', 'Helper'], resource: ['物资', 'Resource'], facts: ['现场情况', 'On the spot'], isSo: ['属实', 'It is so'], isNotSo: ['已解除', 'Not any more'], notSaid: ['未说明', 'Not said'], count: ['人数', 'How many'], nearest: ['由系统就近选派', 'The nearest able ones'], onBehalf: ['以谁的名义', 'On behalf of'],
  workerId: ['网格员编号', 'Id of a worker'], choose: ['请选择', 'Choose'], optional: ['选填', 'optional'], sayFirst: ['请先填写', 'Please fill in'], submit: ['提交', 'Send'], giveUp: ['取消', 'Cancel'], toStage: ['之后为', 'then'], reassignTo: ['改派', 'Send instead'], askHelp: ['请求支援', 'Ask to help'],
  withWords: ['附说明或照片', 'with words or a photograph'], shows: ['内容', 'It shows'], photo_near: ['近景', 'Near'], photo_far: ['远景', 'Far'], photo_reference: ['参照物', 'Reference'], photo_before: ['处置前', 'Before'], photo_after: ['处置后', 'After'], photographs: ['现场照片', 'Photographs'],
  unskilled: ['无所需技能', 'not skilled'], otherGrid: ['非本网格', 'other grid'], question: ['待答复', 'To be answered'],
  related: ['关联', 'Belongs together'], causeExplains: ['由此引起，不另派人', 'Caused by it: nobody else is sent'], causeOutlived: ['原因已消除，此事仍在继续', 'It is over, and this goes on'], causeSuspected: ['可能的原因，请先查看', 'Perhaps caused by it: look there first'],
  storm: ['同一场暴雨', 'One storm'], sameGroup: ['同组工单', 'In the same group'], heldUntil: ['暂不派单，至', 'Held back until'], heldBefore: ['曾暂不派单，至', 'Was held back until'], bySilence: ['静默', 'silence'], byWork: ['计划施工', 'planned works'], mergedInto: ['已并入', 'Merged into'], splitFrom: ['拆分自', 'Split from'], partOf: ['主工单', 'Part of'], parts: ['子工单', 'Parts'], held: ['暂不派单', 'Held back'],
};
/** @type {Record<string, string[]>} */
const STAGES = {
  detected: ['发现', 'Detected'], filed: ['立案', 'Filed'], dispatched: ['已派遣', 'Dispatched'], accepted: ['已接单', 'Accepted'], arrived: ['已到场', 'Arrived'],
  disposed: ['已处置', 'Disposed'], verified: ['已核实', 'Verified'], closed: ['已结案', 'Closed'], evaluated: ['已评价', 'Evaluated'], returned: ['回退', 'Returned'],
  reworked: ['返工', 'Reworked'], suspended: ['挂账', 'Suspended'], void: ['作废', 'Void'],
  opened: ['开单', 'Opened'], updated: ['更新', 'Updated'], reminded: ['催办', 'Reminded'], escalated: ['督办', 'Escalated'], cancelled: ['取消', 'Cancelled'],
};
/** @type {Record<string, string[]>} */
const LANES = { self: ['网格自办', 'worker settles it'], direct: ['直派部门', 'direct to department'], joint: ['会商', 'joint meeting'] };
/** @type {string[][]} */
const SEVERITIES = [['', ''], ['轻微', 'Minor'], ['一般', 'Moderate'], ['较大', 'Serious'], ['重大', 'Severe'], ['特大', 'Extreme']];

/** @param {string} key */
function stored(key) { try { return localStorage.getItem(key); } catch { return null; } }
let index = (stored('lang') ?? navigator.language ?? 'zh').startsWith('zh') ? 0 : 1;

/** @returns {'zh' | 'en'} */
export const language = () => (index === 0 ? 'zh' : 'en');
/** @param {string} name */
export function setLanguage(name) {
  index = name === 'zh' ? 0 : 1;
  try { localStorage.setItem('lang', name); } catch { /* private mode keeps it for this page only */ }
  apply();
}
export function apply() {
  document.documentElement.lang = index === 0 ? 'zh-CN' : 'en';
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-t]'))) node.textContent = t(node.dataset.t ?? '');
}
/** A page's own words, {key: [zh, en]}, beside those of all pages. @param {Record<string, string[]>} more */
export const addTexts = (more) => { Object.assign(TEXTS, more); };
/** @param {string[] | undefined} pair @param {string} fallback */
const pick = (pair, fallback) => pair?.[index] ?? fallback;
/** @param {string} key @returns {string} */
export const t = (key) => pick(TEXTS[key], key);
/** @param {string} key */
export const has = (key) => key in TEXTS;
/** @param {string} stage */
export const stageName = (stage) => pick(STAGES[stage], stage);
/** @param {string} lane */
export const laneName = (lane) => pick(LANES[lane], lane);
/** @param {number} n */
export const severityName = (n) => pick(SEVERITIES[n], String(n));
/** Text in both languages as the service writes it, in ours; null when there is none. @param {any} value @returns {string | null} */
export function both(value) {
  if (typeof value === 'string') {
    const parts = value.split(' / ');
    return parts.length === 2 && /[\u4e00-\u9fff]/.test(String(parts[1])) ? String(parts[1 - index]) : value;
  }
  if (!value || typeof value !== 'object') return null;
  return (index === 0 ? value.text_zh ?? value.zh : value.text_en ?? value.en) ?? value.text_en ?? value.text_zh ?? value.text ?? null;
}

/** Making a formatter costs more than a hundred uses of it. @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();
/** A moment on the city's clock; with its date when that is not today or nearly.
 * @param {string | number | Date} moment @param {string | undefined} timezone @param {boolean} [seconds] */
export function timeOf(moment, timezone, seconds = false) {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return '';
  const dated = Math.abs(Date.now() - date.getTime()) > 86_400_000, key = `${index}${timezone}${seconds}${dated}`;
  let format = formats.get(key);
  if (!format) {
    /** @type {Intl.DateTimeFormatOptions} */
    const options = { timeZone: timezone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
    if (seconds) options.second = '2-digit';
    if (dated) Object.assign(options, { month: '2-digit', day: '2-digit' });
    format = new Intl.DateTimeFormat(index === 0 ? 'zh-CN' : 'en-GB', options);
    formats.set(key, format);
  }
  return format.format(date);
}
