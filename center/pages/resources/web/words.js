// @ts-check
// The words of the resources page.

import { addTexts } from '/static/common/i18n.js';

addTexts({
  rsTitle: ['应急资源', 'Emergency resources'], rsMap: ['应急资源一张图', 'Map of resources'], rsList: ['资源清单', 'Resources'], rsAll: ['全部', 'All'], rsSort: ['种类', 'Sort'], rsState: ['状态', 'State'],
  s_free: ['在库', 'In store'], s_some: ['部分领用', 'Some out'], s_out: ['全部领用', 'All out'], rsLeft: ['可用', 'left'], rsOf: ['共', 'of'], rsSend: ['调拨…', 'Send …'], rsBack: ['归还', 'Bring back'], rsWith: ['领用', 'taken'],
  rsNear: ['距此处由近到远', 'Nearest to this place'], rsNearHint: ['在地图上点一处，按距离排列', 'Click the map: the nearest first'], rsClear: ['取消', 'Clear'], rsFind: ['名称、权属…', 'Name, owner …'], rsNone: ['没有符合的资源。', 'No such resource.'], rsEmpty: ['城市数据中没有应急资源（resources.csv）。', 'The city has no resources (resources.csv).'],
  rsWhich: ['调拨给哪张工单', 'For which ticket'], rsCount: ['数量', 'How many'], rsNoTicket: ['没有未结工单。', 'No open tickets.'], rsSent: ['已调拨', 'Sent'], rsBrought: ['已归还', 'Back'], rsFar: ['距离', 'Away'], rsSince: ['自', 'since'], rsHidden: ['其他辖区领用', 'out elsewhere'], rsOwner: ['权属', 'Owner'],
});
