// @ts-check
// The desk's own words; panels bring theirs.

import { addTexts } from '/static/common/i18n.js';

addTexts({
  acknowledge: ['知悉', 'Acknowledge'], ackShort: ['知悉', 'Ack'], by_router: ['系统派单', 'dispatcher'], by_center: ['指挥中心', 'center'], by_sensor: ['传感器', 'sensor'], unheard: ['未知悉', 'Unheard'], knownTo: ['已知悉', 'Known to'], knownUntil: ['有效至', 'until'], pick: ['选择', 'Choose'],
  bulkAll: ['全部知悉（{n}）', 'Acknowledge all shown ({n})'], bulkPicked: ['知悉所选（{n}）', 'Acknowledge chosen ({n})'], bulkDone: ['已知悉 {n} 件', '{n} acknowledged'],
  askAll: ['将列表中 {n} 件未知悉的工单全部标为知悉？', 'Acknowledge all {n} unheard tickets that the list shows?'], askPicked: ['将所选 {n} 件工单标为知悉？', 'Acknowledge the {n} chosen tickets?'],
  deviceHistory: ['查看历史读数', 'Show its history'], part: ['子工单', 'part'], reading: ['正在读取工单…', 'Reading the tickets…'], search: ['搜索地点、人员、编号（/）', 'Search place, people, id (/)'], csv: ['导出 CSV', 'CSV'], clearFilters: ['清除筛选', 'Clear filters'],
  allStages: ['全部阶段', 'All stages'], allGrids: ['全部网格', 'All grids'], allUtilities: ['全部责任单位', 'All utilities'], mine: ['我经办', 'Mine'],
  resumed: ['已重新连接，补收 {n} 条变更', 'Connected again, {n} changes caught up'],
  callTitle: ['拨打电话，并记入工单', 'Call; it is noted on the ticket'], noPosition: ['无定位', 'no position'], positionOf: ['定位', 'position'], mergeHint: ['也可在列表或地图上点选目标工单', 'Or click the ticket in the list or on the map'],
  keyNext: ['下一件', 'Next'], keyPrevious: ['上一件', 'Previous'], keyOpen: ['打开', 'Open'], keyBulk: ['知悉所选或全部所列', 'Acknowledge chosen, or all shown'], keyUnheard: ['只看未知悉', 'Only unheard'], keyOverdue: ['只看超时', 'Only overdue'],
  keySend: ['改派他人', 'Send somebody else'], keyHelp: ['请求支援', 'Ask for a helper'], keyCall: ['致电责任单位', 'Call the utility'], keyUtility: ['增派责任单位', 'Add a utility'], keyUrge: ['督办', 'Urge (督办)'], keyMerge: ['合并', 'Merge'], keyVoid: ['作废', 'Void'],
  keyStep: ['办理下一步', 'Take the next step'], keyPlay: ['播放或暂停视频', 'Play or pause the clip'], keyBuilding: ['楼栋视图', 'Building view'], keyMap: ['地图', 'The map'], keyMute: ['本机静音', 'Mute here'], keyLanguage: ['切换语言', 'Language'], keyEscape: ['关闭', 'Close'],
});
