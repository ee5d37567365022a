// @ts-check
// The words of administration.

import { addTexts } from '/static/common/i18n.js';

addTexts({
  adTitle: ['系统管理', 'Administration'], adParts: ['内容', 'Parts'], adDevices: ['设备', 'Devices'], adLetters: ['异常消息', 'Dead letters'], adHolds: ['静默与施工', 'Silences and works'], adCity: ['城市数据', 'City data'],
  d_all: ['全部', 'All'], d_silent: ['失联', 'Silent'], d_faulty: ['故障', 'Faulty'], d_offline: ['离线', 'Offline'], d_degraded: ['受限', 'Degraded'], d_unheard: ['未收到数据', 'Never heard'], d_learning: ['学习中', 'Learning'], d_ok: ['正常', 'Well'],
  dDevice: ['设备', 'Device'], dType: ['类型', 'Type'], dState: ['状态', 'State'], dLast: ['最近数据', 'Last heard'], dEvery: ['上报周期', 'Reports every'], dLearns: ['学习状态', 'Learning'], dWhy: ['说明', 'Why'], dOwner: ['权属', 'Owner'], dDistrict: ['片区', 'District'], dSite: ['站点', 'Site'],
  dSearch: ['编号、类型、权属…', 'Id, type, owner …'], dSince: ['自', 'since'], dUntil: ['学习至', 'until'], dNext: ['下一页', 'Next page'], dFirst: ['回到第一页', 'First page'], dOf: ['共', 'of'], dReadings: ['读数', 'readings'],
  dLearnText: ['学习状态按首次收到数据的时间与检测方法的学习时长推算。', 'Worked out from when a device was first heard and how long each detector learns.'],
  lWhat: ['原因', 'Reason'], lTopic: ['主题', 'Topic'], lSize: ['大小', 'Size'], lState: ['处理', 'State'], lRetry: ['重试', 'Try again'], lRetryAll: ['重试所选', 'Try the chosen again'], lShow: ['查看内容', 'Show content'], lDownload: ['下载', 'Download'], lCut: ['仅显示开头', 'only the beginning'],
  l_new: ['未处理', 'New'], l_cut: ['不完整，无法重试', 'Cut: cannot be tried'], l_waiting: ['等待处理', 'Waiting'], l_failed: ['重试后仍失败', 'Failed again'], l_done: ['已重新处理', 'Worked through'], l_registered: ['自动接收中', 'Being taken up'], l_unregistered: ['待登记设备', 'Register the device'],
  lText: ['无法处理的消息及原因。修正设备配置或城市数据后可重试：消息以自带的时间重新进入处理流程，重复点击不会重复处理。', 'Messages that could not be taken, and why. Once the device or the city\u2019s data is mended they can be tried again: with the times they carry, and only once however often you click.'],
  lNone: ['没有异常消息。', 'No dead letters.'], lAllCodes: ['全部原因', 'All reasons'], lBytes: ['字节', 'bytes'], lAgain: ['新记录', 'new one'], lForm_text: ['文本', 'Text'], lForm_bytes: ['二进制', 'Bytes'], lTried: ['已送入处理', 'Given to the intake'],
  hSilences: ['静默', 'Silences'], hWorks: ['计划施工', 'Planned works'], hScope: ['范围', 'What'], hUntil: ['至', 'Until'], hFrom: ['自', 'From'], hBy: ['设置人', 'By'], hLift: ['解除', 'Lift'], hEnd: ['提前结束', 'End now'], hTakeOut: ['取消', 'Take out'], hNewSilence: ['新建静默', 'New silence'], hNewWork: ['新建施工计划', 'New planned works'],
  hSilenceText: ['静默期内不派工单；事件与报警照常记录。到期自动结束，仍在发生的会立即派单。', 'No tickets go out meanwhile; events are kept as ever. It ends by itself, and what still goes on gets its ticket then.'], hWorksText: ['计划施工范围内的相应报警不派单，施工结束后自动恢复。', 'What planned works explain gets no ticket until they are over.'],
  w_on: ['进行中', 'On'], w_to_come: ['未开始', 'To come'], w_over: ['已结束', 'Over'], hKinds: ['类别', 'Kinds'], hSites: ['设备或线路（逗号分隔）', 'Devices or lines (comma-separated)'], hGrid: ['网格编号', 'Grid id'], hId: ['编号', 'Id'], hStart: ['开始', 'Start'], hStop: ['结束', 'End'], hLon: ['经度', 'Longitude'], hLat: ['纬度', 'Latitude'], hRadius: ['半径（米）', 'Radius (m)'], hAssets: ['设施编号（逗号分隔）', 'Assets (comma-separated)'],
  hWorkKind: ['性质', 'Sort'], hOver: ['显示已结束的', 'Also those over'], hMade: ['已设置', 'Made'], hEnded: ['已结束', 'Ended'], hExpired: ['到期', 'expired'],
  cText: ['上传一个或多个数据文件（CSV、GeoJSON、TOML，或整个目录的 ZIP）。先核对会改变什么，确认后一次性生效，原数据自动备份。', 'Send one or more files (CSV, GeoJSON, TOML, or a ZIP of the whole folder). First see what would change; then all of it takes effect at once, and the city as it was is kept.'],
  cChoose: ['选择文件', 'Choose files'], cPreview: ['核对变化', 'See what would change'], cApply: ['确认生效', 'Make it so'], cFiles: ['文件', 'File'], cDownload: ['下载现有数据（ZIP）', 'Download the data (ZIP)'], cProblems: ['须先更正', 'To be mended first'], cWhere: ['位置', 'Where'], cFound: ['现值', 'Found'], cAllowed: ['允许', 'Allowed'], cWarnings: ['提示', 'Warnings'], cChanges: ['将要发生的变化', 'What would change'],
  cWhat: ['数据', 'Data'], cBefore: ['现有', 'Now'], cAfter: ['之后', 'After'], cAdded: ['新增', 'Added'], cRemoved: ['移除', 'Gone'], cChanged: ['变更', 'Changed'], cDetails: ['明细', 'Details'], cNothing: ['没有任何变化。', 'Nothing would change.'], cApplied: ['已生效，数秒内更新', 'It is so; the service takes it up within seconds'], cBackup: ['备份', 'Backup'], cReading: ['正在核对…', 'Reading …'], cDrop: ['或将文件拖到此处', 'or drop files here'], cNow: ['现有文件', 'Files now'], cMoment: ['修改时间', 'Changed'], cFirst: ['列出前 200 项', 'the first 200'],
  f_new: ['新文件', 'New'], f_changed: ['有变化', 'Changed'], f_same: ['相同', 'Same'], f_not_known: ['不属于城市数据', 'Not of a city folder'], f_removed: ['移除', 'Gone'],
  x_grids: ['网格', 'Grids'], x_devices: ['设备', 'Devices'], x_workers: ['网格员', 'Workers'], x_utilities: ['责任单位', 'Departments'], x_rules: ['派单规则', 'Rules'], x_resources: ['应急资源', 'Resources'], x_works: ['计划施工', 'Planned works'], x_cameras: ['摄像头标定', 'Cameras'], 'x_drain nodes': ['排水节点', 'Drain nodes'], x_pipes: ['管段', 'Pipes'], x_poles: ['杆塔', 'Poles'], x_spans: ['线路区段', 'Spans'], x_fibres: ['光缆', 'Fibres'], x_kinds: ['事件类别', 'Kinds'], x_city: ['城市', 'City'],
  adSure: ['确定？', 'Are you sure?'],
});
