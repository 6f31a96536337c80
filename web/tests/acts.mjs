// Walk: acts that change or take something, tried on a running demonstration: handling an alert,
// accounts and passwords, import and export of files, printing, the main paths by keyboard alone.
// Nothing is left behind but closed alerts, disabled accounts and entries of the audit log.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { CASE_ACTS } from './cases.mjs';
import { DESK_SERVICE_ACTS } from './desk-services.mjs';
import { LICENCE_ACTS } from './licences.mjs';
import { PARTY_ACTS } from './parties.mjs';
import { SERVICE_ACTS } from './services.mjs';
import { SIMULATION_ACTS } from './simulation.mjs';
import { TERMINAL_ACTS } from './terminal.mjs';
import { until } from './until.mjs';

const PASSWORD_1 = 'walk-first-2026';
const PASSWORD_2 = 'walk-second-2026';

const must = (holds, what) => {
  if (!holds) throw new Error(what);
};
const seen = async (page, locator, what) => {
  await page.locator(locator).first().waitFor().catch(() => { throw new Error(`${what}: ${locator} did not appear`); });
};
const ask = (page, base, path) => page.evaluate(async (url) => (await fetch(url)).json(), `${base}/api/v1${path}`);

/** Clicks what starts a download; answers its bytes. */
async function download(page, locator) {
  const [file] = await Promise.all([page.waitForEvent('download'), page.locator(locator).first().click()]);
  return readFileSync(await file.path());
}

async function enter(page, base, account, password) {
  await page.goto(`${base}/sign-in`);
  await page.locator('input[name=account]').fill(account);
  await page.locator('input[name=password]').fill(password);
  await page.keyboard.press('Enter');
}

/** The six digits an application shows for a secret in base 32, some seconds from now (RFC 6238). */
function oneTimeCode(secret, later = 0) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => Number.parseInt(b, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor((Date.now() / 1000 + later) / 30)));
  const digest = createHmac('sha1', key).update(step).digest();
  const number = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

/** Tab until the focused element matches; the only way a keyboard has. */
async function tabTo(page, selector, most = 60, key = 'Tab') {
  for (let i = 0; i < most; i++) {
    await page.keyboard.press(key);
    if (await page.evaluate((s) => document.activeElement?.matches(s) ?? false, selector)) return;
  }
  throw new Error(`${most} times ${key} does not reach ${selector}`);
}

