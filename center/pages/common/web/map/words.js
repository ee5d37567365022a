// @ts-check
// The map's own words.

import { addTexts } from '../i18n.js';

addTexts({
  mapName: ['地图', 'Map'], mapKeys: ['方向键移动，加减号缩放，0 键看全图', 'Arrow keys move, plus and minus zoom, 0 shows the whole city'],
  mapIn: ['放大', 'Zoom in'], mapOut: ['缩小', 'Zoom out'], mapFit: ['全图', 'Whole city'],
  mapWorker: ['网格员', 'Workers'], mapDevice: ['设备', 'Devices'], mapSilent: ['设备失联', 'Silent devices'], mapDrain: ['排水', 'Drains'], mapSpan: ['线路', 'Lines'], mapFibre: ['光缆', 'Fibre'],
  mapMany: ['张工单', 'tickets'], mapWorst: ['最高', 'worst'], mapOver: ['超时', 'overdue'], mapApart: ['放大查看', 'zoom in to tell them apart'], mapNext: ['同一地点，逐一打开', 'one place, opens them in turn'],
  mapHeard: ['在线', 'online'], mapUnheard: ['失联', 'silent'], mapNever: ['尚无数据', 'never heard'],
  mapLegend: ['图例', 'Legend'], mapFailed: ['地图数据暂不可用', 'Map data is away'],
});
