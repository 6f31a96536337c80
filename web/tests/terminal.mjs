// Walk: the self-service terminal: a person finds an item there, signs in, begins an application of
// the terminal's channel, prolongs the countdown once and is then signed out by it; neither the page,
// the storage nor the history shows anything of them, and the terminal's own session is as it was.
import { bearer, PASSWORD, passwordOf, person, resident, serials } from './parties.mjs';
import { until } from './until.mjs';

const must = (holds, what) => {
  if (!holds) throw new Error(what);
};
const ITEM = 'food_business_permit';

const stored = (page) => page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
const cookiesOf = async (page) => JSON.stringify((await page.context().cookies()).map((c) => [c.name, c.value]).sort());

/** From the terminal's start to the form; answers the bearer of the session and the draft's identification. */
async function begin(page, base, hall, account, name) {
  await page.goto(`${base}/terminal/${hall}`);
  await page.getByRole('button', { name: '查事项、办业务' }).click();
  await page.locator('input[type=search]').fill('食品经营许可');
  await page.locator('.term-big', { hasText: '食品经营许可' }).first().click();
  await page.locator('[data-here]').click();
  // What it takes is read before anybody signs in.
  await page.locator('#materials').waitFor();
  const box = await page.locator('#begin ~ p .button').boundingBox();
  must(box && box.height >= 60, `the button to sign in is ${box?.height} high: too small for a terminal`);
  await page.locator('#begin ~ p .button').click();
  await page.locator('input[name=account]').fill(account);
  await page.locator('input[name=password]').fill('not the password');
  await page.keyboard.press('Enter');
  await page.locator('[role=alert]').first().waitFor();
  await page.locator('input[name=password]').fill(PASSWORD);
  const [answer] = await Promise.all([
    page.waitForResponse((r) => r.url().endsWith('/api/v1/session') && r.request().method() === 'POST' && r.ok()),
    page.keyboard.press('Enter'),
  ]);
  const { token } = await answer.json();
  // It ends back at the item, on the terminal.
  await page.locator('[data-guest=in] [data-begin]').waitFor();
  must(new URL(page.url()).pathname === `/terminal/${hall}`, `signing in led to ${page.url()}`);
  await page.locator('[data-begin]').click();
  await page.locator('[data-draft] form').first().waitFor();
  await until(async () => (await page.locator('main').innerText()).includes(name), 'the form does not say for whom it is');
  return { token, draft: await page.locator('[data-draft]').getAttribute('data-draft') };
}

async function nothingOf(page, { name, draft, token }, where) {
  const text = `${await page.locator('body').innerText()} ${await page.title()} ${page.url()}`;
  for (const word of [name, draft]) must(!text.includes(word), `${where} shows ${word}`);
  const kept = await stored(page);
  for (const word of [name, draft, token]) must(!kept.includes(word), `${where}: the storage keeps ${word}`);
}

export const TERMINAL_ACTS = [
  {
    name: 'a person applies at the terminal, which forgets them', role: 'operator',
    run: async (page, base) => {
      const operator = await bearer(page, base, 'operator');
      const [serial] = serials();
      const { name } = person(serial);
      const account = await resident(page, base, operator, serial);
      const context = await page.context().browser().newContext({ viewport: { width: 1080, height: 1920 } });
      const screen = await context.newPage();
      screen.setDefaultTimeout(20_000);
      const { items: [hall] } = await (await page.request.get(`${base}/api/v1/halls?limit=1`)).json();
      await screen.clock.install();
      await screen.goto(`${base}/about`);
      // The terminal's own account.
      const opened = await screen.request.post(`${base}/api/v1/session`, { data: { account: 'terminal', password: passwordOf('terminal') } });
      must(opened.ok(), 'the terminal does not sign in');
      const before = await cookiesOf(screen);
      const guest = { name, ...(await begin(screen, base, hall.code, account, name)) };
      must((await cookiesOf(screen)) === before, 'signing in at the terminal touched its cookies');
      const draft = await (await page.request.get(`${base}/api/v1/drafts/${guest.draft}`, { headers: { Authorization: `Bearer ${guest.token}` } })).json();
      must(draft.channel === 'terminal', `the draft is of the channel ${draft.channel}`);
      // The countdown warns, and a touch begins it anew.
      await screen.clock.runFor(65_000);
      await screen.locator('.term-soon').waitFor();
      await screen.getByRole('button', { name: '继续办理' }).click();
      await screen.clock.runFor(65_000);
      must((await screen.locator('[data-draft]').count()) === 1, 'a touch does not prolong the time');
      // Nobody touches it any more.
      const ended = screen.waitForRequest((r) => r.url().endsWith('/api/v1/session') && r.method() === 'DELETE');
      await screen.clock.runFor(40_000);
      await screen.locator('.term-list.home').waitFor();
      await screen.clock.runFor(4_000);
      await ended;
      await nothingOf(screen, guest, 'the start page');
      let status = 0;
      for (let i = 0; i < 40 && status !== 401; i++) {
        status = (await page.request.get(`${base}/api/v1/drafts`, { headers: { Authorization: `Bearer ${guest.token}`, Cookie: '' } })).status();
        if (status !== 401) await page.waitForTimeout(100);
      }
      must(status === 401, `the session still answers ${status}`);
      await screen.goBack();
      await nothingOf(screen, guest, 'the page before');
      await screen.goForward();
      await screen.locator('.term-list.home').waitFor();
      await nothingOf(screen, guest, 'the page after');
      must((await cookiesOf(screen)) === before, 'the cookies of the terminal are not as they were');
      const own = await (await screen.request.get(`${base}/api/v1/session`)).json();
      must(own.account === 'terminal', `the terminal is signed in as ${own.account}`);
      // Whoever goes back in the middle is signed out as well.
      const second = { name, ...(await begin(screen, base, hall.code, account, name)) };
      await screen.goBack();
      await nothingOf(screen, second, 'going back in the middle');
      await screen.goForward();
      await screen.locator('.term-list.home').waitFor();
      await nothingOf(screen, second, 'coming back');
      await context.close();
    },
  },
];
