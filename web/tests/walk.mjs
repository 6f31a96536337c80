// Walk: signs in as each role on a running city and visits every page in both languages, both themes
// and three widths; fails on broken pages, errors in the console, requests to other machines and
// serious axe-core findings. With --pictures the screenshots of the main pages go to docs/pictures.
//   BASE_URL=http://127.0.0.1:8080 ACCOUNTS='{"officer":"password",…}' (or the path of demo-accounts.json) node tests/walk.mjs [--pictures] [--quick]
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { ACTS } from './acts.mjs';
import { album } from './pictures.mjs';
import { discover, IN_EVERY_LOOK, pagesOf, STEPS } from './pages.mjs';

const base = process.env.BASE_URL ?? 'http://127.0.0.1:8080';
const accounts = readAccounts(process.env.ACCOUNTS ?? '{}');
const quick = process.argv.includes('--quick');
const only = process.argv.find((a) => a.startsWith('--only='))?.slice(7);
const act = process.argv.find((a) => a.startsWith('--act='))?.slice(6);
const out = process.env.PICTURES ?? join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'docs', 'pictures');
const pictures = process.argv.includes('--pictures') ? album(out) : null;
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const executablePath = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const WIDTHS = { 390: 844, 1280: 800, 1920: 1080 };
const SETTLE_MS = pictures ? 900 : 350;
const WORKERS = Number(process.env.WALK_WORKERS ?? 3);
const problems = [];
const report = (where, what) => {
  problems.push(`${where}: ${what}`);
  console.log(`  ✗ ${where}: ${what}`);
};

/** Names and passwords: given as JSON or as a file, flat or as a list of `{name, password}`. */
function readAccounts(given) {
  const read = JSON.parse(given.trim().startsWith('{') ? given : readFileSync(given, 'utf8'));
  const list = Array.isArray(read) ? read : (read.accounts ?? read);
  if (!Array.isArray(list)) return Object.fromEntries(Object.entries(list).map(([name, v]) => [name, typeof v === 'string' ? v : v.password]));
  return Object.fromEntries(list.map((a) => [a.name ?? a.account, a.password]));
}

if (!executablePath) {
  console.log('walk: skipped, no Chromium found (set CHROMIUM)');
  process.exit(process.env.WALK_REQUIRED ? 1 : 0);
}
const browser = await chromium.launch({
  executablePath,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
});

/** A fresh person: own cookies, own choices. */
async function person(look) {
  const context = await browser.newContext({ viewport: { width: look.width, height: WIDTHS[look.width] }, locale: look.lang === 'zh' ? 'zh-CN' : 'en-GB', timezoneId: 'Europe/London', reducedMotion: 'reduce' });
  await context.addInitScript(([lang, theme]) => {
    localStorage.setItem('jicheng.lang', lang);
    localStorage.setItem('jicheng.theme.pages', theme);
    // The command face is dark by default: shown dark where the other pages are light, and the reverse.
    localStorage.setItem('jicheng.theme.command', theme === 'light' ? 'dark' : 'light');
  }, [look.lang, look.theme]);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const here = { page, context, where: '', acting: false };
  page.on('pageerror', (e) => report(here.where, `page error ${e.message}`));
  page.on('console', (m) => {
    if (m.type() === 'error' && !/Failed to load resource/.test(m.text())) report(here.where, `console: ${m.text().slice(0, 300)}`);
  });
  page.on('request', (r) => {
    // Names ending in .example belong to nobody (RFC 2606): an act plays the foreign application itself.
    if (here.acting && new URL(r.url()).hostname.endsWith('.example')) return;
    if (!r.url().startsWith(base) && !r.url().startsWith(base.replace('127.0.0.1', 'localhost')) && !/^(data|blob):/.test(r.url())) report(here.where, `foreign request ${r.url()}`);
  });
  page.on('response', (r) => {
    // An act tries what must be refused; a page never sends what is refused.
    if (r.status() >= 500 || (r.status() === 422 && !here.acting)) report(here.where, `${r.status()} ${r.url()}`);
  });
  return here;
}

async function signIn(here, account) {
  here.where = `sign-in ${account}`;
  await here.page.goto(`${base}/sign-in`);
  await here.page.locator('input[name=account]').fill(account);
  await here.page.locator('input[name=password]').fill(accounts[account]);
  await here.page.keyboard.press('Enter');
  await here.page.locator('details.user').waitFor();
}

async function settle(page) {
  await page.waitForLoadState('domcontentloaded');
  await page.locator('main h1').first().waitFor({ state: 'attached' });
  await page.waitForFunction(() => document.querySelectorAll('.skeleton').length === 0).catch(() => {});
  await page.waitForTimeout(SETTLE_MS);
}

