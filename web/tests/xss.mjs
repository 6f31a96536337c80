// Attack: stored and reflected XSS. Writes payloads into every text field of every route that
// takes a body (from the OpenAPI document) and of every record of the registers, types them into
// every text field of every page and into every address, then visits every page: no dialog opens,
// no script of ours runs, the browser reports no breach of the content policy.
//   BASE_URL=http://127.0.0.1:8080 ACCOUNTS='{"officer":"password",…}' (or the path of demo-accounts.json) node tests/xss.mjs
import { existsSync, readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { discover, pagesOf } from './pages.mjs';

const base = process.env.BASE_URL ?? 'http://127.0.0.1:8080';
const given = process.env.ACCOUNTS ?? '{}';
const read = JSON.parse(given.trim().startsWith('{') ? given : readFileSync(given, 'utf8'));
const list = Array.isArray(read) ? read : (read.accounts ?? Object.entries(read).map(([name, v]) => ({ name, password: v.password ?? v })));
const accounts = Object.fromEntries(list.map((a) => [a.name ?? a.account, a.password]));
const executablePath = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
if (!executablePath) {
  console.log('xss: skipped, no Chromium found (set CHROMIUM)');
  process.exit(process.env.WALK_REQUIRED ? 1 : 0);
}

const PAYLOADS = [
  '<script>window.__xss=1;alert(1)</script>',
  '"><img src=x onerror="window.__xss=1;alert(1)">',
  "'><svg/onload=window.__xss=1>",
  'javascript:window.__xss=1//',
  '{{constructor.constructor("window.__xss=1")()}}',
  '</title></textarea><iframe srcdoc="<script>parent.__xss=1</script>">',
];
const problems = [];
const report = (where, what) => { problems.push(`${where}: ${what}`); console.log(`  ✗ ${where}: ${what}`); };
let turn = 0;
const payload = (most = 500) => {
  const fit = PAYLOADS.filter((p) => p.length <= most);
  return fit.length ? fit[turn++ % fit.length] : '<b>'.slice(0, most);
};

/** Something for a schema, with a payload wherever a free text is taken. */
function fill(schema, all, depth = 0) {
  const s = schema?.$ref ? all[schema.$ref.split('/').pop()] : schema;
  if (!s || depth > 4) return payload();
  if (s.enum) return s.enum[0];
  const type = [].concat(s.type ?? 'string').find((t) => t !== 'null');
  if (type === 'object') return Object.fromEntries(Object.entries(s.properties ?? {}).map(([k, v]) => [k, fill(v, all, depth + 1)]));
  if (type === 'array') return [fill(s.items, all, depth + 1)];
  if (type === 'integer' || type === 'number') return Math.max(1, s.minimum ?? 1);
  if (type === 'boolean') return true;
  return payload(s.maxLength);
}

const browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic'] });

async function person(role) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  await context.addInitScript(() => {
    window.__breaches = [];
    document.addEventListener('securitypolicyviolation', (e) => window.__breaches.push(`${e.violatedDirective} ${e.blockedURI}`));
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const here = { page, context, where: role };
  page.on('dialog', (d) => { report(here.where, `a dialog opened: ${d.message()}`); void d.dismiss(); });
  await page.goto(`${base}/sign-in`);
  await page.locator('input[name=account]').fill(role);
  await page.locator('input[name=password]').fill(accounts[role]);
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => !url.pathname.startsWith('/sign-in'));
  return here;
}

async function harmless(here) {
  const found = await here.page.evaluate(() => ({ ran: window.__xss, breaches: window.__breaches ?? [], frames: document.querySelectorAll('iframe').length }));
  if (found.ran) report(here.where, 'a payload ran');
  if (found.frames) report(here.where, 'a payload made a frame');
  for (const breach of found.breaches) report(here.where, `policy: ${breach}`);
}

const call = (page, method, path, body) => page.evaluate(async ([m, url, b]) => {
  const answer = await fetch(url, { method: m, headers: { 'content-type': 'application/json', 'x-csrf': '1' }, body: b === undefined ? undefined : JSON.stringify(b) });
  const text = await answer.text();
  return { status: answer.status, text, type: answer.headers.get('content-type') ?? '' };
}, [method, `${base}${path}`, body]);

let written = 0;
let fields = 0;
/** Payloads into every route that takes a body, and into free texts of records. */
async function write(here) {
  const { page } = here;
  const document = JSON.parse((await call(page, 'GET', '/api/v1/openapi.json')).text);
  const all = document.components?.schemas ?? {};
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, route] of Object.entries(methods)) {
      const schema = route.requestBody?.content?.['application/json']?.schema;
      // Signing oneself out, or one's own password away, would end the attack.
      if (!schema || path.includes('/session')) continue;
      const target = path.replace(/\{[^}]+\}/g, encodeURIComponent(payload(60)));
      const answer = await call(page, method.toUpperCase(), target, fill(schema, all));
      written += 1;
      if (answer.status >= 500) report(`${method} ${path}`, `${answer.status} ${answer.text.slice(0, 200)}`);
      if (answer.type.includes('html')) report(`${method} ${path}`, 'answers with HTML');
    }
  }
  const registers = JSON.parse((await call(page, 'GET', '/api/v1/registers')).text).items ?? [];
  for (const register of registers) {
    const name = register.name;
    const some = JSON.parse((await call(page, 'GET', `/api/v1/registers/${name}?limit=1`)).text).items?.[0];
    if (!some) continue;
    const values = some.values ?? some.fields ?? some.data;
    if (!values) continue;
    for (const [field, value] of Object.entries(values)) {
      if (typeof value !== 'string') continue;
      const answer = await call(page, 'PUT', `/api/v1/registers/${name}/${encodeURIComponent(some.key)}`, { ...some, values: { ...values, [field]: payload(100) } });
      written += 1;
      if (answer.status >= 500) report(`${name}.${field}`, `${answer.status} ${answer.text.slice(0, 200)}`);
    }
  }
}

/** Payloads typed into every text field of the page that is open. */
async function type(here) {
  const inputs = here.page.locator('main input:not([type=checkbox]):not([type=radio]):not([type=file]):not([type=date]):not([readonly]), main textarea, .ant-drawer input:not([readonly]), .ant-drawer textarea');
  const count = Math.min(await inputs.count(), 12);
  for (let i = 0; i < count; i++) {
    const input = inputs.nth(i);
    try {
      await input.fill(payload(), { timeout: 1_500 });
      await input.press('Enter', { timeout: 1_500 });
      fields += 1;
    } catch { /* Not visible, or of another kind: nothing can be typed there. */ }
  }
}

let visited = 0;
for (const role of ['officer', 'operator', 'duty', 'resident', 'auditor']) {
  if (!accounts[role]) continue;
  const here = await person(role);
  await write(here);
  const known = await discover(here.page, base);
  for (const { path } of pagesOf(role, known)) {
    here.where = `${role} ${path}`;
    const text = encodeURIComponent(payload());
    for (const address of [path, `${path}${path.includes('?') ? '&' : '?'}text=${text}&q=${text}&then=${encodeURIComponent('javascript:window.__xss=1')}#${text}`]) {
      await here.page.goto(`${base}${address}`);
      await here.page.waitForTimeout(250);
      await harmless(here);
      visited += 1;
    }
    await type(here);
    await here.page.waitForTimeout(200);
    await harmless(here);
  }
  await here.context.close();
}
await browser.close();
console.log(`xss: ${written} bodies written, ${fields} fields typed, ${visited} pages visited, ${problems.length} problem(s)`);
process.exit(problems.length ? 1 : 0);
