// Walk: acts of services: a resident's birth bundle on a desktop and on a phone of 390 px: search,
// guidance, the form with what the city knows, papers, handing in, progress without signing in, a
// correction, the licence in the wallet, a rating; a form that loses its network and its second
// window; search by the keyboard alone. Persons are synthetic (area 130199).
import { readFileSync } from 'node:fs';
import { bearer, person, resident, serials } from './parties.mjs';
import { until } from './until.mjs';

const must = (holds, what) => {
  if (!holds) throw new Error(what);
};
const api = (base, path) => `${base}/api/v1${path}`;
const ask = (page, base, path) => page.evaluate(async (url) => (await fetch(url)).json(), api(base, path));
const next = (page) => page.locator('[data-next]').click();
/** One white pixel: the smallest file that is what it says it is. */
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64');
const paper = (name) => ({ name, mimeType: 'image/png', buffer: PNG });

/** Answers of the walk by the name of the field; for every other the first option or something that fits. */
const ANSWERS = { father_known: 'false', child_name: '李小冀', weeks: '39', weight: '3200', child_birth: '2026-11-02' };

/** Answers what is asked on this page and not answered yet. */
export async function fillPage(page, answers = ANSWERS) {
  // An answer may open a question below it, so the page is looked at anew until nothing is empty.
  for (let round = 0; round < 4; round++) {
    let changed = 0;
    for (const field of await page.locator('main [data-field]').all()) {
      const name = await field.getAttribute('data-field');
      const given = answers[name];
      if (await field.locator('.pick input').count()) {
        if (await field.locator('.pick input:checked').count()) continue;
        await field.locator(given === undefined ? '.pick input' : `.pick input[value="${given}"]`).first().check();
      } else if (await field.locator('select').count()) {
        if (await field.locator('select').inputValue()) continue;
        await field.locator('select').selectOption({ index: 1 });
      } else {
        const input = field.locator('input, textarea').first();
        if (await input.inputValue()) continue;
        const kind = (await input.getAttribute('type')) ?? '';
        await input.fill(given ?? (kind === 'date' ? '2026-11-02' : kind === 'tel' ? '13900000000' : (await input.getAttribute('inputmode')) ? '30' : '走查演示'));
      }
      changed++;
    }
    if (!changed) return;
    await page.waitForTimeout(150);
  }
}

/** From the search to the draft. */
export async function begin(page, base, { words, item }) {
  await page.goto(`${base}/services`);
  await page.locator('#service-text').fill(words);
  await page.locator(`a.service-card[href="/services/${item}"]`).click();
  await page.locator('#materials').waitFor();
  await until(async () => (await page.locator('main').innerText()).includes('城市已有'), 'the guide does not say what the city has');
  await page.locator(`a[href="/services/${item}/guide"]`).click();
  await page.locator('input[name=option]').first().waitFor();
  await page.locator('main form button[type=submit]').click();
  await page.locator('#guide-fault').waitFor();
  while (!(await page.locator('#fits').count())) {
    await page.locator('input[name=option]').first().check();
    const before = page.url();
    await page.locator('main form button[type=submit]').click();
    await page.waitForFunction((url) => location.href !== url, before);
    // Either it comes to an end or the next question stands there, not answered yet.
    await page.waitForFunction(() => document.querySelector('#fits') || (document.querySelector('input[name=option]') && !document.querySelector('input[name=option]:checked')));
  }
  await page.locator('[data-begin]').click();
  await page.waitForURL(/\/apply\/.+/);
  await page.locator('[data-next]').waitFor();
}

/** The first page: prefilled with its source; an empty answer is said on top and at its field. */
async function firstPage(page) {
  await until(async () => (await page.locator('.source-note').count()) > 0, 'no prefilled value says where it comes from');
  await page.locator('main [data-next]').click();
  await page.locator('.fault-summary').waitFor();
  must(await page.evaluate(() => document.activeElement?.classList.contains('fault-summary')), 'the summary of faults does not get the focus');
  await page.locator('.fault-summary a').first().click();
  must(await page.evaluate(() => Boolean(document.activeElement?.closest('[data-field]'))), 'the summary does not lead to the field');
}

