// Walk: acts of licences: an officer issues one to a resident, who finds it in the wallet and shows
// it; anybody verifies it once, the second time is told the code is used up; the officer suspends it
// and verification says so. Persons are synthetic (area 130199).
import { readFileSync } from 'node:fs';
import { bearer, enter, person, resident, serials } from './parties.mjs';
import { until } from './until.mjs';

const must = (holds, what) => {
  if (!holds) throw new Error(what);
};
const submit = (page) => page.locator('main form button[type=submit]').last().click();

/** Officer's page: a form with a fault first, then whole; answers the identifier. */
export async function issue(page, base, holder, type) {
  await page.goto(`${base}/desk/licences/new?type=${type}`);
  await page.locator('main form button[type=submit]').waitFor();
  await submit(page);
  must((await page.locator('.error-text').count()) >= 4, 'an empty form is not refused field by field');
  await page.locator('input[name="holder/number"]').fill(holder.number);
  await page.locator('input[name="holder/name"]').fill(holder.name);
  for (const input of await page.locator('main input[name^="fields/"]:not([type=date]):not([inputmode])').all()) await input.fill('走查演示路 1 号');
  for (const select of await page.locator('main select[name^="fields/"]').all()) await select.selectOption({ index: 1 });
  await page.locator('input[name=source]').fill(`走查/${Date.now()}`);
  await submit(page);
  await page.locator('.answers').waitFor();
  await submit(page);
  await page.locator('[data-identifier]').waitFor();
  return (await page.locator('[data-identifier]').innerText()).trim();
}

/** Officer's page: many at once; a table with faults is refused row by row, one that is sound issued. */
export async function issueMany(page, base, holder, type) {
  await page.goto(`${base}/desk/licences/batch?type=${type}`);
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: '下载空表' }).click()]);
  const head = readFileSync(await file.path(), 'utf8').replace(/^\uFEFF/, '').trim().split(',');
  const given = { 签发依据: `走查/批量/${Date.now()}`, 证件类型: '居民身份证', 持证主体代码: holder.number, 持证主体: holder.name, 主体业态: '餐饮服务经营者', 座位: '12', 明厨亮灶: '是', 核查日期: '2026/3/5', 有效期起: '2026-01-01', 有效期止: '2026-12-31' };
  const row = head.map((name) => given[name] ?? '走查');
  const put = async (rows) => {
    await page.locator('textarea[name=rows]').fill([head, ...rows].map((r) => r.join('\t')).join('\n'));
    await page.getByRole('button', { name: '检查', exact: true }).click();
  };
  await put([row, row.map((cell, i) => (head[i] === '有效期起' ? '2026-02-30' : cell))]);
  await page.locator('main [role=alert] table').waitFor();
  await until(async () => (await page.locator('main [role=alert] tbody tr').count()) === 2, 'a wrong date and a source given twice are two faults');
  must((await page.getByRole('button', { name: /^签发 \d/ }).count()) === 0, 'a table with faults can be issued');
  await put([row]);
  await page.getByRole('button', { name: '签发 1 件' }).click();
  await page.locator('.confirmed', { hasText: '已签发 1 件' }).waitFor();
}

/** Resident's pages: the card, the licence, the code that is shown; answers the code as the QR carries it. */
export async function show(page, base, identifier) {
  await page.goto(`${base}/portal/licences`);
  await page.locator('.licence-card').first().waitFor();
  // The choice stands in the address, which the page follows a moment later; `check` would look at once.
  await page.locator('input[name=show][value=valid]').click();
  await page.locator('input[name=show][value=valid]:checked').waitFor();
  await page.locator(`.licence-card[href$="${encodeURIComponent(identifier)}"]`).click();
  await page.locator('#present').waitFor();
  // Nothing chosen is refused: it would be taken for the minimum.
  await page.locator('input[name=how][value=chosen]').check();
  const ticked = page.locator('#present ~ form input[type=checkbox]:checked');
  while (await ticked.count()) await ticked.first().uncheck();
  await page.getByRole('button', { name: '生成二维码' }).click();
  await page.locator('.error-text').first().waitFor();
  await page.locator('input[name=how][value=minimum]').check();
  const [answer] = await Promise.all([page.waitForResponse((r) => r.url().endsWith('/present')), page.getByRole('button', { name: '生成二维码' }).click()]);
  const { token, url } = await answer.json();
  must(new URL(url).pathname === '/verify' && new URL(url).hash === `#${token}`, 'the code does not stand behind #');
  await page.locator('svg.qr').waitFor();
  await page.locator('[role=timer]').waitFor();
  must(!(await page.content()).includes(token), 'the code is written into the page');
  return token;
}

