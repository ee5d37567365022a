// @ts-check
// The words of the handover page.

import { addTexts } from '/static/common/i18n.js';

addTexts({
  shTitle: ['交接班', 'Shift handover'], shOn: ['当前值班', 'On duty now'], shNext: ['接下来值班', 'Next on duty'], shOpen: ['未结事项', 'Open matters'], shHeld: ['静默中', 'Held back'], shAlways: ['全天', 'always'], shUntil: ['至', 'until'], shFrom: ['自', 'from'], shNobody: ['无人', 'Nobody'],
  shOpenN: ['未结', 'Open'], shOver: ['超时', 'Overdue'], shSevere: ['较重以上', 'Severe'], shSilent: ['失联设备', 'Silent devices'], shFaulty: ['故障设备', 'Faulty devices'], shHeldN: ['静默', 'Silences'],
  shMatter: ['事项', 'Matter'], shSince: ['开始', 'Since'], shWaits: ['等待', 'Waits for'], shWho: ['责任人', 'With'], shDue: ['时限', 'Due'], shLast: ['最近进展', 'Last step'], shCenter: ['指挥中心', 'The center'],
  ws_dispatch: ['派遣', 'being sent'], ws_accept: ['接单', 'acceptance'], ws_arrive: ['到场', 'arrival'], ws_dispose: ['处置', 'disposal'], ws_verify: ['核实', 'verification'], ws_close: ['结案', 'closing'], ws_resume: ['恢复办理', 'going on'],
  shMake: ['交班', 'Hand over'], shNotes: ['交班说明', 'Notes for the next shift'], shNotesHint: ['需要接班人注意的事项、口头约定、外部来电…', 'What the next shift must know, what was agreed by word, who called …'], shLeaving: ['交班人', 'Leaving'], shComing: ['接班人', 'Coming'], shTake: ['接班签收', 'Take over'], shRemarks: ['接班意见', 'Remarks'],
  shWaitsText: ['交班待签收', 'A handover waits to be signed'], shMadeBy: ['交班人', 'by'], shBefore: ['交接记录', 'Earlier handovers'], shShow: ['查看', 'Show'], shSigned: ['已签收', 'Signed'], shNot: ['待签收', 'Not signed yet'], shNow: ['回到当前', 'Back to now'], shAt: ['交班时', 'As of'], shDone: ['已交班', 'Handed over'], shTaken: ['已接班', 'Taken over'], shNone: ['没有未结事项。', 'Nothing is open.'], shMany: ['仅列最急的', 'the most urgent'],
});