async function checkAxe(here) {
  await here.page.evaluate(axeSource);
  const found = await here.page.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  for (const v of found.violations.filter((x) => x.impact === 'serious' || x.impact === 'critical')) {
    report(here.where, `axe ${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${n.any[0]?.message ?? ''}`).join(' | ')}`);
  }
}

async function visit(here, item, look, axe) {
  here.where = `${item.name} ${look.lang} ${look.theme} ${look.width}`;
  await here.page.goto(base + item.path);
  await settle(here.page);
  if (await here.page.locator('.state[role=alert]').count()) report(here.where, `shows: ${(await here.page.locator('.state[role=alert]').first().innerText()).slice(0, 200)}`);
  const wide = await here.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 1) {
    const far = await here.page.evaluate(() => [...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => `${e.tagName.toLowerCase()}.${e.className} ${Math.round(e.getBoundingClientRect().width)} px: ${e.textContent.slice(0, 40)}`).slice(0, 6));
    report(here.where, `page is ${wide} px wider than the screen: ${far.join(' | ')}`);
  }
  if (axe) await checkAxe(here);
  if (pictures && look.pictured(item.name) && !/^(duty|resident|auditor|officer)-/.test(item.name)) await pictures.shoot(here.page, item, look);
}

/** Pages also pictured in English and on the wall. */
const ON_WALL = new Set(['portal', 'command', 'command-past', 'alerts', 'station-charts', 'operator-health']);
const IN_ENGLISH = new Set(['portal', 'command', 'alerts', 'alert', 'station-values', 'series', 'operator-health']);
const LOOKS = [
  { lang: 'zh', theme: 'light', width: 1280, axe: true, quick: true, pictured: () => true },
  { lang: 'en', theme: 'dark', width: 1280, axe: true, pictured: (name) => IN_ENGLISH.has(name) },
  { lang: 'zh', theme: 'light', width: 390, axe: true, pictured: () => true },
  { lang: 'en', theme: 'dark', width: 390, axe: true, quick: true, pictured: () => false },
  { lang: 'zh', theme: 'light', width: 1920, axe: false, pictured: (name) => ON_WALL.has(name) },
];
const roles = Object.keys(accounts);
/** One role in one look. */
async function tour({ look, role }) {
  const here = await person(look);
  here.where = `${role ?? 'public'} ${look.lang} ${look.theme} ${look.width}`;
  const begun = Date.now();
  try {
    if (role) await signIn(here, role);
    const items = pagesOf(role, role ? await discover(here.page, base) : {}).filter((p) => !only || p.name.includes(only));
    for (const item of items) await visit(here, item, look, look.axe).catch((e) => report(here.where, e.message.split('\n')[0]));
    console.log(`${role ?? 'public'} ${look.lang} ${look.theme} ${look.width}: ${items.length} pages, ${seconds(begun)} s`);
  } catch (e) {
    report(here.where, e.message.split('\n')[0]);
  }
  await here.context.close();
}

/** A path through several pages or an act; a failing one is a problem like any other. */
async function step({ name, role, run }) {
  const here = await person({ lang: 'zh', theme: 'light', width: 1280 });
  const begun = Date.now();
  try {
    await signIn(here, role);
    here.where = name;
    here.acting = true;
    const worth = await run(here.page, base, accounts[role]);
    console.log(`step ${name}: ${seconds(begun)} s`);
    // Pages that only whoever acted can see; they come after those of the tours and replace them.
    if (pictures) for (const item of worth?.pages ?? []) await visit(here, item, { lang: 'zh', width: worth.width, pictured: () => true }, false);
  } catch (e) {
    report(name, e.message.split('\n').slice(0, 3).join(' '));
    // What the page said, for whoever reads the log, and how it looked.
    const said = await here.page.locator('[role=alert], .error-text').allInnerTexts().catch(() => []);
    if (said.length) console.log(`    the page says: ${said.join(' | ').replace(/\s+/g, ' ').slice(0, 600)}`);
    const picture = join(tmpdir(), `walk-${process.pid}-${problems.length}.png`);
    await here.page.screenshot({ path: picture, fullPage: true }).then(() => console.log(`    picture: ${picture}`), () => {});
  }
  await here.context.close();
}

const seconds = (begun) => Math.round((Date.now() - begun) / 1000);
const begun = Date.now();
const tours = LOOKS.filter((look) => !act && (!quick || look.quick)).flatMap((look) => [null, ...roles].filter((role) => look === LOOKS[0] || IN_EVERY_LOOK.has(role)).map((role) => ({ look, role })));
// The long tours first, so that no worker ends far behind the others.
tours.sort((a, b) => Number(b.role === 'officer') - Number(a.role === 'officer'));
const worker = async () => {
  for (let next = tours.shift(); next; next = tours.shift()) await tour(next);
};
await Promise.all(Array.from({ length: WORKERS }, worker));
// Acts change the city, so they come after the pages, one at a time.
if (!only) for (const one of [...STEPS, ...ACTS].filter((s) => accounts[s.role] && (!act || s.name.includes(act)))) await step(one);
if (pictures) console.log(`pictures: ${Math.round(pictures.finish({ whole: !only && !quick && !act }) / 1024)} KiB in ${out}`);
await browser.close();
console.log(`walk: ${problems.length ? `${problems.length} problem(s)` : 'no problem found'} in ${seconds(begun)} s`);
process.exit(problems.length ? 1 : 0);