export const ACTS = [
  ...PARTY_ACTS,
  ...CASE_ACTS,
  ...SIMULATION_ACTS,
  ...LICENCE_ACTS,
  ...SERVICE_ACTS,
  ...DESK_SERVICE_ACTS,
  ...TERMINAL_ACTS,
  {
    name: 'the glass is broken with a reason and stands open', role: 'duty',
    run: async (page, base) => {
      await page.goto(`${base}/desk/break-glass`);
      await seen(page, 'main form #reason', 'the form of the glass');
      await page.locator('main form #record').fill('91130199MA00123747');
      await page.locator('main form #minutes').fill('5');
      await page.locator('main form #reason').fill('走查：演练突发环境事件时联系企业');
      await page.locator('main form button[type=submit]').click();
      await page.locator('.ant-modal-confirm .ant-btn-dangerous').click();
      await seen(page, 'main table td', 'the open glass');
    },
  },
  {
    name: 'a decision is explained with its policy', role: 'operator',
    run: async (page, base) => {
      await page.goto(`${base}/operator/access`);
      await page.locator('#explain-account').fill('duty');
      await page.locator('#explain-on').fill('register.enterprise/91130199MA00123747');
      await page.locator('main form button[type=submit]').click();
      await seen(page, 'main details summary', 'a policy with its text');
      await until(async () => (await page.locator('main').innerText()).includes('roles.yaml:'), 'no file and line');
    },
  },
  {
    name: 'an alert is acknowledged, assigned, commented and closed', role: 'duty',
    run: async (page, base) => {
      const open = await ask(page, base, '/alerts?state=open,acknowledged,assigned&limit=1');
      must(open.items.length, 'there is no open alert to close');
      const [alert] = open.items;
      await page.goto(`${base}/desk/alerts/${encodeURIComponent(alert.id)}`);
      await seen(page, 'main .station-name code', 'station of the alert');
      await until(async () => (await page.locator('main .station-name').first().innerText()).trim() !== alert.thing, 'the alert names no station');
      const button = (name) => page.locator('main').getByRole('button', { name, exact: false }).first();
      const finish = async () => {
        await page.locator('.ant-modal .ant-btn-primary').click();
        await page.locator('.ant-modal').waitFor({ state: 'hidden' });
      };
      if (alert.state === 'open') {
        await button('知晓').click();
        await page.locator('main .timeline').getByText('知晓').first().waitFor();
      }
      await button('派发').click();
      await page.locator('.ant-modal').getByRole('button', { name: '派给我' }).click();
      await finish();
      await button('备注').click();
      await page.locator('.ant-modal textarea').fill('走查：已电话核实');
      await finish();
      await page.locator('main .timeline').getByText('走查：已电话核实').waitFor();
      await button('办结').click();
      await page.locator('.ant-modal .ant-btn-primary').click();
      await seen(page, '.ant-modal [role=alert]', 'a reason is asked for');
      await page.locator('.ant-modal textarea').fill('走查：处置完毕');
      await finish();
      await page.locator('main .timeline').getByText('走查：处置完毕').waitFor();
      const after = await ask(page, base, `/alerts/${encodeURIComponent(alert.id)}`);
      must(after.state === 'closed' && after.assignee === 'duty', `the alert is ${after.state}, with ${after.assignee}`);
    },
  },
  {
    name: 'an application is registered, a person agrees and takes it back, the application is disabled', role: 'operator',
    run: async (page, base) => {
      const name = `走查应用${Date.now().toString(36)}`;
      const back = 'https://walk.example/callback';
      await page.goto(`${base}/operator/applications`);
      await page.getByRole('button', { name: '登记应用' }).first().click();
      const form = page.locator('.ant-drawer form');
      await form.waitFor();
      await form.getByRole('button', { name: '登记应用' }).click();
      await seen(page, '.ant-drawer .ant-form-item-explain-error', 'what is missing is asked for');
      await form.locator('#name_zh').fill(name);
      await form.locator('#name_en').fill('Walk');
      await form.locator('#purpose_zh').fill('走查');
      await form.locator('#purpose_en').fill('a walk');
      await form.locator('#redirect').fill('http://walk.example/callback');
      await form.getByRole('button', { name: '登记应用' }).click();
      await seen(page, '.ant-drawer [role=alert]', 'an address without https is refused');
      await form.locator('#redirect').fill(back);
      await form.getByRole('button', { name: '登记应用' }).click();
      await seen(page, '.ant-drawer code.secret', 'the secret, once');
      const { items } = await ask(page, base, '/operator/applications?limit=500');
      const made = items.find((a) => a.name.zh === name);
      must(made, 'the application is not in the list');
      const query = new URLSearchParams({
        client_id: made.id, redirect_uri: back, response_type: 'code', scope: 'openid profile', state: 'walk',
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
      });
      await page.goto(`${base}/oauth2/authorize?${query}`);
      await page.getByRole('heading', { name: new RegExp(name) }).waitFor();
      let sentTo = '';
      await page.route('https://walk.example/**', async (route) => { sentTo = route.request().url(); await route.fulfill({ status: 200, body: 'ok' }); });
      await page.getByRole('button', { name: '同意', exact: true }).click();
      await page.waitForURL('https://walk.example/**');
      must(sentTo.includes('code=jcg_') && sentTo.includes('state=walk'), `the browser went to ${sentTo}`);
      await page.goto(`${base}/account`);
      await page.getByRole('button', { name: `断开 ${name}` }).click();
      await page.getByRole('button', { name: '确认断开' }).click();
      await page.getByRole('button', { name: `断开 ${name}` }).waitFor({ state: 'detached' });
      await page.goto(`${base}/operator/applications`);
      await page.getByRole('button', { name: `停用 ${name}` }).click();
      await page.locator('.ant-modal-confirm-btns .ant-btn-dangerous').click();
      await page.getByRole('button', { name: `启用 ${name}` }).waitFor();
    },
  },
  {
    name: 'an account is created, its password changed, disabled', role: 'operator',
    run: async (page, base) => {
      const name = `walk-${Date.now().toString(36)}`;
      const mine = await page.context().cookies();
      await page.goto(`${base}/operator/accounts`);
      await page.getByRole('button', { name: '新建账户' }).click();
      await page.locator('.ant-drawer #name').fill(name);
      await page.locator('.ant-drawer #display').fill('走查账户');
      await page.locator('.ant-drawer #password').fill(PASSWORD_1);
      await page.locator('.ant-drawer #roles').fill('resident');
      await page.keyboard.press('Enter');
      await page.keyboard.press('Escape');
      await page.locator('.ant-drawer button[type=submit]').click();
      await page.locator('.ant-drawer-content-wrapper').waitFor({ state: 'hidden' });
      await page.locator('table').getByText(name, { exact: true }).waitFor();

      await page.context().clearCookies();
      await enter(page, base, name, PASSWORD_1);
      await page.waitForURL(/\/account$/);
      await seen(page, '.account [role=alert]', 'a password set by somebody else is to be changed first');
      await page.locator('input[name=old]').fill('not-the-old-one');
      await page.locator('input[name=new]').fill(PASSWORD_2);
      await page.keyboard.press('Enter');
      await seen(page, '.account form [role=alert]', 'the wrong old password is refused in words');
      await page.locator('input[name=old]').fill(PASSWORD_1);
      await page.keyboard.press('Enter');
      await seen(page, '.account form [role=status]', 'the password is changed');
      must(await page.locator('.account form [role=alert]').count() === 0, 'the old error still stands beside the success');
      await page.context().clearCookies();
      await enter(page, base, name, PASSWORD_1);
      await seen(page, '.error-box', 'the old password no longer opens');
      await enter(page, base, name, PASSWORD_2);
      await seen(page, 'details.user', 'the new password opens');

      await page.context().clearCookies();
      await page.context().addCookies(mine);
      await page.goto(`${base}/operator/accounts`);
      await page.locator(`button[aria-label="停用 ${name}"]`).click();
      await page.locator('.ant-modal-confirm .ant-btn-dangerous').click();
      await seen(page, `button[aria-label="启用 ${name}"]`, 'the account is disabled');
      await page.context().clearCookies();
      await enter(page, base, name, PASSWORD_2);
      await seen(page, '.error-box', 'a disabled account is refused in words');
    },
  },
  {
    name: 'a one-time code is set up on a phone and asked for, then removed', role: 'officer',
    run: async (page, base, password) => {
      await page.setViewportSize({ width: 390, height: 844 });
      await page.context().clearCookies();
      await enter(page, base, 'officer', password);
      await seen(page, 'details.user', 'signed in');
      await page.goto(`${base}/account`);
      await page.getByRole('button', { name: '添加动态验证码' }).click();
      await seen(page, '.totp img', 'the QR code');
      const secret = await page.locator('[data-secret]').innerText();
      await page.locator('.totp input[name=code]').fill('000000');
      await page.keyboard.press('Enter');
      await seen(page, '.account [role=alert]', 'a wrong code is refused in words');
      await page.locator('.totp input[name=code]').fill(oneTimeCode(secret));
      await page.keyboard.press('Enter');
      await seen(page, '.codes li', 'recovery codes');
      const codes = await page.locator('.codes code').allInnerTexts();
      must(codes.length === 10, `${codes.length} recovery codes`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      must(wide <= 1, 'the page is wider than a phone');
      await page.getByRole('button', { name: '我已保存' }).click();

      await page.context().clearCookies();
      await enter(page, base, 'officer', password);
      await seen(page, 'input[name=code]', 'the second step');
      await page.locator('input[name=code]').fill(oneTimeCode(secret, 30));
      await page.keyboard.press('Enter');
      await seen(page, 'details.user', 'password and code open');
      await page.context().clearCookies();
      await enter(page, base, 'officer', password);
      await page.getByRole('button', { name: '改用恢复码' }).click();
      await page.locator('input[name=code]').fill(codes[0].toLowerCase());
      await page.keyboard.press('Enter');
      await seen(page, 'details.user', 'a recovery code opens');
      await page.goto(`${base}/account`);
      await page.getByText('还剩 9 个').waitFor();
      page.once('dialog', (d) => { void d.accept(); });
      await page.getByRole('button', { name: /^删除/ }).first().click();
      await page.getByText('尚未设置').waitFor();
    },
  },
  {
    name: 'a passkey is made, signs in alone and after the password, and is removed', role: 'duty',
    run: async (page, base, password) => {
      // A browser makes passkeys only at a name; the same program answers at this one.
      const here = base.replace('127.0.0.1', 'localhost');
      const devtools = await page.context().newCDPSession(page);
      await devtools.send('WebAuthn.enable');
      await devtools.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
      await page.context().clearCookies();
      await enter(page, here, 'duty', password);
      await seen(page, 'details.user', 'signed in');
      await page.goto(`${here}/account`);
      await page.getByRole('button', { name: '添加通行密钥' }).click();
      await seen(page, '.factors li', 'the passkey in the list');
      await page.context().clearCookies();
      await page.goto(`${here}/sign-in`);
      await page.getByRole('button', { name: '使用通行密钥登录' }).click();
      await seen(page, 'details.user', 'the passkey alone opens');
      await page.context().clearCookies();
      await enter(page, here, 'duty', password);
      await page.getByRole('button', { name: '使用通行密钥', exact: true }).click();
      await seen(page, 'details.user', 'password and passkey open');
      await page.goto(`${here}/account`);
      page.once('dialog', (d) => { void d.accept(); });
      await page.getByRole('button', { name: /^删除/ }).first().click();
      await page.getByText('尚未设置').waitFor();
    },
  },
  {
    name: 'a quota is set with a reason and taken back', role: 'operator',
    run: async (page, base) => {
      const name = `walk_${Date.now().toString(36)}`;
      await page.goto(`${base}/operator/meters`);
      await page.getByRole('button', { name: '新增限额' }).click();
      await page.locator('.ant-drawer #name').fill(name);
      await page.locator('.ant-drawer #organisation').fill('*');
      await page.locator('.ant-drawer #limit').fill('123456');
      await page.locator('.ant-drawer button[type=submit]').click();
      await seen(page, '.ant-form-item-explain-error', 'a reason is asked for');
      await page.locator('.ant-drawer #reason').fill('走查：临时限额');
      await page.locator('.ant-drawer button[type=submit]').click();
      await page.locator('.ant-drawer-content-wrapper').waitFor({ state: 'hidden' });
      await page.locator(`button[aria-label="撤回 ${name}"]`).click();
      await page.locator('.ant-modal-confirm textarea').fill('走查完毕');
      await page.locator('.ant-modal-confirm .ant-btn-dangerous').click();
      await page.locator(`button[aria-label="撤回 ${name}"]`).waitFor({ state: 'hidden' });
      const left = (await ask(page, base, '/operator/quotas')).items.filter((q) => q.name === name);
      must(left.length === 0, 'the quota is still there');
    },
  },
  {
    name: 'a legal hold is placed and released for a reason', role: 'operator',
    run: async (page, base) => {
      const name = `走查保全 ${Date.now().toString(36)}`;
      await page.goto(`${base}/operator/backups`);
      await page.locator('main').getByRole('button', { name: '设置保全' }).click();
      await page.locator('.ant-drawer #name').fill(name);
      await page.locator('.ant-drawer #reason').fill('走查：诉讼保全');
      await page.locator('.ant-drawer #basis').fill('《中华人民共和国行政诉讼法》第四十二条');
      await page.locator('.ant-drawer button[type=submit]').click();
      await seen(page, '.ant-message-error', 'a hold without a scope is refused in words');
      await page.locator('.ant-drawer #thing').fill('130199310000000000000001');
      await page.locator('.ant-drawer button[type=submit]').click();
      await page.locator('.ant-drawer-content-wrapper').waitFor({ state: 'hidden' });
      await page.locator(`button[aria-label="解除 ${name}"]`).click();
      await page.locator('.ant-drawer #reason').fill('走查：撤诉');
      await page.locator('.ant-drawer button[type=submit]').click();
      await page.locator('table').getByText('已解除：走查：撤诉').first().waitFor();
      const { items } = await ask(page, base, '/operator/holds');
      const hold = items.find((i) => i.hold.name === name);
      must(hold && !hold.in_force && hold.hold.released_by === 'operator', 'the hold is released by the operator');
    },
  },
  {
    name: 'a new department: founded, given positions, its officer invited and at work', role: 'operator',
    run: async (page, base) => {
      const began = Date.now();
      const code = `walk_${began.toString(36)}`;
      const [name, account] = [`走查局${began % 1000}`, `w${began.toString(36)}`];
      const mine = await page.context().cookies();
      const drawer = (id) => page.locator(`.ant-drawer-open #${id}`);
      const submit = async () => {
        await page.locator('.ant-drawer-open button[type=submit]').click();
        await page.locator('.ant-drawer-content-wrapper').waitFor({ state: 'hidden' });
      };
      await page.goto(`${base}/operator/organisations/city_government`);
      await page.getByRole('button', { name: '变更 ▾' }).click();
      await page.getByRole('menuitem', { name: '设立下级机构' }).click();
      await drawer('code').fill('city_government');
      await drawer('zh').fill(name);
      await drawer('reason').fill('走查〔2026〕1 号');
      await page.locator('.ant-drawer-open button[type=submit]').click();
      await seen(page, '.ant-drawer-open .error-box', 'a code that is taken is refused in words');
      await drawer('code').fill(code);
      await submit();
      await page.goto(`${base}/operator/organisations?text=${encodeURIComponent(name)}`);
      await page.locator('.org-hits button').first().click();
      await page.getByRole('tab', { name: '岗位' }).click();
      await page.getByRole('button', { name: '设置岗位' }).click();
      await drawer('zh').fill('值班员');
      await drawer('roles').fill('duty_officer');
      await page.keyboard.press('Enter');
      await page.keyboard.press('Escape');
      await submit();
      await page.getByRole('tab', { name: '人员' }).click();
      await page.getByRole('button', { name: '邀请人员' }).click();
      await drawer('account').fill(account);
      await drawer('name').fill('走查员');
      await drawer('position').click();
      await page.locator('.ant-select-item-option').first().click();
      await page.locator('.ant-drawer-open button[type=submit]').click();
      const password = (await page.locator('.invited-password').innerText()).trim();
      await page.context().clearCookies();
      await enter(page, base, account, password);
      await page.waitForURL('**/account');
      const own = `${password}-own-2026`;
      await page.locator('input[name=old]').fill(password);
      await page.locator('input[name=new]').fill(own);
      await page.keyboard.press('Enter');
      await page.locator('main .error-box').waitFor({ state: 'detached' });
      await page.goto(`${base}/desk/alerts`);
      await seen(page, 'main table', 'the new officer sees the alerts');
      console.log(`  a department by the pages, from nothing to its officer at work: ${((Date.now() - began) / 1000).toFixed(1)} s`);
      await page.goto(`${base}/operator/members/officer`);
      await seen(page, 'main [role=alert]', 'another department’s member is not shown');
      await page.context().clearCookies();
      await page.context().addCookies(mine);
      await page.goto(`${base}/operator/members/${account}`);
      await page.getByRole('button', { name: '交接' }).click();
      await page.getByRole('button', { name: '下一步' }).click();
      await page.locator('.ant-drawer-open input[name=reason]').fill('走查结束');
      await page.getByRole('button', { name: '签字确认' }).click();
      await seen(page, 'main .banner.warn', 'the officer has left');
      await page.context().clearCookies();
      await enter(page, base, account, own);
      await seen(page, '.error-box', 'who left signs in no more');
    },
  },
  {
    name: 'a register goes out as CSV, is changed and comes back', role: 'officer',
    run: async (page, base) => {
      await page.goto(`${base}/data/registers/enterprise`);
      await seen(page, 'tbody tr', 'enterprises');
      const text = (await download(page, '.provenance a[download]')).toString('utf8').replace(/^\uFEFF/, '');
      const lines = text.trimEnd().split(/\r?\n/);
      const { total } = await ask(page, base, '/registers/enterprise?limit=1');
      must(lines.length === total + 1, `${lines.length - 1} rows were downloaded of ${total}`);
      await page.getByRole('button', { name: '导入 CSV' }).click();
      const put = async (content) => {
        await page.locator('.ant-drawer input[type=file]').setInputFiles({ name: 'enterprise.csv', mimeType: 'text/csv', buffer: Buffer.from(content) });
        await page.waitForTimeout(300);
        await page.waitForFunction(() => document.querySelector('.ant-drawer [role=status], .ant-drawer [role=alert]'));
        const fault = page.locator('.ant-drawer .error-box');
        if (await fault.count()) return `refused: ${(await fault.innerText()).slice(0, 200)}`;
        return page.locator('.ant-drawer [role=status]').innerText();
      };
      const same = await put(text);
      must(same.includes(`未变 ${total}`), `the same file again: ${same}`);
      const at = lines[0].split(',').indexOf('address');
      const cells = lines[1].split(',');
      cells[at] = `走查路 ${Date.now() % 1000} 号`;
      const changed = await put(`\uFEFF${[lines[0], cells.join(','), ...lines.slice(2)].join('\r\n')}\r\n`);
      must(changed.includes('更新 1'), `one address changed: ${changed}`);
      const wrong = await put('uscc,name,district\r\nnot-a-code,,\r\n');
      must(wrong.startsWith('refused'), `a wrong file: ${wrong}`);
    },
  },
  {
    name: 'series go out as CSV and Parquet, alerts as CSV', role: 'officer',
    run: async (page, base) => {
      const { items: [s] } = await ask(page, base, '/series?limit=1&kind=real_time');
      await page.goto(`${base}/data/series?series=${encodeURIComponent(`${s.thing}~${s.property}~${s.kind}`)}`);
      await seen(page, '.provenance a[download]', 'downloads');
      const text = await download(page, '.provenance a[download][href*="format=csv"]');
      must(text.toString('utf8').split('\n').length > 2, `the CSV has no rows: ${text.toString('utf8').slice(0, 120)}`);
      const parquet = await download(page, '.provenance a[download][href*="format=parquet"]');
      must(parquet.subarray(0, 4).toString() === 'PAR1' && parquet.subarray(-4).toString() === 'PAR1', 'the Parquet file is none');
      await page.goto(`${base}/desk/alerts?queue=closed`);
      await seen(page, 'tbody tr', 'alerts');
      const alerts = (await download(page, 'a[href*="/alerts?"][href*="format=csv"]')).toString('utf8');
      must(/(^|,)id,/.test(alerts.replace(/^\uFEFF/, '').split('\n')[0]), 'the CSV of alerts has no head');
      await page.locator('tbody .ant-checkbox-input').first().check();
      const chosen = (await download(page, 'button:has-text("导出所选")')).toString('utf8');
      must(chosen.trimEnd().split('\n').length === 2, 'one alert was chosen, the file holds another number');
    },
  },
  {
    name: 'the bulletin prints on A4 without the menus', role: 'officer',
    run: async (page, base) => {
      const today = new Date(Date.now() + 8 * 3600_000).toISOString().slice(0, 10);
      await page.goto(`${base}/desk/bulletin?date=${today}`);
      await seen(page, 'article.bulletin', 'bulletin');
      await page.waitForTimeout(800);
      await page.emulateMedia({ media: 'print' });
      const shown = await page.evaluate(() => ['header.top', 'nav.pages', '.provenance'].filter((s) => {
        const box = document.querySelector(s)?.getBoundingClientRect();
        return box && box.height > 0;
      }));
      must(shown.length === 0, `printed too: ${shown.join(' ')}`);
      const said = await page.locator('.banner.simulated').isVisible();
      must(said || !(await ask(page, base, '/city')).simulated, 'paper does not say that the figures are simulated');
      await page.evaluate(() => { document.documentElement.dataset.theme = 'dark'; });
      const ink = await page.evaluate(() => getComputedStyle(document.querySelector('article.bulletin h2')).color);
      must(ink === 'rgb(0, 0, 0)', `dark pages print in ${ink}`);
      const pdf = await page.pdf({ format: 'A4', path: process.env.BULLETIN_PDF });
      await page.emulateMedia({ media: null });
      const pages = pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length ?? 0;
      must(pages >= 1 && pages <= 40, `the bulletin prints on ${pages} pages`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      must(wide <= 1, 'the bulletin is wider than the page');
    },
  },
  {
    name: 'keyboard: open a station, its charts, the command map and a station there', role: 'officer',
    run: async (page, base) => {
      await page.goto(`${base}/desk/stations`);
      await seen(page, 'tbody tr', 'stations');
      await page.keyboard.press('/');
      must(await page.evaluate(() => document.activeElement?.tagName === 'INPUT'), '/ does not reach the search');
      await page.keyboard.press('Escape');
      await tabTo(page, 'tbody a', 90);
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/desk\/stations\/.+/);
      await seen(page, 'main nav a', 'tabs of the station');
      await tabTo(page, 'main nav a[href$="/charts"]');
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/charts$/);
      await tabTo(page, 'header a[href="/command"]', 60, 'Shift+Tab');
      await page.keyboard.press('Enter');
      await seen(page, '.find input', 'search of the map');
      await tabTo(page, '.find input');
      const name = await page.locator('#stations-of-map option').first().getAttribute('value');
      await page.keyboard.insertText(name);
      await seen(page, '.ant-drawer', 'the station chosen by keyboard');
      await page.keyboard.press('Escape');
      await page.locator('.ant-drawer-content-wrapper').waitFor({ state: 'hidden' });
      await tabTo(page, '.wall-alert a', 200);
    },
  },
];