/** Papers: what the city has is not asked for; a wrong kind is refused in words; one is removed again. */
async function papers(page) {
  await page.locator('.material-list').waitFor();
  let first = true;
  for (const box of await page.locator('[data-material]').all()) {
    if (!(await box.locator('input[type=file]').count()) || (await box.innerText()).includes('选填')) continue;
    const input = box.locator('input[type=file]');
    if (first) {
      await input.setInputFiles({ name: '走查.exe', mimeType: 'application/octet-stream', buffer: Buffer.from('MZ') });
      await box.locator('[role=alert]').waitFor();
      await input.setInputFiles(paper('多余.png'));
      await box.getByRole('button', { name: '删除 多余.png' }).click();
      await box.locator('.file-list li').waitFor({ state: 'detached' });
      first = false;
    }
    await input.setInputFiles(paper('走查.png'));
    await box.locator('.file-list li').first().waitFor();
  }
}

/** Every page of the form; answers number and check code of the receipt. */
export async function fillAndHandIn(page, base) {
  await firstPage(page);
  for (let i = 0; i < 20; i++) {
    await page.locator('[data-next], [data-submit]').first().waitFor();
    if (await page.locator('[data-submit]').count()) break;
    if (await page.locator('.material-list').count()) await papers(page);
    else if (await page.locator('input[name=delivery]').count()) await page.locator('input[name=delivery][value=electronic]').check();
    else await fillPage(page);
    const before = page.url();
    await next(page);
    await page.waitForFunction((url) => location.href !== url || document.querySelector('.fault-summary'), before);
    if (await page.locator('.fault-summary').count()) throw new Error(`a page is refused: ${await page.locator('.fault-summary').first().innerText()}`);
  }
  await page.locator('[data-save=saved]').waitFor();
  // Saved on the server: another opening of the same draft goes on where one was.
  await page.goto(page.url().replace(/\?.*$/, ''));
  await page.locator('[data-submit]').waitFor();
  await page.locator('[data-answer=child_name] a').click();
  await page.locator('#field-child_name').waitFor();
  await page.waitForFunction(() => document.activeElement?.id === 'field-child_name');
  await page.locator('#field-child_name').fill('李小乐');
  await next(page);
  await page.locator('[data-answer=child_name]', { hasText: '李小乐' }).waitFor();
  await page.locator('[data-submit]').click();
  await page.locator('[data-receipt]').waitFor();
  const number = (await page.locator('[data-number]').innerText()).trim();
  const check = (await page.locator('[data-check]').innerText()).trim();
  must(/^\d{6}$/.test(check), `the check code is ${check}`);
  await page.locator('main a[download]').waitFor();
  await page.goto(`${base}/portal/applications`);
  await page.locator(`[data-application="${number}"]`).waitFor();
  return { number, check };
}

/** Without an account: a wrong code tells nothing, the right one the state and no person. */
export async function progress(stranger, base, { number, check }, names) {
  await stranger.goto(`${base}/progress`);
  await stranger.locator('input[name=number]').fill(number);
  await stranger.locator('input[name=check]').fill(check === '000000' ? '000001' : '000000');
  await stranger.locator('main form button[type=submit]').click();
  await stranger.locator('main form [role=alert]').waitFor();
  await stranger.locator('input[name=check]').fill(check);
  await stranger.locator('main form button[type=submit]').click();
  await stranger.locator('[data-progress]').waitFor();
  const said = await stranger.locator('[data-progress]').innerText();
  for (const name of names) must(!said.includes(name), `progress without signing in names ${name}`);
}

