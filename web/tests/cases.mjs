// Walk: a case from its process to its end: an approver publishes a small process (a wrong file is
// refused with its line first), a clerk starts a case of it, takes its task, is sent back by the next
// step, does both again and finds it all in the history. The decision table explains itself; the
// calendar shows what would move.
import { until } from './until.mjs';
const must = (holds, what) => {
  if (!holds) throw new Error(what);
};
const seen = async (page, locator, what) => {
  await page.locator(locator).first().waitFor().catch(() => { throw new Error(`${what}: ${locator} did not appear`); });
};
const ask = (page, base, path) => page.evaluate(async (url) => (await fetch(url)).json(), `${base}/api/v1${path}`);

export const PROCESS = 'walk_case';
export const bpmn = (wrong) => `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI" xmlns:jicheng="urn:jicheng:bpmn:1" id="walk_file" targetNamespace="urn:jicheng:walk">
  <process id="${PROCESS}" name="走查办件" isExecutable="true">
    <startEvent id="start" name="提交"/>
    <userTask id="check" name="审查" jicheng:roles="acceptance_clerk" jicheng:form="opinion" jicheng:due="5 working days"/>
    <userTask id="sign" name="签发" jicheng:roles="acceptance_clerk" jicheng:due="5 working days"/>
    <endEvent id="end" name="送达"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="check"/>
    <sequenceFlow id="f2" sourceRef="check" targetRef="${wrong ? 'nowhere' : 'sign'}"/>
    <sequenceFlow id="f3" sourceRef="sign" targetRef="end"/>
  </process>
  <bpmndi:BPMNDiagram id="diagram"><bpmndi:BPMNPlane id="plane" bpmnElement="${PROCESS}">
    <bpmndi:BPMNShape id="start_di" bpmnElement="start"><dc:Bounds x="120" y="102" width="36" height="36"/></bpmndi:BPMNShape>
    <bpmndi:BPMNShape id="check_di" bpmnElement="check"><dc:Bounds x="220" y="80" width="100" height="80"/></bpmndi:BPMNShape>
    <bpmndi:BPMNShape id="sign_di" bpmnElement="sign"><dc:Bounds x="380" y="80" width="100" height="80"/></bpmndi:BPMNShape>
    <bpmndi:BPMNShape id="end_di" bpmnElement="end"><dc:Bounds x="540" y="102" width="36" height="36"/></bpmndi:BPMNShape>
    <bpmndi:BPMNEdge id="f1_di" bpmnElement="f1"><di:waypoint x="156" y="120"/><di:waypoint x="220" y="120"/></bpmndi:BPMNEdge>
    ${wrong ? '' : '<bpmndi:BPMNEdge id="f2_di" bpmnElement="f2"><di:waypoint x="320" y="120"/><di:waypoint x="380" y="120"/></bpmndi:BPMNEdge>'}
    <bpmndi:BPMNEdge id="f3_di" bpmnElement="f3"><di:waypoint x="480" y="120"/><di:waypoint x="540" y="120"/></bpmndi:BPMNEdge>
  </bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
</definitions>
`;

async function upload(page, base, xml) {
  await page.goto(`${base}/operator/processes`);
  await page.getByRole('button', { name: '上传 BPMN 文件' }).waitFor();
  await page.locator('main input[type=file]').setInputFiles({ name: 'walk.bpmn', mimeType: 'application/xml', buffer: Buffer.from(xml) });
  await seen(page, '.djs-palette .entry', 'the drawing tools');
  await page.getByRole('button', { name: '发布', exact: true }).click();
}

/** Opens the one open task of the case from its page. */
async function openTask(page, base, id, step) {
  await page.goto(`${base}/desk/cases/${id}`);
  await page.locator('main table').getByRole('link', { name: step }).click();
  await page.waitForURL(/\/desk\/tasks\/.+/);
  await seen(page, 'main button.complete', 'the form of the task');
}
const verb = (page, name) => page.locator('main').getByRole('button', { name, exact: true });

