// Walk: acts of residents: registering and being proven by the demonstration's prover, an enterprise
// whose representative authorises an agent, a mother who acts for her child. Persons are synthetic
// (area 130199); each run takes serials of its own, so that it can be repeated.
import { readFileSync } from 'node:fs';

export const PASSWORD = 'walk-Resident-2026';
const must = (holds, what) => {
  if (!holds) throw new Error(what);
};

/** Check character of GB 11643. */
function check17(first) {
  const sum = [...first].reduce((s, d) => ((s + Number(d)) * 2) % 11, 0);
  const check = (12 - sum) % 11;
  return check === 10 ? 'X' : String(check);
}
const SURNAMES = [...'赵钱孙李周吴郑王冯陈'];
const GIVEN = [...'明芳伟静磊娜军敏强丽'];
export function person(serial, birth = '19900101') {
  const first = `130199${birth}${String(serial).padStart(3, '0')}`;
  return { number: first + check17(first), name: SURNAMES[Math.floor(serial / 10) % 10] + GIVEN[serial % 10] };
}
const CODE = '0123456789ABCDEFGHJKLMNPQRTUWXY';
/** A synthetic credit code (GB 32100) with its check character. */
function creditCode(serial) {
  const first = `91130199MA${String(serial).padStart(7, '0')}`;
  let weight = 1;
  let sum = 0;
  for (const c of first) {
    sum += CODE.indexOf(c) * weight;
    weight = (weight * 3) % 31;
  }
  return first + CODE[(31 - (sum % 31)) % 31];
}

/** Password of an official of the demonstration. */
export function passwordOf(account) {
  const given = process.env.ACCOUNTS ?? '{}';
  const read = JSON.parse(given.trim().startsWith('{') ? given : readFileSync(given, 'utf8'));
  const list = Array.isArray(read) ? read : (read.accounts ?? read);
  const known = Array.isArray(list) ? list.find((a) => (a.name ?? a.account) === account) : list[account];
  return typeof known === 'string' ? known : known?.password;
}

/** Bearer of an official of the demonstration. */
export async function bearer(page, base, account) {
  const password = passwordOf(account);
  await page.context().clearCookies();
  const answer = await page.request.post(`${base}/api/v1/session`, { data: { account, password } });
  const body = await answer.json();
  must(body.token, `${account} does not sign in: ${JSON.stringify(body)}`);
  await page.context().clearCookies();
  return { Authorization: `Bearer ${body.token}` };
}

async function codeFor(page, base, operator, phone) {
  for (let i = 0; i < 40; i++) {
    const { items } = await (await page.request.get(`${base}/api/v1/operator/messages`, { headers: operator })).json();
    const text = items.find((m) => m.to === phone)?.text;
    const code = /验证码是 (\d{6})/.exec(text ?? '')?.[1];
    if (code) return code;
    await page.waitForTimeout(100);
  }
  throw new Error(`no message to ${phone}`);
}

const next = (page) => page.locator('main form button[type=submit]').first().click();

async function fillDocument(page, who) {
  await page.locator('main input[name$=number]').fill(who.number);
  await page.locator('main input[name$="name"]').last().fill(who.name);
}

/** Registers by the pages and is proven to level 2; the account's name is answered. */
export async function resident(page, base, operator, serial) {
  await page.context().clearCookies();
  const phone = `139${String(Date.now()).slice(-5)}${String(serial).padStart(3, '0')}`;
  await page.goto(`${base}/portal/register`);
  await page.locator('input[name=display]').fill('小冀');
  await page.locator('input[name=name]').fill('walk');
  await next(page);
  await page.locator('input[name=password]').fill(PASSWORD);
  await page.locator('input[name=again]').fill('something else');
  await next(page);
  await page.locator('.error-text').first().waitFor();
  await page.locator('input[name=again]').fill(PASSWORD);
  await next(page);
  await page.locator('.answers').waitFor();
  await next(page);
  await page.locator('[role=alert]').first().waitFor();
  await page.locator('input[name=consent]').check();
  await next(page);
  const account = (await page.locator('[data-account]').innerText()).trim();
  must(account.startsWith('walk-'), `the account is called ${account}`);
  await page.getByRole('button', { name: '验证手机号' }).click();
  await page.locator('input[name=phone]').fill('123');
  await next(page);
  await page.locator('.error-text').first().waitFor();
  await page.locator('input[name=phone]').fill(phone);
  await next(page);
  await page.locator('input[name=code]').fill('12345');
  await next(page);
  await page.locator('[role=alert]').first().waitFor();
  await page.locator('input[name=code]').fill(await codeFor(page, base, operator, phone));
  await next(page);
  await page.locator('.confirmed').waitFor();
  await page.goto(`${base}/portal/me/identity`);
  const who = person(serial);
  await fillDocument(page, { ...who, number: `${who.number.slice(0, 17)}${who.number.endsWith('1') ? '2' : '1'}` });
  await next(page);
  await page.locator('.answers').waitFor();
  await next(page);
  await page.locator('.error-text').first().waitFor();
  await fillDocument(page, who);
  await next(page);
  await page.locator('.answers').waitFor();
  await next(page);
  await page.locator('.confirmed').waitFor();
  await page.goto(`${base}/portal/me`);
  await page.locator('.level-line [aria-current]').getByText('2 级').waitFor();
  must(!(await page.locator('main').innerText()).includes(who.number), 'the number is not masked');
  return account;
}