/** What the office does, by its calls: its own pages have their own walk. */
const tokens = new Map();
export function office(page, base) {
  const accounts = () => {
    const given = process.env.ACCOUNTS ?? '{}';
    const read = JSON.parse(given.trim().startsWith('{') ? given : readFileSync(given, 'utf8'));
    const list = Array.isArray(read) ? read : (read.accounts ?? read);
    const rows = Array.isArray(list) ? list.map((a) => [a.name ?? a.account, a]) : Object.entries(list);
    return rows.filter(([name]) => name !== 'resident');
  };
  /** Accounts that hold a role one of these tasks is offered to. */
  const names = (tasks) => {
    const roles = new Set(tasks.flatMap((task) => task.roles ?? []));
    return accounts().filter(([, account]) => (account.roles ?? []).some((role) => roles.has(role))).map(([name]) => name);
  };
  const as = async (name) => {
    if (!tokens.has(name)) {
      // A bearer is asked for in a context of its own, so that the resident stays signed in.
      const context = await page.context().browser().newContext();
      tokens.set(name, await bearer(await context.newPage(), base, name));
      await context.close();
    }
    return { ...tokens.get(name) };
  };
  const call = async (name, method, path, data, version) => {
    const headers = { ...(await as(name)), 'Content-Type': 'application/json', ...(version === undefined ? {} : { 'If-Match': `"${version}"` }) };
    const answer = await fetch(api(base, path), { method, headers, ...(data === undefined ? {} : { body: JSON.stringify(data) }) });
    return { ok: answer.ok, body: await answer.json().catch(() => null) };
  };
  const handle = async (id, verb) => {
    const { ok, body } = await call('clerk', 'POST', `/service-applications/${encodeURIComponent(id)}/handle`, verb);
    must(ok, `the clerk may not ${verb.verb}: ${JSON.stringify(body)}`);
  };
  /** What a form of the desk asks for, with what is asked only after other answers. */
  const answersFor = (schema) => {
    const answers = {};
    for (const [name, f] of Object.entries(schema?.properties ?? {})) {
      const asked = (f['x-when'] ?? []).every(({ field, in: words }) => words.includes(answers[field]));
      if (asked && (schema.required ?? []).includes(name)) answers[name] = answerFor(f);
    }
    return answers;
  };
  const answerFor = (f) => {
    const today = new Date(Date.now() + 8 * 3600_000).toISOString().slice(0, 10);
    if (f.type === 'boolean') return true;
    if (f.enum) return f.enum[0];
    if (f.type === 'integer' || f.type === 'number') return f.minimum ?? 1;
    if (f.format === 'date') return today;
    // The one pattern of the delivered forms: the number of a card.
    if (f.pattern) return '13019900000001';
    return f.format === 'citizen-number' ? person(serials()[0], today.replaceAll('-', '')).number : '走查：符合';
  };
  const USUAL = { accept: { accepted: true }, review: { opinion: 'agree' }, approve: { approved: true }, inspect: { passed: true, inspected_on: '2026-11-02', findings: '走查：符合' } };
  /** Claims and completes what is open for a number, whoever of the office may. */
  const one = async (name, number, item) => {
    const found = await call(name, 'GET', `/tasks?text=${encodeURIComponent(number)}&limit=20`);
    let done = 0;
    for (const task of found.body?.items ?? []) {
      if (task.state !== 'open' || task.number !== number) continue;
      const claimed = task.assignee ? { ok: true, body: { task } } : await call(name, 'POST', `/tasks/${task.id}/verbs`, { verb: 'claim' }, task.revision);
      if (!claimed.ok) continue;
      const data = item.content.desk_forms?.[task.form] ? answersFor(item.content.desk_forms[task.form]) : (USUAL[task.form] ?? {});
      const completed = await call(name, 'POST', `/tasks/${task.id}/verbs`, { verb: 'complete', data }, claimed.body.task.revision);
      must(completed.ok, `${name} may not complete ${task.node} of ${number}: ${JSON.stringify(completed.body)}`);
      done++;
    }
    return done;
  };
  return {
    correct: (id, missing) => handle(id, { verb: 'correction', missing }),
    accept: (id) => handle(id, { verb: 'accept', note: '走查' }),
    file: async (id) => (await call('clerk', 'GET', `/service-applications/${encodeURIComponent(id)}`)).body,
    /** Until the case of an application has ended. */
    decide: async (application) => {
      const item = (await call('clerk', 'GET', `/items/${application.item}?version=${application.item_version}`)).body;
      for (let round = 0; round < 30; round++) {
        const now = (await call('clerk', 'GET', `/service-applications/${application.id}`)).body.application;
        if (['approved', 'refused', 'terminated'].includes(now.state)) return now.state;
        const file = now.case ? (await call('clerk', 'GET', `/cases/${now.case}`)).body : null;
        let done = 0;
        for (const name of names(file?.tasks ?? [])) done += await one(name, file.case.number, item);
        if (!done) await page.waitForTimeout(400);
      }
      throw new Error(`${application.number} is not decided`);
    },
  };
}

