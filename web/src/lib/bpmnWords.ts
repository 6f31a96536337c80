// Library: what the drawing tools of bpmn.io say, in Chinese. A word that is not here stays English.
const zh: Record<string, string> = {
  'Activate create/remove space tool': '增减空间', 'Activate global connect tool': '连线', 'Activate hand tool': '移动画布', 'Activate lasso tool': '框选',
  'Add text annotation': '添加注释', 'Align elements': '对齐', 'Append end event': '追加结束事件', 'Append gateway': '追加网关', 'Append intermediate/boundary event': '追加中间事件',
  'Append task': '追加任务', 'Append {type}': '追加', 'Append message intermediate catch event': '追加消息事件', 'Append timer intermediate catch event': '追加定时事件', 'Append signal intermediate catch event': '追加信号事件',
  'Append conditional intermediate catch event': '追加条件事件', 'Append receive task': '追加接收任务', 'Change element': '更改类型', 'Change type': '更改类型', 'Connect to other element': '连接到其他元素',
  'Connect using association': '以关联连接', 'Create data object reference': '数据对象', 'Create data store reference': '数据存储', 'Create end event': '结束事件', 'Create expanded sub-process': '子流程', 'Create gateway': '网关',
  'Create group': '分组', 'Create intermediate/boundary event': '中间或边界事件', 'Create pool/participant': '泳池', 'Create start event': '开始事件', 'Create task': '任务', 'Delete': '删除', 'Search in diagram': '在图中查找',
  'User task': '人工任务', 'Service task': '服务任务', 'Business rule task': '规则任务', 'Script task': '脚本任务', 'Manual task': '手工任务', 'Send task': '发送任务', 'Receive task': '接收任务', 'Call activity': '调用其他流程', 'Task': '任务',
  'Exclusive gateway': '排他网关', 'Parallel gateway': '并行网关', 'Inclusive gateway': '包容网关', 'Event-based gateway': '事件网关', 'Sequence flow': '顺序流', 'Default flow': '缺省流', 'Conditional flow': '条件流',
  'Start event': '开始事件', 'End event': '结束事件', 'Intermediate throw event': '中间事件', 'Boundary event': '边界事件', 'Event sub-process': '事件子流程',
  'Message start event': '消息开始事件', 'Timer start event': '定时开始事件', 'Conditional start event': '条件开始事件', 'Signal start event': '信号开始事件', 'Error start event': '错误开始事件', 'Escalation start event': '升级开始事件', 'Compensation start event': '补偿开始事件',
  'Message start event (non-interrupting)': '消息开始事件（不中断）', 'Timer start event (non-interrupting)': '定时开始事件（不中断）', 'Conditional start event (non-interrupting)': '条件开始事件（不中断）', 'Signal start event (non-interrupting)': '信号开始事件（不中断）', 'Escalation start event (non-interrupting)': '升级开始事件（不中断）',
  'Message intermediate catch event': '等待消息', 'Timer intermediate catch event': '定时等待', 'Conditional intermediate catch event': '等待条件', 'Signal intermediate catch event': '等待信号', 'Message intermediate throw event': '发出消息', 'Signal intermediate throw event': '发出信号', 'Escalation intermediate throw event': '升级', 'Compensation intermediate throw event': '补偿',
  'Message boundary event': '消息边界事件', 'Timer boundary event': '定时边界事件', 'Conditional boundary event': '条件边界事件', 'Signal boundary event': '信号边界事件', 'Error boundary event': '错误边界事件', 'Escalation boundary event': '升级边界事件', 'Compensation boundary event': '补偿边界事件',
  'Message boundary event (non-interrupting)': '消息边界事件（不中断）', 'Timer boundary event (non-interrupting)': '定时边界事件（不中断）', 'Conditional boundary event (non-interrupting)': '条件边界事件（不中断）', 'Signal boundary event (non-interrupting)': '信号边界事件（不中断）', 'Escalation boundary event (non-interrupting)': '升级边界事件（不中断）',
  'Message end event': '消息结束事件', 'Signal end event': '信号结束事件', 'Error end event': '错误结束事件', 'Escalation end event': '升级结束事件', 'Compensation end event': '补偿结束事件', 'Terminate end event': '终止结束事件',
  'Sub-process (collapsed)': '子流程（收起）', 'Sub-process (expanded)': '子流程（展开）', 'Parallel multi-instance': '并行多实例', 'Sequential multi-instance': '顺序多实例', 'Loop': '循环', 'Search': '查找',
};

/** A word of the tools in the language of the reader, `{blanks}` filled. */
export function toolWord(lang: 'zh' | 'en', template: string, fill: Record<string, string> = {}): string {
  const text = lang === 'zh' ? (zh[template] ?? template) : template;
  return text.replace(/\{([^}]+)\}/g, (blank, name: string) => fill[name] ?? blank);
}