/** Anybody's page, without an account; answers the verdict. */
export async function verify(page, base, how) {
  const seen = [];
  const watch = (r) => seen.push(r.url());
  page.on('request', watch);
  await page.goto(`${base}/about`);
  await page.goto(how.token ? `${base}/verify#${how.token}` : `${base}/verify`);
  await page.locator('input[name=verifier]').waitFor();
  if (how.token) {
    await page.waitForFunction(() => location.hash === '');
    await until(async () => (await page.locator('input[name=token]').inputValue()) === how.token, 'the code of the address is not taken');
  } else {
    await page.locator(`input[name=by][value=${how.identifier ? 'identifier' : 'document'}]`).check();
    for (const [name, value] of Object.entries(how)) await page.locator(`[name=${name}]`).last().fill(value);
  }
  await page.locator('input[name=verifier]').fill('');
  await submit(page);
  await page.locator('.error-text').first().waitFor();
  await page.locator('input[name=verifier]').fill('走查宾馆前台');
  await page.locator('input[name=purpose]').fill('办理入住登记');
  await submit(page);
  await page.locator('[data-verdict]').waitFor();
  page.off('request', watch);
  must(!how.token || !seen.some((url) => url.split('#')[0].includes(how.token)), 'the code went to the server in an address');
  return page.locator('[data-verdict]').getAttribute('data-verdict');
}

/** Officer's page: a change without a reason is refused, with one it is made. */
export async function change(page, base, identifier, to) {
  await page.goto(`${base}/desk/licences`);
  await page.locator('input[name=identifier]').fill(identifier);
  await page.keyboard.press('Enter');
  await page.locator('select[name=to]').waitFor();
  await page.locator('select[name=to]').selectOption(to);
  await submit(page);
  await page.locator('.error-text').first().waitFor();
  await page.locator('input[name=reason]').fill('走查：复核期间暂停');
  await submit(page);
  await page.locator('.confirmed').waitFor();
}

/** Holder's or officer's page: nothing said of what for is refused, then the file comes, named in Chinese; answers its bytes. */
export async function print(page, purpose, format = 'PDF') {
  await page.getByRole('button', { name: `下载 ${format}` }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: '生成并下载' }).click();
  await dialog.locator('.error-text').first().waitFor();
  await dialog.locator('input[name=purpose]').fill(purpose);
  const [file] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: '生成并下载' }).click()]);
  must(/^[\u4e00-\u9fff].*\.(pdf|ofd)$/.test(file.suggestedFilename()), `the file is called ${file.suggestedFilename()}`);
  await page.locator('[data-part=print] .confirmed').waitFor();
  await until(async () => (await page.getByRole('dialog').count()) === 0, 'the dialog stays open');
  return readFileSync(await file.path());
}

/** Anybody's page: a PDF is genuine and says where the licence stands; one byte changed and it is not. */
async function examine(page, base, pdf, now) {
  const give = async (buffer) => {
    await page.goto(`${base}/verify`);
    await page.getByRole('link', { name: '上传核验签名' }).click();
    await page.locator('#letter-pdf').setInputFiles({ name: 'licence.pdf', mimeType: 'application/pdf', buffer });
    await page.locator('[data-pdf]').waitFor();
    return page.locator('[data-pdf]').getAttribute('data-pdf');
  };
  must((await give(pdf)) === 'valid', 'a print that was not touched is not valid');
  must((await page.locator('[data-pdf] [data-verdict]').getAttribute('data-verdict')) === now, `the check does not say that the licence is ${now}`);
  const altered = Buffer.from(pdf);
  altered[Math.floor(altered.length / 2)] ^= 1;
  must((await give(altered)) === 'altered', 'an altered print is not said to be altered');
}

/** Anybody's page: the QR of a print leads to the identifier; only the name is typed. */
async function byPrintedCode(page, base, identifier, name) {
  await page.goto(`${base}/about`);
  await page.goto(`${base}/verify#${identifier}`);
  await page.waitForFunction(() => location.hash === '');
  await until(async () => (await page.locator('input[name=identifier]').inputValue()) === identifier, 'the identifier of the QR is not taken');
  await page.locator('input[name=name]').fill(name);
  await page.locator('input[name=verifier]').fill('走查超市');
  await page.locator('input[name=purpose]').fill('核对资质');
  await submit(page);
  await page.locator('[data-verdict=valid]').waitFor();
}

