// Walk: the one window from the desk. A clerk applies for somebody at the counter, accepts it, and the
// approver decides; a resident's application is sent back once with everything that is missing, then
// refused with a letter; a construction permit goes through the departments, is displayed and heard
// with its clock stopped, and is refused; an official publishes an item from nothing by pages only, a
// resident finds it and hands it in, and it is rolled back.
import { readFileSync } from 'node:fs';
import { bearer, resident } from './parties.mjs';

const must = (holds, what) => {
  if (!holds) throw new Error(what);
};
const seen = async (page, locator, what) => {
  await page.locator(locator).first().waitFor().catch(() => { throw new Error(`${what}: ${locator} did not appear`); });
};
const ask = (page, base, path) => page.evaluate(async (url) => (await fetch(url)).json(), `${base}/api/v1${path}`);

/** A call of the API as the person of this page, as the page itself would make it. */
async function call(page, base, method, path, body, headers = {}) {
  const answer = await page.evaluate(async ([url, verb, given, more]) => {
    const made = await fetch(url, { method: verb, headers: { 'Content-Type': 'application/json', 'X-CSRF': '1', 'Idempotency-Key': crypto.randomUUID(), ...more }, body: given === undefined ? undefined : JSON.stringify(given) });
    const text = await made.text();
    return { status: made.status, body: text ? JSON.parse(text) : null };
  }, [`${base}/api/v1${path}`, method, body, headers]);
  must(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 600)}`);
  return answer.body;
}

function passwordOf(account) {
  const given = process.env.ACCOUNTS ?? '{}';
  const read = JSON.parse(given.trim().startsWith('{') ? given : readFileSync(given, 'utf8'));
  const list = Array.isArray(read) ? read : (read.accounts ?? read);
  const known = Array.isArray(list) ? list.find((a) => (a.name ?? a.account) === account) : list[account];
  return typeof known === 'string' ? known : known?.password;
}

/** Another person in a browser of their own, signed in. */
async function person(page, base, account) {
  const context = await page.context().browser().newContext({ locale: 'zh-CN', reducedMotion: 'reduce', viewport: { width: 1280, height: 900 } });
  const own = await context.newPage();
  own.setDefaultTimeout(20_000);
  await own.goto(`${base}/sign-in`);
  await own.locator('input[name=account]').fill(account);
  await own.locator('input[name=password]').fill(passwordOf(account));
  await own.keyboard.press('Enter');
  await own.locator('details.user').waitFor();
  return own;
}

/** Somebody who registered and is proven; on the stand-in (tests/fixture), which registers nobody, its resident. */
async function applicant(page, base, serial) {
  if (process.env.WALK_FIXTURE) return person(page, base, 'resident');
  const own = await (await page.context().browser().newContext({ locale: 'zh-CN' })).newPage();
  own.setDefaultTimeout(20_000);
  await resident(own, base, await bearer(own, base, 'operator'), serial);
  return own;
}

const PDF = Buffer.from('%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>endobj\nxref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n0000000053 00000 n \n0000000102 00000 n \ntrailer<</Size 4/Root 1 0 R>>\nstartxref\n164\n%%EOF\n');
const upload = (page, base, about, material, name = '走查材料.pdf') => page.evaluate(async ([url, bytes]) => {
  const answer = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/pdf', 'X-CSRF': '1', 'Idempotency-Key': crypto.randomUUID() }, body: new Uint8Array(bytes) });
  if (!answer.ok) throw new Error(`upload: ${answer.status} ${(await answer.text()).slice(0, 300)}`);
}, [`${base}/api/v1/uploads/${about}/${material}?name=${encodeURIComponent(name)}`, [...PDF]]);

/** Hands in a draft by calls: answers, a file at every required material the city has not, delivery. */
async function handIn(page, base, draft, answers, delivery = { way: 'electronic' }) {
  await call(page, base, 'PATCH', `/drafts/${draft.id}`, { answers, delivery });
  const filled = await ask(page, base, `/drafts/${draft.id}`);
  for (const m of filled.materials.filter((x) => x.required && !x.answered_by && !x.files.length)) await upload(page, base, draft.id, m.name);
  return call(page, base, 'POST', `/drafts/${draft.id}/submit`);
}

const button = (page, name) => page.locator('main').getByRole('button', { name, exact: true });
const modal = (page) => page.locator('.ant-modal:visible, .ant-drawer:visible').last();
const confirm = async (page) => {
  await modal(page).locator('.ant-modal-footer .ant-btn-primary').click();
};
const told = (page, text) => page.locator('.ant-message').getByText(text).first().waitFor();

/** Answers one field of a form drawn from a schema. */
async function answer(page, name, value) {
  const field = page.locator(`main [data-field="${name}"]`);
  if (typeof value === 'boolean') await field.getByText(value ? '是' : '否', { exact: true }).click();
  else if (await field.locator('input[type=radio], input[type=checkbox]').count()) await field.locator(`input[value="${value}"]`).check();
  else if (await field.locator('select').count()) await field.locator('select').selectOption({ label: String(value) });
  else await field.locator('input, textarea').first().fill(String(value));
}

/** Finds the application in its queue by its number and opens it. */
async function openMatter(page, base, number, queue = 'submitted') {
  await page.goto(`${base}/desk/intake?queue=${queue}&text=${encodeURIComponent(number)}`);
  await page.locator('main tbody').getByRole('link', { name: number }).click();
  await page.waitForURL(/\/desk\/applications\/.+/);
  await page.getByRole('region', { name: '可办操作' }).waitFor();
}

/** Takes one open task of a case that this person may take and completes it with these answers; false when there is none. */
async function doTask(page, base, number, answers) {
  const { items } = await ask(page, base, `/tasks?text=${encodeURIComponent(number)}`);
  if (!items.length) return false;
  await page.goto(`${base}/desk/tasks/${encodeURIComponent(items[0].id)}`);
  const decide = page.getByRole('region', { name: '办理意见' });
  await decide.waitFor();
  await page.getByRole('region', { name: '申请', exact: true }).waitFor();
  const claim = button(page, '签收');
  if (await claim.isEnabled()) { await claim.click(); await told(page, '签收'); }
  for (const [name, value] of Object.entries(answers)) await answer(page, name, value);
  await decide.getByRole('button', { name: '办结' }).click();
  await told(page, '办结');
  return true;
}

/** Waits until a question to the API is answered as wished. */
async function until(page, base, path, holds, what, rounds = 60) {
  for (let i = 0; i < rounds; i++) {
    const found = await ask(page, base, path);
    if (holds(found)) return found;
    await page.waitForTimeout(250);
  }
  throw new Error(`${what}: ${JSON.stringify(await ask(page, base, path)).slice(0, 500)}`);
}

const FOOD = { has_licence: false, premises: '走查路 1 号', area: 30, business: 'retail', items: '散装食品销售', online: false, responsible: '演示负责人', responsible_mobile: '13900000001', safety_manager: '演示管理员' };

/** The counter: every step by pages. */
async function atTheCounter(page, base) {
  await page.goto(`${base}/desk/apply?text=${encodeURIComponent('食品经营许可')}`);
  await page.locator('main .pick-item').filter({ hasText: '食品经营许可' }).first().click();
  await page.locator('main form button[type=submit]').click();
  await seen(page, 'main [aria-invalid=true]', 'a number is asked for');
  await page.locator('main input[name=number]').fill('130199199001010014');
  await page.locator('main input[name=name]').fill('赵芳');
  await page.locator('main input[name=mobile]').fill('13900000001');
  await page.locator('main input[name=seen]').fill('核对身份证原件，人证一致');
  await page.locator('main form button[type=submit]').click();
  await seen(page, 'main [data-field=premises]', 'the sheet');
  await button(page, '提交申请').click();
  await seen(page, 'main .fault-summary', 'what is missing');
  for (const [name, value] of Object.entries(FOOD)) await answer(page, name, value);
  await page.locator('main').getByText(/已保存/).first().waitFor();
  await page.getByLabel('添加文件：食品安全规章制度目录清单').setInputFiles({ name: '制度.pdf', mimeType: 'application/pdf', buffer: PDF });
  await page.getByText('制度.pdf').first().waitFor();
  await button(page, '提交申请').click();
  const receipt = page.getByRole('region', { name: '收件凭证' });
  await receipt.waitFor();
  const [number, check] = await receipt.locator('.receipt-number').allInnerTexts();
  must(/^\d{6}$/.test(check), `the check code is ${check}`);
  return number;
}

async function decided({ page, base, number, id = number, approver, yes }) {
  const done = await doTask(approver, base, number, yes ? { approved: true } : { approved: false, opinion: '走查：布局不符合要求' });
  must(done, 'the approver has no task of it');
  return until(page, base, `/service-applications/${encodeURIComponent(id)}`, (f) => f.application?.state === (yes ? 'approved' : 'refused'), 'the decision');
}

async function counter(page, base) {
  const number = await atTheCounter(page, base);
  await openMatter(page, base, number);
  // Something is missing; the applicant brings it to the counter.
  await button(page, '一次性告知补正').click();
  await modal(page).getByRole('checkbox', { name: '经营场所', exact: true }).check();
  await modal(page).locator('textarea').first().fill('请写明门牌号');
  await modal(page).getByRole('button', { name: '发出补正告知' }).click();
  await told(page, '一次性告知补正');
  await page.getByText('申请人来窗口补正，由我代办').click();
  await page.locator('main form[data-correct] [data-field=premises] input').fill('走查路 1 号 2 门');
  await page.locator('main form[data-correct] button[type=submit]').click();
  await told(page, '已补正');
  await page.waitForFunction(() => [...document.querySelectorAll('main button')].some((b) => b.textContent === '受理' && !b.disabled));
  await button(page, '受理').click();
  await confirm(page);
  await told(page, '受理');
  await page.getByRole('region', { name: '办理流程' }).locator('.drawing, .state, a').first().waitFor();
  must(await button(page, '受理').isDisabled(), 'it can be accepted twice');
  const approver = await person(page, base, 'approver');
  const file = await decided({ page, base, number, approver, yes: true });
  must(file.letters.some((l) => l.kind === 'acceptance'), 'there is no notice of acceptance');
  await approver.context().close();
}

/** What is missing is said once and whole; then it is refused, with its letter. */
async function correction(page, base) {
  const own = await applicant(page, base, 71);
  const draft = await call(own, base, 'POST', '/drafts', { item: 'food_business_permit', answers: {} });
  const { application } = await handIn(own, base, draft, FOOD);
  const clerk = await person(page, base, 'clerk');
  await openMatter(clerk, base, application.number);
  await button(clerk, '一次性告知补正').click();
  const drawer = modal(clerk);
  await drawer.getByRole('button', { name: '发出补正告知' }).click();
  await drawer.getByText('请至少勾选一项').waitFor();
  await drawer.getByRole('checkbox', { name: '经营场所', exact: true }).check();
  await drawer.getByRole('checkbox', { name: '食品安全规章制度目录清单' }).check();
  await drawer.locator('textarea').nth(0).fill('请写明门牌号');
  await drawer.locator('textarea').nth(1).fill('请补充进货查验制度');
  must((await drawer.getByRole('region', { name: '申请人将看到' }).innerText()).includes('请补充进货查验制度'), 'the preview does not show it');
  await drawer.getByRole('button', { name: '发出补正告知' }).click();
  await told(clerk, '一次性告知补正');
  const told1 = await until(own, base, `/service-applications/${application.id}`, (f) => f.application?.state === 'correction', 'the correction');
  must(told1.missing.length === 2 && told1.letters.some((l) => l.kind === 'correction'), 'not everything was told');
  // Half of it is not enough: the paper that was named must come too.
  const half = await call(own, base, 'POST', `/service-applications/${application.id}/own`, { verb: 'correct', answers: { premises: '走查路 1 号 3 门' }, note: '' }).catch((fault) => String(fault));
  must(String(half).includes('/materials/safety_rules'), `half a correction is taken: ${JSON.stringify(half)}`);
  await upload(own, base, application.id, 'safety_rules', '补正.pdf');
  await call(own, base, 'POST', `/service-applications/${application.id}/own`, { verb: 'correct', answers: { premises: '走查路 1 号 3 门' }, note: '' });
  await clerk.reload();
  await clerk.getByRole('region', { name: '可办操作' }).waitFor();
  // A second time nothing new can be asked for: the server says which point is new.
  await button(clerk, '一次性告知补正').click();
  await modal(clerk).getByText('已经一次性告知过').waitFor();
  await modal(clerk).getByRole('checkbox', { name: '经营项目', exact: true }).check();
  await modal(clerk).locator('textarea').first().fill('走查：新的要求');
  await modal(clerk).getByRole('button', { name: '发出补正告知' }).click();
  await modal(clerk).locator('.error-box').waitFor();
  await modal(clerk).getByRole('button', { name: '取消', exact: true }).click();
  await button(clerk, '受理').click();
  await confirm(clerk);
  await told(clerk, '受理');
  const approver = await person(page, base, 'approver');
  const refused = await decided({ page: own, base, number: application.number, id: application.id, approver, yes: false });
  must(refused.letters.some((l) => l.kind === 'refusal'), 'there is no letter of refusal');
  await clerk.reload();
  await clerk.getByRole('region', { name: '文书' }).getByText('不予许可决定书').waitFor();
  for (const p of [own, clerk, approver]) await p.context().close();
}

const BUILDING = { builder: '演示置业有限公司', project_code: '2026-130199-47-01-000001', project_name: '走查住宅楼', location: '桥西区演示街 9 号', point: '114.46,38.04', land_permit: '地字第130199202600001号', usage: 'residential', area: 12000, height: 54, floors: 18, underground: false, near_water: false, vehicle_entrance: false, neighbours: false, design_unit: '演示设计院', contact_name: '演示联系人', contact_mobile: '13900000002' };
/** Day of the city so many days from now. */
const day = (later) => new Date(Date.now() + 8 * 3600_000 + later * 86_400_000).toISOString().slice(0, 10);

/** Departments together, a display and a hearing that stop the clock, a refusal. */
async function construction(page, base) {
  const code = '91130199MA00000011';
  const draft = await call(page, base, 'POST', '/drafts', { item: 'construction_planning_permit', channel: 'counter', on_behalf: { holder: { document: 'credit_code', number: await creditCode(page, base, code), name: BUILDING.builder }, mobile: '13900000002', seen: '核对营业执照与授权书' }, answers: {} });
  const builder_code = draft.answers.builder_code ?? (await creditCode(page, base, code));
  const { application: { number, id } } = await handIn(page, base, draft, { ...BUILDING, builder_code }, { way: 'counter' });
  await openMatter(page, base, number);
  await button(page, '受理').click();
  await confirm(page);
  await told(page, '受理');
  const file = await until(page, base, `/service-applications/${id}`, (f) => f.application.case !== null, 'its case');
  const kase = `/cases/${file.application.case}`;
  const people = {};
  const by = async (account) => (people[account] ??= await person(page, base, account));
  const at = (node) => until(page, base, kase, (f) => f.tasks?.some((x) => x.node === node), `the step ${node}`, 120);
  const reviewers = ['planner', 'fire_reviewer', 'defence_reviewer', 'water_reviewer', 'transport_reviewer', 'police_clerk'].filter((a) => passwordOf(a));
  await at('joint_review');
  for (let round = 0; round < 3 && (await ask(page, base, kase)).tasks.some((x) => x.node === 'joint_review'); round++) {
    for (const account of reviewers) {
      const who = await by(account);
      for (let i = 0; i < 4; i++) {
        const { items } = await ask(who, base, `/tasks?text=${encodeURIComponent(number)}`);
        if (!items.some((x) => x.node === 'joint_review')) break;
        await doTask(who, base, number, { agreed: true, note: '符合要求' });
      }
    }
  }
  const planner = await by('planner');
  await at('summarise');
  await doTask(planner, base, number, { displayable: true });
  await at('display');
  await paused(page, base, kase, 'display', '公示');
  await doTask(planner, base, number, { display_from: day(0), display_to: day(7), objections: 2, hearing: true, hearing_reason: 'asked' });
  await at('hold_hearing');
  await paused(page, base, kase, 'hearing', '听证');
  await doTask(planner, base, number, { held_on: day(0), present: 12, hearing_record: '到场十二人，多数反对间距' });
  await at('approve');
  const after = await ask(page, base, kase);
  must(after.pauses.length === 2 && after.pauses.every((p) => p.to !== null), 'the clock does not go on after the hearing');
  await doTask(await by('planning_approver'), base, number, { approved: false, opinion: '走查：与相邻住宅间距不足' });
  const refused = await until(page, base, `/service-applications/${id}`, (f) => f.application.state === 'refused', 'the refusal');
  must(refused.letters.some((l) => l.kind === 'refusal'), 'there is no letter of refusal');
  await page.goto(`${base}/desk/applications/${id}`);
  await page.getByRole('region', { name: '文书' }).getByText('不予许可决定书').waitFor();
  for (const p of Object.values(people)) await p.context().close();
}

/** The case's page shows that the clock stands still, and by which law. */
async function paused(page, base, kase, kind, word) {
  await until(page, base, kase, (f) => f.pauses.some((p) => p.kind === kind && p.to === null), `the pause ${kind}`);
  await page.goto(`${base}/desk${kase}`);
  await page.getByText('停止计时').first().waitFor();
  await page.locator('main table').getByText(word).first().waitFor();
}

/** A credit code with its check character (GB 32100). */
async function creditCode(_page, _base, code) {
  const known = '0123456789ABCDEFGHJKLMNPQRTUWXY';
  let weight = 1;
  let sum = 0;
  for (const c of code.slice(0, 17)) { sum += known.indexOf(c) * weight; weight = (weight * 3) % 31; }
  return code.slice(0, 17) + known[(31 - (sum % 31)) % 31];
}

const PROCESS = 'walk_service';
const bpmn = `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI" xmlns:jicheng="urn:jicheng:bpmn:1" id="walk_service_file" targetNamespace="urn:jicheng:walk">
  <process id="${PROCESS}" name="走查服务" isExecutable="true">
    <startEvent id="start" name="受理"/>
    <userTask id="approve" name="审批" jicheng:roles="permit_approver" jicheng:form="approve" jicheng:due="5 working days"/>
    <serviceTask id="decide" name="作出决定" jicheng:function="applications.decide"/>
    <endEvent id="end" name="办结"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="approve"/><sequenceFlow id="f2" sourceRef="approve" targetRef="decide"/><sequenceFlow id="f3" sourceRef="decide" targetRef="end"/>
  </process>
  <bpmndi:BPMNDiagram id="diagram"><bpmndi:BPMNPlane id="plane" bpmnElement="${PROCESS}">
    <bpmndi:BPMNShape id="start_di" bpmnElement="start"><dc:Bounds x="120" y="102" width="36" height="36"/></bpmndi:BPMNShape>
    <bpmndi:BPMNShape id="approve_di" bpmnElement="approve"><dc:Bounds x="220" y="80" width="100" height="80"/></bpmndi:BPMNShape>
    <bpmndi:BPMNShape id="decide_di" bpmnElement="decide"><dc:Bounds x="380" y="80" width="100" height="80"/></bpmndi:BPMNShape>
    <bpmndi:BPMNShape id="end_di" bpmnElement="end"><dc:Bounds x="540" y="102" width="36" height="36"/></bpmndi:BPMNShape>
    <bpmndi:BPMNEdge id="f1_di" bpmnElement="f1"><di:waypoint x="156" y="120"/><di:waypoint x="220" y="120"/></bpmndi:BPMNEdge>
    <bpmndi:BPMNEdge id="f2_di" bpmnElement="f2"><di:waypoint x="320" y="120"/><di:waypoint x="380" y="120"/></bpmndi:BPMNEdge>
    <bpmndi:BPMNEdge id="f3_di" bpmnElement="f3"><di:waypoint x="480" y="120"/><di:waypoint x="540" y="120"/></bpmndi:BPMNEdge>
  </bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
