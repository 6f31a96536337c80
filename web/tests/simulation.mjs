// Walk: a process is tried on past cases (what is wrong said where it stands, a drawing with a fault
// refused with its line, given up, replayed, kept as CSV), from its page and from the editor; work
// set aside is looked at and tried again.
import { readFileSync } from 'node:fs';
import { bpmn, PROCESS } from './cases.mjs';
import { until } from './until.mjs';

const must = (holds, what) => {
  if (!holds) throw new Error(what);
};
const seen = async (page, locator, what) => {
  await page.locator(locator).first().waitFor().catch(() => { throw new Error(`${what}: ${locator} did not appear`); });
};
const ask = (page, base, path) => page.evaluate(async (url) => (await fetch(url)).json(), `${base}/api/v1${path}`);
const run = (page) => page.getByRole('button', { name: '开始推演' }).click();
const upload = (page, xml) => page.locator('main input[type=file]').setInputFiles({ name: 'walk.bpmn', mimeType: 'application/xml', buffer: Buffer.from(xml) });

export const SIMULATION_ACTS = [
  {
    name: 'a changed process is tried on past cases, refused, given up and compared', role: 'approver',
    run: async (page, base) => {
      const { total } = await ask(page, base, `/cases?process=${PROCESS}&state=completed&limit=1`);
      must(total > 0, `no case of ${PROCESS} has ended: the acts of cases come first`);
      await page.goto(`${base}/operator/processes/simulation?process=${PROCESS}`);
      const workers = page.locator('input[name="capacity/acceptance_clerk"]');
      await workers.fill('0.5');
      await page.locator('input[name="service/check"]').fill('-1');
      await run(page);
      await page.getByText('有 2 处问题').waitFor();
      must(await page.locator('main td .error-text').count() === 2, 'the faults are not said where they stand');
      must(await workers.getAttribute('aria-invalid') === 'true', 'the wrong input is not marked');
      await workers.fill('2');
      await page.locator('input[name="service/check"]').fill('15');

      // A drawing with a fault is refused with its line.
      await page.getByText('上传或修改的图').click();
      await run(page);
      await page.locator('main .error-text').filter({ hasText: '请上传文件' }).waitFor();
      await upload(page, bpmn(true));
      await seen(page, 'main .djs-palette .entry', 'the drawing tools');
      await run(page);
      await seen(page, 'main .error-box table', 'the faults of the drawing');
      must(/nowhere/.test(await page.locator('main .error-box table').innerText()), 'the fault does not name what is missing');
      await page.locator('main .error-box table button').first().click();
      await seen(page, 'main textarea.xml-text', 'the line in the XML');

      // Long work is given up.
      await upload(page, bpmn(false));
      await page.route('**/processes/simulate', async (route) => { await new Promise((r) => { setTimeout(r, 4_000); }); await route.continue().catch(() => undefined); });
      await run(page);
      await page.getByText('正在推演').waitFor();
      await page.getByRole('button', { name: '放弃', exact: true }).click();
      await page.getByText('已放弃推演').waitFor();
      await page.unroute('**/processes/simulate');

      await run(page);
      await page.locator('main h2').filter({ hasText: '推演结果' }).waitFor();
      await page.getByText('总体比较').first().waitFor();
      await page.locator('main').getByText('时段内收到').waitFor();
      await seen(page, 'main .chart canvas', 'the chart');
      must(/审查: 现状/.test(await page.locator('main .chart').last().getAttribute('aria-label') ?? ''), 'the chart is not said in words');
      const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: '把“各环节的等待”存为 CSV' }).click()]);
      const csv = readFileSync(await file.path(), 'utf8');
      must(csv.includes('审查 (check)') && csv.includes('签发 (sign)'), `the file is ${csv.slice(0, 300)}`);
      await workers.fill('3');
      await page.getByText('请重新推演').waitFor();
    },
  },
  {
    name: 'the drawing of the editor is tried and comes back to it', role: 'approver',
    run: async (page, base) => {
      await page.goto(`${base}/operator/processes`);
      await upload(page, bpmn(false).replace('name="签发"', 'name="签发走查"'));
      await seen(page, 'main .djs-palette .entry', 'the drawing tools');
      await page.getByRole('button', { name: '流程推演' }).click();
      await page.getByText('按编辑器中的图推演').waitFor();
      await page.locator('main td, main th').filter({ hasText: '签发走查' }).first().waitFor();
      await page.getByRole('button', { name: '返回编辑' }).click();
      await page.getByRole('button', { name: '发布', exact: true }).waitFor();
      await page.getByText('XML', { exact: true }).click();
      await until(async () => (await page.locator('main textarea.xml-text').inputValue()).includes('签发走查'), 'the change was lost');
    },
  },
  {
    name: 'work set aside is seen, and tried again when that is confirmed', role: 'operator',
    run: async (page, base) => {
      const { total } = await ask(page, base, '/service-applications/set-aside');
      await page.goto(`${base}/operator/jobs`);
      await page.locator('main nav').getByRole('link', { name: '搁置的工作' }).click();
      await page.waitForURL(/\/operator\/set-aside/);
      if (total === 0) await page.getByText('没有搁置的工作').waitFor();
      await page.locator('main').getByText('事项设计员').waitFor();
      const lost = await page.evaluate(async (url) => (await fetch(url, { method: 'POST', headers: { 'X-CSRF': '1', 'Idempotency-Key': String(Math.random()) } })).status, `${base}/api/v1/service-applications/set-aside/none/retry`);
      must(lost === 404, `unknown work answers ${lost}`);

      // A running city has none after so short a time: two made up here, one of them tried by somebody else meanwhile.
      const at = new Date(Date.now() - 3600_000).toISOString();
      const row = (n, error) => ({ id: `W${n}/notice/application_accepted-1`, application: `W${n}`, number: `130100-走查-${n}`, kind: 'notice', name: 'application_accepted-1', attempts: 30, error, at });
      let rows = [row(1, { code: 'outgoing.failed', words: { zh: '没有答复', en: 'nobody answers' } }), row(2, { code: 'system.internal', words: { zh: '内部错误', en: 'it broke' } })];
      const tried = [];
      await page.route('**/api/v1/service-applications/set-aside**', (route) => {
        const found = /set-aside\/([^/]+)\/retry/.exec(route.request().url());
        if (!found) return route.fulfill({ json: { items: rows, next: null, total: rows.length } });
        const id = decodeURIComponent(found[1]);
        tried.push(id);
        rows = rows.filter((r) => r.id !== id);
        return id.startsWith('W1') ? route.fulfill({ status: 204 }) : route.fulfill({ status: 404, contentType: 'application/problem+json', json: { code: 'input.not_found', status: 404, detail: '没有找到', detail_en: 'not found' } });
      });
      await page.reload();
      await page.locator('main td').getByText('对方系统没有应答或出错').waitFor();
      await page.getByRole('button', { name: '全部重试（2 项）' }).click();
      await page.locator('.ant-modal-confirm-title').filter({ hasText: '重试显示的 2 项工作' }).waitFor();
      must(tried.length === 0, 'it is tried before it is confirmed');
      await page.locator('.ant-modal-confirm .ant-btn-primary').click();
      await page.getByText('已重新排上 1 项').waitFor();
      await page.getByText('1 项已不在搁置之列').waitFor();
      await page.getByText('没有搁置的工作').waitFor();
      must(tried.length === 2, `tried: ${tried.join(', ')}`);
    },
  },
];
