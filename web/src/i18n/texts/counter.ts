// Words of applying for somebody at a counter or on the hotline, and of tasks that belong to an application.
import type { Pair } from '../lang';

export const counter = {
  'counter.title': ['代办申请', 'Apply for somebody'],
  'counter.sub': ['窗口或热线人员为来人填写；已有的信息自动带出，材料能免的免。', 'Written by a clerk for who comes or calls; what the city has is filled in.'],
  'counter.no_may': ['您的角色不能代办申请；可请管理员授予窗口受理角色。', 'Your roles may not apply for others; ask the operator for the role of a clerk.'],
  'counter.step_item': ['1. 选择事项', '1. Choose the item'], 'counter.step_who': ['2. 申请人', '2. Who applies'],
  'counter.find': ['查找事项', 'Find an item'], 'counter.find_help': ['名称或俗称，如 开饭店', 'Its name, or what people say'],
  'counter.none': ['没有找到，换个说法试试。', 'Nothing found; try other words.'],
  'counter.closed': ['此事项不在窗口、热线或自助终端办理', 'Not handled at a counter, on the hotline or at a terminal'],
  'counter.item': ['事项：', 'Item:'], 'counter.channel': ['办理渠道', 'Channel'], 'counter.document': ['证件类型', 'Document'], 'counter.number': ['证件号码', 'Number of the document'],
  'counter.name': ['姓名', 'Name'], 'counter.name_legal': ['单位名称', 'Name of the organisation'], 'counter.mobile': ['联系手机', 'Mobile number'], 'counter.mobile_help': ['用于接收办理进度', 'For messages about the progress'],
  'counter.seen': ['身份核验方式', 'How the identity was checked'], 'counter.seen_help': ['例如：核对身份证原件，人证一致', 'Such as: identity card seen, same person'], 'counter.seen_hotline': ['例如：来电号码与预留一致，核对证件后四位', 'Such as: number of the caller known, last digits of the document asked'],
  'counter.need_number': ['请填写证件号码', 'Enter the number of the document'], 'counter.need_name': ['请填写姓名或名称', 'Enter the name'], 'counter.need_seen': ['请写明怎样核验身份（2 至 100 字）', 'Say how the identity was checked (2 to 100 characters)'],
  'counter.begin': ['开始填写', 'Begin'],
  'counter.for': ['申请人：{name}（{number}）', 'Applicant: {name} ({number})'],
  'counter.saved_at': ['已保存 {at}', 'Saved {at}'], 'counter.saving': ['正在保存…', 'Saving…'], 'counter.not_saved': ['未能保存，内容仍在页面上：{why}', 'Not saved; what you typed is still here: {why}'],
  'counter.add_file': ['添加文件：{title}', 'Add files: {title}'], 'counter.remove_file': ['去掉文件 {name}', 'Remove {name}'], 'counter.uploading': ['正在上传 {share}', 'Uploading {share}'], 'counter.follows': ['申请人承诺后补（容缺受理）', 'The applicant promises to supply it later'],
  'counter.delivery': ['结果领取方式', 'How the result comes'], 'counter.post_name': ['收件人', 'Name of the recipient'], 'counter.post_mobile': ['收件人手机', 'Mobile number of the recipient'], 'counter.post_address': ['收件地址', 'Address'],
  'counter.fees': ['应缴费用 {sum}', 'Fees: {sum}'],
  'counter.submit': ['提交申请', 'Hand in'], 'counter.discard': ['放弃', 'Give up'],
  'counter.receipt': ['收件凭证', 'Receipt'], 'counter.handed_in': ['已提交', 'Handed in'], 'counter.receipt_of': ['收件凭证：{title}', 'Receipt: {title}'],
  'counter.check': ['查询码', 'Check code'], 'counter.received_by': ['收件单位', 'Received by'], 'counter.answer_by': ['最迟答复', 'Answered by'],
  'counter.next': ['凭办件编号和查询码可在网上查询进度，无需登录。', 'Number and check code show the progress on line without signing in.'],
  'counter.print': ['打印', 'Print'], 'counter.open': ['打开办件', 'Open the application'], 'counter.another': ['再办一件', 'Another one'],

  'task_form.opinion_title': ['办理意见', 'What is decided'],
  'task_form.application': ['申请', 'Application'],
  'task_form.open': ['打开申请', 'Open the application'],
  'task_form.standard': ['标准表单“{form}”', 'Standard form “{form}”'],
  'task_form.own': ['事项表单“{form}”', 'Form of the item: “{form}”'],
  'task_form.not_known': ['读不到申请（您可能没有权限），按办件数据显示。', 'The application cannot be read (you may lack the right); the data of the case are shown.'],
} as const satisfies Record<string, Pair>;