</definitions>
`;

const tab = (page, name) => page.getByRole('navigation', { name: '事项各部分' }).getByRole('button', { name: new RegExp(`^${name}`) }).click();
const saved = (page) => page.locator('main .save-line').getByText(/^已保存/).waitFor();

/** An item from nothing, by pages only. */
async function design(page, base, item, title) {
  await page.goto(`${base}/operator/processes`);
  await page.getByRole('button', { name: '上传 BPMN 文件' }).waitFor();
  await page.locator('main input[type=file]').setInputFiles({ name: 'walk-service.bpmn', mimeType: 'application/xml', buffer: Buffer.from(bpmn) });
  await page.getByRole('button', { name: '发布', exact: true }).click();
  await page.locator('main table').getByText(PROCESS).first().waitFor();

  await page.goto(`${base}/desk/items`);
  await page.getByRole('button', { name: '新建事项' }).click();
  await modal(page).getByLabel('事项名称（中文）').fill(title);
  await modal(page).getByLabel('事项名称（英文）').fill('Walk service');
  await modal(page).getByLabel('事项标识').fill('不行');
  await confirm(page);
  await modal(page).getByRole('alert').first().waitFor();
  await modal(page).getByLabel('事项标识').fill(item);
  await confirm(page);
  await page.waitForURL(new RegExp(`/desk/items/${item}`));

  await page.getByText(/发布前还有 \d+ 处要改/).waitFor();
  await tab(page, '版本与发布');
  must(await button(page, '发布').isDisabled(), 'it can be published with problems');
  await tab(page, '基本要素');
  await page.getByLabel('一句话说明（中文）').fill('走查用的事项');
  await page.getByLabel('一句话说明（英文）').fill('An item of the walk');
  await page.getByLabel('基本目录编码').fill('000000199901');
  await page.getByLabel('实施清单编码').fill('11130199MB0000001R2000000199901');
  await page.getByLabel('设定依据').fill('《中华人民共和国行政许可法》第十二条');
  await page.getByLabel('群众怎么说').fill('走查');

  await tab(page, '表单');
  const fields = page.getByRole('region', { name: '题目', exact: true });
  await fields.getByLabel('新题目类型').selectOption('choice');
  await fields.getByRole('button', { name: '添加题目' }).click();
  const panel = page.getByRole('region', { name: '题目设置' });
  await panel.getByLabel('题目（中文）').fill('场所类型');
  await panel.getByLabel('题目（英文）').fill('Kind of place');
  for (const [i, zh, en] of [[1, '室内', 'Inside'], [2, '室外', 'Outside']]) { await panel.getByLabel(`选项 ${i} 中文`).fill(zh); await panel.getByLabel(`选项 ${i} 英文`).fill(en); }
  await panel.getByLabel('必填').check();
  await fields.getByLabel('新题目类型').selectOption('text');
  await fields.getByRole('button', { name: '添加题目' }).click();
  await panel.getByLabel('题目（中文）').fill('室外位置');
  await panel.getByLabel('题目（英文）').fill('Where outside');
  await panel.getByLabel('必填').check();
  await panel.getByRole('button', { name: '增加条件限制' }).click();
  await panel.getByLabel('室外', { exact: true }).check();
  // The preview asks the second question only when the first says so.
  const phone = page.getByRole('region', { name: '手机预览' });
  must((await phone.getByText('室外位置').count()) === 0, 'the preview asks what is not asked');
  await phone.getByText('室外', { exact: true }).click();
  await phone.getByText('室外位置').first().waitFor();
  // Moved by keyboard and back: the condition would look at a later field.
  const second = fields.getByRole('button', { name: /^室外位置/ });
  await second.focus();
  await page.keyboard.press('Alt+ArrowUp');
  await fields.getByText('条件指向后面的题目').waitFor();
  await fields.getByRole('button', { name: /^室外位置/ }).focus();
  await page.keyboard.press('Alt+ArrowDown');

  await tab(page, '材料');
  await page.getByRole('button', { name: '增加材料' }).click();
  await page.getByLabel('材料名称（中文）').fill('场所照片');
  await page.getByLabel('材料名称（英文）').fill('Photo');
  await tab(page, '流程');
  await page.getByRole('combobox', { name: '流程', exact: true }).selectOption(PROCESS);
  await page.locator('main .drawing').waitFor();
  await tab(page, '结果与证照');
  await page.getByLabel('结果名称（中文）').fill('走查意见书');
  await page.getByLabel('结果名称（英文）').fill('Opinion');

  // The receipt in words of its own: wrong ones are told while they are written.
  await tab(page, '文书');
  const receipt = page.getByRole('group', { name: '收件凭证' });
  await receipt.getByLabel('本事项另行措辞').check();
  const words = receipt.getByRole('textbox', { name: '收件凭证正文' });
  must((await words.inputValue()).startsWith('> {{applicant}}：'), 'the words do not begin as those of the city');
  await words.fill('> {{applicant}}：\n请拨打{{phone}}。');
  await receipt.getByText('没有这样的字段：phone').waitFor();
  await words.fill('> {{applicant}}：\n走查已收到您的申请，编号');
  await receipt.getByRole('button', { name: '申请编号' }).click();
  must((await words.inputValue()).endsWith('编号{{application}}'), 'the field was not put in');

  await tab(page, '试办');
  const form = page.getByRole('region', { name: '像申请人一样填写' });
  await form.getByText('室外', { exact: true }).click();
  await form.getByRole('button', { name: '试办' }).click();
  const result = page.getByRole('region', { name: '试办结果' });
  await result.getByText('场所照片').waitFor();
  must(/室外位置/.test(await result.innerText()), 'the test run does not say what is missing');

  await saved(page);
  await page.waitForFunction(() => !/发布前还有/.test(document.querySelector('main')?.textContent ?? '')).catch(async () => { throw new Error(`problems are left: ${(await page.locator('main .problem-list').first().innerText()).slice(0, 400)}`); });
  await tab(page, '版本与发布');
  await button(page, '发布').click();
  await confirm(page);
  await modal(page).getByRole('alert').waitFor();
  await modal(page).getByLabel('改了什么').fill('新事项');
  await confirm(page);
  await told(page, '发布');
}

async function published(page, base) {
  const item = `walk_${Date.now().toString(36)}`;
  const title = `走查事项 ${item.slice(-4)}`;
  await design(page, base, item, title);
  const made = await ask(page, base, `/items/${item}`);
  must(made.version === 1 && made.state === 'in_force', `it is ${made.version} ${made.state}`);

  const own = await applicant(page, base, 72);
  await own.goto(`${base}/services?q=${encodeURIComponent(title)}`);
  await own.getByRole('link', { name: new RegExp(title) }).first().waitFor();
  const draft = await call(own, base, 'POST', '/drafts', { item, answers: {} });
  const place = Object.keys(made.content.form.properties)[0];
  const { application } = await handIn(own, base, draft, { [place]: made.content.form.properties[place].enum[0] });
  must(application.item === item, 'it was not handed in');
  for (let left = 60; ; left -= 1) {
    const { letters } = await ask(own, base, `/service-applications/${application.id}`);
    if (letters.some((letter) => letter.kind === 'receipt' && letter.file)) break;
    must(left > 0, 'the receipt in words of its own was not drawn');
    await own.waitForTimeout(500);
  }
  await own.context().close();

  const again = await person(page, base, 'approver');
  await again.goto(`${base}/desk/items/${item}`);
  await again.getByLabel('一句话说明（中文）').fill('走查：第二版');
  await saved(again);
  await tab(again, '版本与发布');
  await again.getByText('说明有改动').waitFor();
  await button(again, '发布').click();
  await modal(again).getByLabel('改了什么').fill('改一句话');
  await confirm(again);
  await told(again, '发布');
  await button(again, '回退').click();
  await modal(again).getByLabel('原因').fill('走查：改回去');
  await confirm(again);
  await told(again, '回退');
  const back = await ask(again, base, `/items/${item}`);
  must(back.version === 3 && back.content.summary.zh === '走查用的事项', `after rolling back it is ${back.version} ${back.content.summary.zh}`);
  await button(again, '暂停').click();
  await modal(again).getByLabel('原因').fill('走查结束');
  await confirm(again);
  await told(again, '暂停');
  must((await ask(again, base, `/items/${item}`)).state === 'suspended', 'it is not suspended');
  await again.context().close();
}

export const DESK_SERVICE_ACTS = [
  { name: 'a clerk applies for somebody at the counter, accepts it, and the approver decides', role: 'clerk', run: counter },
  { name: 'a correction is asked for once and whole, then it is refused with a letter', role: 'clerk', run: correction },
  { name: 'a construction permit stops its clock for display and hearing and is refused', role: 'clerk', run: construction },
  { name: 'an official publishes an item from nothing, a resident hands it in, it is rolled back', role: 'approver', run: published },
];
