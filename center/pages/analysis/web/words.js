// @ts-check
// The words of the analysis page.

import { addTexts } from '/static/common/i18n.js';

addTexts({
  anTitle: ['统计分析', 'Analysis'], anPeriod: ['时段', 'Period'], anToday: ['今日', 'Today'], an7: ['近 7 天', '7 days'], an30: ['近 30 天', '30 days'], anCustom: ['自定义', 'Custom'],
  anFrom: ['从', 'From'], anTo: ['到', 'To'], anFigures: ['运行指标', 'Figures'], anSpots: ['高发点位', 'Hot spots'], anRatings: ['部门评价', 'Department ratings'], anQuality: ['报警质量', 'Alarm quality'],
  anParts: ['内容', 'Parts'], anBy: ['分组', 'Grouped by'], by_utility: ['责任单位', 'Department'], by_grid: ['网格', 'Grid'], by_kind: ['类别', 'Kind'], by_worker: ['网格员', 'Worker'], by_district: ['片区', 'District'], by_time: ['时间', 'Time'],
  fReported: ['上报', 'Reported'], fFiled: ['立案', 'Filed'], fClosed: ['结案', 'Closed'], fDue: ['应结案', 'Due'], fOnTime: ['按期结案率', 'Closed on time'], fDisposed: ['按期处置率', 'Disposed on time'],
  fResponse: ['平均响应', 'First response'], fDisposal: ['平均处置', 'Disposal'], fRework: ['返工率', 'Rework'], fReturn: ['回退率', 'Returned'], fSatisfaction: ['满意度', 'Satisfaction'], fScore: ['网格评分', "Grid's verdict"], fClosing: ['结案率', 'Closing rate'],
  hResponse: ['从立案到有人接单；悬停看中位数与九成', 'From filing until somebody accepts'], hOnTime: ['按期结案 ÷（应结案 − 缓办）', 'Closed on time ÷ (due − deferred)'], hDue: ['时限在本时段内到期的工单', 'Tickets whose time to close ended in the period'],
  hScore: ['网格对部门处置的评价，1—5 分', 'What grids say of the work, 1 to 5'], fTotal: ['合计', 'Total'], fName: ['名称', 'Name'],
  anTrend: ['趋势', 'Trend'], anMeasure: ['曲线', 'Curve'], anStep_hour: ['按小时', 'by hour'], anStep_day: ['按天', 'by day'], anStep_week: ['按周', 'by week'], anStep_month: ['按月', 'by month'],
  anTickets: ['查看工单', 'Show tickets'], anHalf: ['中位', 'median'], anNine: ['九成在', '90 % within'],
  spWhere: ['点位', 'Place'], spTimes: ['次数', 'Times'], spFirst: ['首次', 'First'], spLast: ['最近', 'Last'], spTicketsCol: ['工单', 'Tickets'], spText: ['同一窗口、管段、线路区段或设备在本时段内反复发生。已标为误报的不计。', 'The same window, pipe, span or device again and again in the period. What was marked as a false alarm does not count.'],
  spNone: ['本时段内没有反复发生的点位。', 'Nothing happened twice in one place in this period.'], spMap: ['地图', 'Map'],
  raDept: ['责任单位', 'Department'], raN: ['评价数', 'Verdicts'], raMean: ['均分', 'Mean'], raSatisfied: ['4 分及以上', '4 and more'], raResidents: ['居民满意度', "Residents' score"], raBest: ['评价最高的网格', 'Best in'], raWorst: ['评价最低的网格', 'Worst in'],
  raText: ['网格对各部门处置工单的评价（网格评部门）：有人评分以人为准，否则按时限自动评分，1—5 分。点开看各网格。', 'What grids say of the departments\u2019 work on their tickets: a person\u2019s verdict, else one by the times kept, 1 to 5. Open one to see it by grid.'], raByGrid: ['各网格评价', 'By grid'],
  quText: ['每类报警中属实的比例。有标注的以标注为准；没有标注但已处置结案的视为属实；其余未判，不计入。区间为 95%（Wilson）。', 'How many alarms of a kind were right. A label decides; without one, closed work speaks for the alarm; the others are not judged and not counted. 95 % interval (Wilson).'],
  quAlarms: ['报警', 'Alarms'], quRight: ['属实', 'Right'], quSaid: ['标注属实', 'said so'], quWorked: ['处置结案', 'work closed'], quFalse: ['误报', 'False'], quOpen: ['未判', 'Not judged'], quMissed: ['漏报', 'Missed'], quPrecision: ['准确率', 'Precision'], quInterval: ['95% 区间', '95 % interval'],
  quKinds: ['按类别', 'By kind'], quDevices: ['按设备', 'By device'], quLabels: ['标注记录', 'Labels'], quEvents: ['查看报警', 'Show alarms'], quExport: ['导出标注（JSONL）', 'Export labels (JSONL)'], quMissedAdd: ['登记漏报', 'Report a missed one'],
  quNotRight: ['误报…', 'False alarm…'], quIsRight: ['属实', 'It was so'], quTakeBack: ['撤回', 'Take back'], quBecause: ['实际是', 'It was'], quWho: ['标注人', 'By'], quJudge: ['报警判定', 'Was the alarm right?'], quVerdict: ['判定', 'Verdict'], quWithdrawn: ['已撤回', 'taken back'], quNewer: ['已被新标注替代', 'replaced'],
  v_true: ['属实', 'Right'], v_false: ['误报', 'False alarm'], v_missed: ['漏报', 'Missed'], quWhat: ['实际是什么？', 'What was it?'], quDone: ['已标注，将用于改进检测', 'Noted: it helps the detector'], quBack: ['已撤回', 'Taken back'],
  quMissedWhen: ['发生时间', 'When it happened'], quMissedDevice: ['应当发现的设备编号', 'Device that should have noticed'], quFewer: ['仅显示前 200 台；导出有全部', 'The first 200; the export has all'],
});