export const CASE_ACTS = [
  {
    name: 'a process is refused with its line, then published', role: 'approver',
    run: async (page, base) => {
      await upload(page, base, bpmn(true));
      await seen(page, 'main .error-box table', 'the faults');
      must(/nowhere/.test(await page.locator('main .error-box').innerText()), 'the fault does not name what is missing');
      await page.locator('main .error-box table button').first().click();
      await seen(page, 'main textarea.xml-text', 'the line in the XML');
      await upload(page, base, bpmn(false));
      await page.locator('main table').getByText(PROCESS).waitFor();
      await page.getByRole('button', { name: '走查办件' }).click();
      await seen(page, '.ant-drawer .djs-element[data-element-id=check]', 'the drawing');
      await seen(page, '.ant-drawer .bjs-powered-by', 'the watermark the licence asks for');
    },
  },
  {
    name: 'a case is started, taken, sent back, done to its end and found in its history', role: 'clerk',
    run: async (page, base) => {
      const title = `走查 ${Date.now().toString(36)}`;
      await page.goto(`${base}/desk/cases`);
      await page.getByRole('button', { name: '发起办件' }).click();
      const form = page.locator('.ant-modal');
      // A city has more processes than a list shows at once: the name is typed.
      await form.locator('#start_process').fill('走查办件');
      await page.locator('.ant-select-item-option').filter({ hasText: '走查办件' }).first().click();
      await form.locator('#start_title').fill(title);
      await form.locator('#start_statutory').fill('10');
      await form.locator('#start_promised').fill('20');
      await form.getByRole('button', { name: '增加一项' }).click();
      await form.getByRole('textbox', { name: '第 1 项名称' }).fill('opinion');
      await form.locator('.ant-modal-footer .ant-btn-primary').click();
      await seen(page, '.ant-modal .ant-form-item-explain-error', 'a promise longer than the law');
      await form.locator('#start_promised').fill('5');
      await form.locator('.ant-modal-footer .ant-btn-primary').click();
      await page.waitForURL(/\/desk\/cases\/.+/);
      const id = decodeURIComponent(page.url().split('/').pop());
      await seen(page, 'main .drawing .node-current', 'where the case is on the drawing');
      const { case: begun } = await ask(page, base, `/cases/${id}`);
      must(begun.title === title && begun.promised && begun.statutory, `the case is ${JSON.stringify(begun)}`);

      // The inbox shows it to who may take it, and it is taken in place.
      await page.goto(`${base}/desk/tasks?whose=offered&text=${encodeURIComponent(begun.number)}`);
      await page.getByRole('button', { name: `签收 ${begun.number}` }).click();
      await page.locator('.ant-message').getByText('已签收').first().waitFor();

      // Who has a task of it stops its clock for a reason the law knows, and starts it again.
      await page.goto(`${base}/desk/cases/${id}`);
      await verb(page, '停止计时').click();
      await page.locator('.ant-modal-footer .ant-btn-primary').click();
      await seen(page, '.ant-modal [role=alert]', 'the law is asked for');
      await page.locator('.ant-modal input[name=basis]').fill('《行政许可法》第四十五条');
      await page.locator('.ant-modal-footer .ant-btn-primary').click();
      await page.locator('.ant-modal').waitFor({ state: 'hidden' });
      await page.locator('main table').getByText('《行政许可法》第四十五条').first().waitFor();
      await verb(page, '恢复计时').click();
      await page.locator('.ant-modal-footer .ant-btn-primary').click();
      await page.locator('.ant-modal').waitFor({ state: 'hidden' });

      await page.goto(`${base}/desk/tasks?whose=mine&text=${encodeURIComponent(begun.number)}`);
      await page.locator('main tbody').getByRole('link', { name: begun.number }).click();
      await seen(page, 'main button.complete', 'the form of the task');
      await page.getByLabel('opinion').fill('材料齐全');
      await verb(page, '办结').click();
      await page.locator('.ant-message').getByText('签发').first().waitFor();

      await openTask(page, base, id, '签发');
      await verb(page, '签收').click();
      await verb(page, '驳回').click();
      await page.locator('.ant-modal-footer .ant-btn-primary').click();
      await seen(page, '.ant-modal [role=alert]', 'a reason is asked for');
      await page.locator('.ant-modal .ant-select').click();
      await page.locator('.ant-select-item-option').filter({ hasText: '审查' }).first().click();
      await page.locator('.ant-modal textarea').fill('走查：请补平面图');
      await page.locator('.ant-modal-footer .ant-btn-primary').click();
      await page.locator('.ant-modal').waitFor({ state: 'hidden' });

      await openTask(page, base, id, '审查');
      await page.getByLabel('opinion').fill('已补平面图');
      await verb(page, '办结').click();
      await page.locator('.ant-message').getByText('签发').first().waitFor();
      await openTask(page, base, id, '签发');
      await verb(page, '办结').click();
      await page.locator('.ant-message').getByText('办件已办结').first().waitFor();

      await page.goto(`${base}/desk/cases/${id}`);
      await page.locator('main h1 + p, main .page-head').getByText('已办结').first().waitFor();
      const history = page.locator('main .case-history');
      await history.getByText('走查：请补平面图').waitFor();
      const said = await history.innerText();
      for (const word of ['发起', '签收', '驳回', '办结环节']) must(said.includes(word), `the history does not say ${word}: ${said.slice(0, 400)}`);
      const after = await ask(page, base, `/cases/${id}`);
      must(after.case.state === 'completed' && after.data.opinion === '已补平面图', `the case is ${after.case.state} with ${JSON.stringify(after.data)}`);
    },
  },
  {
    name: 'a decision table explains itself, and a wrong input is said', role: 'approver',
    run: async (page, base) => {
      await page.goto(`${base}/operator/decisions`);
      await page.locator('main table button', { hasText: 'food_risk' }).click();
      const input = page.locator('.ant-drawer textarea[name=input]');
      await input.fill('{"business": ');
      await page.getByRole('button', { name: '试算', exact: true }).click();
      await seen(page, '.ant-drawer [role=alert]', 'what is wrong with the input');
      await input.fill('{"business": "catering", "area": 80}');
      await page.getByRole('button', { name: '试算', exact: true }).click();
      await seen(page, '.ant-drawer .rule-hit', 'the row that matched');
      await until(async () => (await page.locator('.ant-drawer .outcome').innerText()) === 'high', 'the result is not high');
      must(await page.locator('.ant-drawer .rule-miss').count() > 0, 'rows that did not match are not shown');
    },
  },
  {
    name: 'the calendar shows what a change would move, and gives it up', role: 'approver',
    run: async (page, base) => {
      await page.goto(`${base}/operator/calendar`);
      await seen(page, 'main .month', 'the months');
      const year = new Date(Date.now() + 8 * 3600_000).getUTCFullYear();
      await page.locator('main textarea[name=several]').fill(`${year}-13-01 休`);
      await page.getByRole('button', { name: '读入' }).click();
      await seen(page, 'main [role=alert] .error-text', 'the line that is not understood');
      await page.locator('main textarea[name=several]').fill(`${year}-12-30~${year}-12-31 休 走查`);
      await page.getByRole('button', { name: '读入' }).click();
      must(await page.getByRole('button', { name: '保存日历' }).isDisabled(), 'it can be saved before it is seen what moves');
      await page.getByRole('button', { name: '试算影响' }).click();
      await page.locator('main [role=status]').filter({ hasText: /时限/ }).first().waitFor();
      await page.getByRole('button', { name: '放弃改动' }).click();
      const { items } = await ask(page, base, `/calendar/${year}`);
      must(!items.some((d) => d.name === '走查'), 'the dry run changed the calendar');
    },
  },
];