/** The whole path; how the two sign in is the caller's. */
export async function path({ officer, holderPage, stranger, base, holder, type }) {
  const identifier = await issue(officer, base, holder, type);
  await issueMany(officer, base, holder, type);
  const token = await show(holderPage, base, identifier);
  must((await verify(stranger, base, { token })) === 'valid', 'a sound licence is not valid');
  must((await stranger.locator('.watermarked').innerText()).includes(holder.name), 'the minimum is not shown');
  must((await stranger.locator('main').innerText()).includes('走查宾馆前台'), 'no watermark with the purpose');
  await holderPage.locator('.confirmed', { hasText: '走查宾馆前台' }).waitFor();
  must((await verify(stranger, base, { token })) === 'unknown', 'a code is good twice');
  must((await verify(stranger, base, { identifier, name: '别人' })) === 'unknown', 'a wrong name learns something');
  const pdf = await print(holderPage, '办理对公开户');
  must(pdf.subarray(0, 5).toString() === '%PDF-', 'the PDF does not begin with %PDF');
  must((await print(holderPage, '存档', 'OFD')).subarray(0, 2).toString() === 'PK', 'the OFD is no package');
  await holderPage.locator('#uses ~ ul li', { hasText: '办理对公开户' }).waitFor();
  await examine(stranger, base, pdf, 'valid');
  await byPrintedCode(stranger, base, identifier, holder.name);
  await change(officer, base, identifier, 'suspended');
  await examine(stranger, base, pdf, 'suspended');
  await holderPage.reload();
  await holderPage.locator('[data-part=print] .stale').waitFor();
  must((await holderPage.getByRole('button', { name: '下载 PDF' }).count()) === 0, 'a suspended licence can be printed');
  must((await verify(stranger, base, { identifier, name: holder.name })) === 'suspended', 'a suspended licence is not said to be suspended');
  await change(officer, base, identifier, 'in_force');
  const official = await print(officer, '窗口补印');
  must(official.subarray(0, 5).toString() === '%PDF-', 'the issuer cannot print it');
  await holderPage.reload();
  await holderPage.locator('[data-part=file] summary').click();
  const [file] = await Promise.all([holderPage.waitForEvent('download'), holderPage.getByRole('button', { name: '下载文件' }).click()]);
  const document = readFileSync(await file.path(), 'utf8');
  await holderPage.goto(`${base}/portal/licences/${encodeURIComponent(identifier)}`);
  await holderPage.locator('#uses ~ ul li').first().waitFor();
  must((await holderPage.locator('main').innerText()).includes('办理入住登记'), 'the holder does not see what for');
  return { identifier, document };
}

/** By the keyboard alone: the code of the address, who and what for, the answer has the focus. */
export async function byKeyboard(page, base) {
  await page.goto(`${base}/about`);
  await page.goto(`${base}/verify#${'A'.repeat(43)}`);
  await page.locator('input[name=verifier]').waitFor();
  const tabTo = async (selector) => {
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press('Tab');
      if (await page.evaluate((s) => document.activeElement?.matches(s) ?? false, selector)) return;
    }
    throw new Error(`Tab does not reach ${selector}`);
  };
  await tabTo('input[name=verifier]');
  await page.keyboard.press('Control+a');
  await page.keyboard.type('走查宾馆');
  await tabTo('input[name=purpose]');
  await page.keyboard.press('Control+a');
  await page.keyboard.type('键盘走查');
  await page.keyboard.press('Enter');
  await page.locator('[data-verdict=unknown]').waitFor();
  must(await page.evaluate(() => document.activeElement?.getAttribute('aria-labelledby') === 'result'), 'the answer does not get the focus');
  await tabTo('main .button.strong');
  await page.keyboard.press('Enter');
  await page.locator('input[name=verifier]').waitFor();
}

export const LICENCE_ACTS = [
  { name: 'a code nobody made is unknown, by keyboard alone', role: 'resident', run: byKeyboard },
  {
    name: 'a licence is issued, shown, verified once, suspended', role: 'approver',
    run: async (page, base) => {
      const operator = await bearer(page, base, 'operator');
      const second = await page.context().browser().newContext();
      const third = await page.context().browser().newContext();
      const holderPage = await second.newPage();
      const stranger = await third.newPage();
      for (const other of [holderPage, stranger]) other.setDefaultTimeout(20_000);
      const [serial] = serials();
      await resident(holderPage, base, operator, serial);
      // Asking for a bearer signed the officer out: the pages sign in anew.
      await enterOfficer(page, base);
      const { document } = await path({ officer: page, holderPage, stranger, base, holder: person(serial), type: 'food_business_permit' });
      must((await verify(stranger, base, { document })) === 'valid', 'a signed document is not valid');
      const altered = document.replace(/^([^.]+\.[^.]+\.)(.)/, (_, head, c) => head + (c === 'A' ? 'B' : 'A'));
      must((await verify(stranger, base, { document: altered })) === 'altered', 'an altered document is not said to be altered');
      await second.close();
      await third.close();
    },
  },
];

async function enterOfficer(page, base) {
  const given = process.env.ACCOUNTS ?? '{}';
  const read = JSON.parse(given.trim().startsWith('{') ? given : readFileSync(given, 'utf8'));
  const list = Array.isArray(read) ? read : (read.accounts ?? read);
  const known = Array.isArray(list) ? list.find((a) => (a.name ?? a.account) === 'approver') : list.approver;
  await enter(page, base, 'approver', typeof known === 'string' ? known : known.password);
}