/** Supplies what was named, from the page of the application. */
export async function supply(page, base, id, { field, value }) {
  await page.goto(`${base}/portal/applications/${encodeURIComponent(id)}`);
  await page.locator('[data-correct] [data-field]').first().waitFor();
  must((await page.locator('[data-correct] [data-field]:not(details *)').count()) === 1, 'a correction asks for more than was named');
  await page.locator(`#correct-${field}`).fill('');
  await page.locator('[data-correct] button[type=submit]').click();
  await page.locator('.fault-summary').waitFor();
  await page.locator(`#correct-${field}`).fill(value);
  for (const box of await page.locator('[data-correct] [data-material]').all()) {
    await box.locator('input[type=file]').setInputFiles(paper('补正.png'));
    await box.locator('[role=status]', { hasText: '补正.png' }).waitFor({ state: 'attached' });
  }
  await page.locator('[data-correct] button[type=submit]').click();
  await page.locator('.confirmed').waitFor();
}

/** Rates a matter that has ended: without a mark it is refused, with one it is shown. */
export async function rate(page, base, id) {
  await page.goto(`${base}/portal/applications/${encodeURIComponent(id)}`);
  await page.locator('[data-rate]').waitFor();
  await page.locator('[data-rate] button[type=submit]').click();
  await page.locator('#rate-fault').waitFor();
  await page.locator('input[name=mark][value="5"]').check();
  await page.locator('input[name=point-fast]').check();
  await page.locator('[data-rate] textarea').fill('走查：一次没跑');
  await page.locator('[data-rate] button[type=submit]').click();
  await page.locator('[data-rated]').waitFor();
}