export async function enter(page, base, account, password = PASSWORD) {
  await page.context().clearCookies();
  await page.goto(`${base}/sign-in`);
  await page.locator('input[name=account]').fill(account);
  await page.locator('input[name=password]').fill(password);
  await page.keyboard.press('Enter');
  await page.locator('details.user').waitFor();
}

export const serials = () => {
  const from = Math.floor(Math.random() * 900);
  return [from, from + 1, from + 2];
};

export const PARTY_ACTS = [
  {
    name: 'a resident registers, is proven to level 2, sees and exports the data held', role: 'operator',
    run: async (page, base) => {
      const operator = await bearer(page, base, 'operator');
      const [serial] = serials();
      await resident(page, base, operator, serial);
      await page.getByRole('button', { name: '查看完整信息' }).click();
      await page.getByText(person(serial).number).waitFor();
      await page.goto(`${base}/portal/me/rights`);
      await page.getByRole('button', { name: '在页面上查看' }).click();
      await page.getByText(person(serial).number).waitFor();
      await page.locator('input[name=text]').fill('走查：请更正户籍地址');
      await page.getByRole('button', { name: '提交申请' }).click();
      await page.locator('.confirmed').waitFor();
    },
  },
  {
    name: 'a representative authorises an agent who then acts for the enterprise', role: 'clerk',
    run: async (page, base) => {
      const operator = await bearer(page, base, 'operator');
      const clerk = await bearer(page, base, 'clerk');
      const [one, two] = serials();
      const boss = await resident(page, base, operator, one);
      const agent = await resident(page, base, operator, two);
      // The clerk's own page is walked in the tour; here the licence is entered by its form's call.
      const entered = await page.request.post(`${base}/api/v1/parties/legal`, { headers: clerk, data: {
        code: creditCode(Date.now() % 10_000_000), name: '走查演示有限公司', evidence: '营业执照 走查', purpose: '走查',
        representative: { document: 'citizen_number', ...person(one) },
      } });
      must(entered.status() === 201, await entered.text());
      await enter(page, base, boss);
      await page.goto(`${base}/portal/me/agents/new`);
      await fillDocument(page, person(two));
      await next(page);
      await page.locator('input[name=scope-data]').check();
      await page.locator('input[name=days]').fill('30');
      await page.locator('input[name=evidence]').fill('授权书 走查-1');
      await next(page);
      await page.locator('.answers').waitFor();
      await next(page);
      await page.locator('.confirmed').waitFor();

      await enter(page, base, agent);
      await page.goto(`${base}/portal/me`);
      await page.getByRole('button', { name: '接受', exact: true }).click();
      await page.locator('select[name=tie] option', { hasText: '走查演示有限公司' }).waitFor({ state: 'attached' });
      await page.locator('select[name=tie]').selectOption({ label: '走查演示有限公司（经办人）' });
      await page.getByRole('button', { name: '切换', exact: true }).click();
      await page.locator('.banner', { hasText: '走查演示有限公司' }).waitFor();
      const may = (matter) => page.evaluate(async (m) => (await fetch(`/api/v1/me/may?matter=${m}`)).status, matter);
      must((await may('data')) === 200, 'the agent may not handle what the authority names');
      must((await may('taxes')) === 403, 'the agent may handle what the authority does not name');

      const second = await page.context().browser().newContext();
      const desk = await second.newPage();
      await enter(desk, base, boss);
      await desk.goto(`${base}/portal/me`);
      await desk.getByRole('button', { name: /^撤销/ }).first().click();
      await desk.locator('input[name=reason]').fill('走查：离职');
      await desk.locator('main form').getByRole('button', { name: '撤销' }).click();
      await desk.getByText('已撤销').first().waitFor();
      await second.close();
      must((await may('data')) === 200, 'nobody is acted for any more, so it is one’s own matter');
      const refused = await page.evaluate(async () => (await fetch('/api/v1/me/phone', { method: 'POST', headers: { 'X-CSRF': '1', 'Content-Type': 'application/json' }, body: '{"phone":"13900000000"}' })).json());
      must(refused.code === 'parties.tie_ended', `after the end of the authority: ${JSON.stringify(refused)}`);
      await page.reload();
      await page.locator('.banner', { hasText: '已失效' }).waitFor();
      await page.getByRole('button', { name: '切换回本人' }).click();
      await page.waitForFunction(() => !document.querySelector('.banner.warn'));
    },
  },
  {
    name: 'a mother acts for her child', role: 'operator',
    run: async (page, base) => {
      const operator = await bearer(page, base, 'operator');
      const [serial] = serials();
      await resident(page, base, operator, serial);
      const child = person(serial, '20180601');
      await page.goto(`${base}/portal/me/wards/new`);
      await fillDocument(page, { ...child, number: person(serial + 1, '20180601').number });
      await page.locator('input[name=evidence]').fill('出生医学证明 走查');
      await next(page);
      await page.locator('[role=alert]').first().waitFor();
      await fillDocument(page, child);
      await next(page);
      await page.locator('.confirmed').waitFor();
      await page.goto(`${base}/portal/me`);
      await page.locator('select[name=tie]').selectOption({ label: `${child.name}（未成年人监护）` });
      await page.getByRole('button', { name: '切换', exact: true }).click();
      await page.locator('.banner', { hasText: child.name }).waitFor();
      await page.locator('details.user summary').click();
      await page.locator('.user-box').getByRole('button', { name: '本人' }).click();
      await page.waitForFunction(() => !document.querySelector('.banner.warn'));
    },
  },
];