/** The whole of the birth bundle. */
async function bundle(page, base, width) {
  const operator = await bearer(page, base, 'operator');
  await page.setViewportSize({ width, height: width < 600 ? 844 : 800 });
  const [serial] = serials();
  const who = person(serial);
  await resident(page, base, operator, serial);
  await begin(page, base, { words: '生孩子', item: 'birth_bundle' });
  must((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 1, 'the form is wider than the screen');
  const receipt = await fillAndHandIn(page, base);
  const other = await page.context().browser().newContext();
  const stranger = await other.newPage();
  stranger.setDefaultTimeout(20_000);
  await progress(stranger, base, receipt, [who.name, who.number, '李小乐']);
  await other.close();

  const desk = office(page, base);
  const { application, parts } = await ask(page, base, `/service-applications/${encodeURIComponent(receipt.number)}`);
  const all = parts.length ? parts : [application];
  const wanting = all.find((p) => p.item === 'birth_certificate') ?? all[0];
  // One department asks, or the front desk for all of them at once.
  await desk.correct(parts.length && width < 600 ? application.id : wanting.id, [{ at: 'answers/child_name', what: '走查：请核对新生儿姓名用字' }]);
  await page.goto(`${base}/portal/applications/${encodeURIComponent(application.id)}`);
  if (parts.length) {
    // What one part waits for shows on the whole, under what needs me, and is supplied there.
    await page.locator(`[data-application="${wanting.number}"]`, { hasText: '请补正' }).waitFor();
    await page.goto(`${base}/portal/applications?show=todo`);
    await page.locator(`[data-application="${application.number}"] [data-state=correction]`).waitFor();
  }
  await supply(page, base, application.id, { field: 'child_name', value: '李小欢' });
  await desk.accept(application.id);
  for (const part of all) must((await desk.decide(part)) === 'approved', `${part.number} was not approved`);

  // Letters are written soon after, each numbered and on the disk.
  for (const part of all) {
    let letters = [];
    for (let i = 0; i < 60; i++) {
      letters = (await desk.file(part.id)).letters;
      if (letters.every((letter) => letter.file)) break;
      await page.waitForTimeout(500);
    }
    must(letters.length >= 2 && letters.every((letter) => letter.file && letter.number), `${part.number} lacks a letter: ${JSON.stringify(letters)}`);
  }
  await page.goto(`${base}/portal/applications/${encodeURIComponent(wanting.id)}`);
  await page.locator('[data-state=approved]').first().waitFor();
  await page.locator('[data-letter=approval]').waitFor();
  await page.locator('[data-licence]').click();
  await page.locator('#licence').waitFor();
  await until(async () => (await page.locator('main').innerText()).includes('李小欢'), 'the licence does not carry what was corrected');
  const pages = [{ name: 'licence', path: new URL(page.url()).pathname }, { name: 'licences', path: '/portal/licences' }];
  await rate(page, base, wanting.id);
  // Of every step there is news.
  let news = '';
  for (let i = 0; i < 60 && !['已收到您的申请', '补正', '已办结'].every((told) => news.includes(told)); i++) {
    news = (await ask(page, base, '/messages?limit=50')).items.map((told) => told.text.zh).join('\n');
    await page.waitForTimeout(500);
  }
  must(['已收到您的申请', '补正', '已办结'].every((told) => news.includes(told)), `there is no news of every step: ${news}`);
  await page.goto(`${base}/portal/messages`);
  await page.locator('[data-message] summary').first().click();
  await page.locator('[data-message][open] p', { hasText: '受理编号' }).waitFor();
  pages.push({ name: 'my-matters', path: '/portal/applications' }, { name: 'my-matter', path: `/portal/applications/${encodeURIComponent(application.id)}` }, { name: 'my-part', path: `/portal/applications/${encodeURIComponent(wanting.id)}` });
  // The next one, left as a draft.
  await begin(page, base, { words: '生孩子', item: 'birth_bundle' });
  const draft = new URL(page.url()).pathname;
  pages.push({ name: 'apply', path: draft }, { name: 'apply-sheet', path: `${draft}?view=sheet` });
  return { width, pages };
}

/** A form that loses its network and is opened twice; nothing is lost and nothing overwritten unasked. */
export async function troubles(page, base, item = 'birth_bundle') {
  await page.goto(`${base}/services/${item}`);
  await page.locator('[data-begin]').click();
  await page.waitForURL(/\/apply\/.+/);
  await page.locator('[data-next]').waitFor();
  await page.locator('[data-save=saved]').waitFor();
  const id = decodeURIComponent(new URL(page.url()).pathname.split('/').pop());
  const input = page.locator('main [data-field] input[type=text]').first();
  const name = await input.getAttribute('name');
  const before = await input.inputValue();
  await page.context().setOffline(true);
  await input.fill('走查断网');
  await page.locator('[data-save=offline]').waitFor();
  await page.context().setOffline(false);
  await page.locator('[data-save=saved]').waitFor({ timeout: 40_000 });
  must((await ask(page, base, `/drafts/${id}`)).answers[name] === '走查断网', 'what was typed without a network is lost');
  await page.evaluate(async ([path, field]) => fetch(path, { method: 'PATCH', headers: { 'Content-Type': 'application/json', 'X-CSRF': '1' }, body: JSON.stringify({ answers: { [field]: '走查别处' } }) }), [api(base, `/drafts/${id}`), name]);
  await input.fill('走查这里');
  await page.locator('form.conflict').waitFor();
  const said = await page.locator('form.conflict').innerText();
  must(said.includes('走查别处') && said.includes('走查这里'), `a conflict does not show both: ${said}`);
  must((await ask(page, base, `/drafts/${id}`)).answers[name] === '走查别处', 'the other answer was overwritten unasked');
  await page.locator('form.conflict input').nth(1).check();
  await page.locator('form.conflict button[type=submit]').click();
  await page.locator('[data-save=saved]').waitFor();
  must((await input.inputValue()) === '走查别处', 'the chosen answer is not shown');
  if (before) await page.getByRole('button', { name: '恢复' }).first().click();
  await page.locator('[data-save=saved]').waitFor();
  await page.goto(`${base}/portal/applications`);
  await page.getByRole('button', { name: /^删除草稿/ }).first().click();
  await page.locator('[role=alert]').getByRole('button', { name: '删除', exact: true }).click();
  await page.waitForFunction(async (path) => (await fetch(path)).status === 404, api(base, `/drafts/${id}`));
}

/** Search, guide and guidance by the keyboard alone. */
export async function byKeyboard(page, base) {
  const tabTo = async (selector, most = 80) => {
    for (let i = 0; i < most; i++) {
      await page.keyboard.press('Tab');
      if (await page.evaluate((s) => document.activeElement?.matches(s) ?? false, selector)) return;
    }
    throw new Error(`Tab does not reach ${selector}`);
  };
  await page.goto(`${base}/services`);
  await page.locator('.service-card').first().waitFor();
  await page.keyboard.press('/');
  must(await page.evaluate(() => document.activeElement?.id === 'service-text'), '/ does not reach the search');
  await page.keyboard.insertText('出生一件事');
  await page.keyboard.press('Enter');
  await page.locator('a.service-card[href="/services/birth_bundle"]').waitFor();
  await tabTo('a.service-card[href="/services/birth_bundle"]');
  await page.keyboard.press('Enter');
  await page.locator('#materials').waitFor();
  await tabTo('a[href$="/guide"]');
  await page.keyboard.press('Enter');
  await page.locator('input[name=option]').first().waitFor();
  await tabTo('input[name=option]');
  await page.keyboard.press('Space');
  await tabTo('main form button[type=submit]');
  await page.keyboard.press('Enter');
  await page.waitForURL(/path=0/);
}

export const SERVICE_ACTS = [
  { name: 'services: search, guide and guidance by the keyboard alone', role: 'resident', run: byKeyboard },
  {
    name: 'services: a form loses its network and its second window', role: 'resident',
    run: async (page, base) => {
      const operator = await bearer(page, base, 'operator');
      const [serial] = serials();
      await resident(page, base, operator, serial);
      await troubles(page, base);
    },
  },
  { name: 'services: a birth bundle from the search to the rating', role: 'operator', run: (page, base) => bundle(page, base, 1280) },
  { name: 'services: a birth bundle on a phone', role: 'operator', run: (page, base) => bundle(page, base, 390) },
  {
    name: 'services: a resident books a visit and cancels it', role: 'resident',
    run: async (page, base) => {
      const operator = await bearer(page, base, 'operator');
      const [serial] = serials();
      await resident(page, base, operator, serial);
      await page.goto(`${base}/portal/visits`);
      await page.locator('select[name=day]').waitFor();
      // The first day with a free place; weekends and holidays have none.
      for (const day of await page.locator('select[name=day] option').evaluateAll((all) => all.map((o) => o.value))) {
        await page.locator('select[name=day]').selectOption(day);
        await page.locator('input[name=slot], main form [role=status]').first().waitFor();
        if (await page.locator('input[name=slot]:not(:disabled)').count()) break;
      }
      await page.locator('main form button[type=submit]').click();
      await page.locator('#slot-fault').waitFor();
      await page.locator('input[name=slot]:not(:disabled)').last().check();
      await page.locator('main form button[type=submit]').click();
      await page.locator('[data-booked]').waitFor();
      await page.getByRole('button', { name: /^取消预约/ }).first().click();
      await page.locator('[data-appointment]', { hasText: '已取消' }).first().waitFor();
    },
  },
];
