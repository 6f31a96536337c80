// Walk: which pages each role visits, and the main paths done by keyboard alone.

/** Keys of things that exist in the running city, so that detail pages can be opened. */
export async function discover(page, base) {
  return page.evaluate(async (root) => {
    const ask = async (path) => {
      const answer = await fetch(`${root}/api/v1${path}`);
      return answer.ok ? answer.json() : null;
    };
    const stations = await ask('/environment/map');
    const received = (await ask('/service-applications?limit=1'))?.items[0];
    const item = (await ask('/items?limit=1'))?.items[0];
    const alerts = (await ask('/alerts?state=open,acknowledged,assigned&limit=50'))?.items ?? [];
    const closed = (await ask('/alerts?limit=1'))?.items ?? [];
    const series = await ask('/series?limit=1');
    const task = (await ask('/tasks?limit=1'))?.items[0];
    const hall = (await ask('/halls?limit=1'))?.items[0];
    const application = (await ask('/service-applications?mine=true&limit=1'))?.items[0];
    const draft = (await ask('/drafts'))?.items[0];
    const kase = (await ask('/cases?limit=1'))?.items[0];
    const notice = (await ask('/notices?limit=1'))?.items[0];
    const busy = stations?.items.find((s) => s.state !== 'quarantined' && s.headline && s.kind !== 'air') ?? stations?.items.find((s) => s.state !== 'quarantined');
    return { station: busy?.station, alert: (alerts.find((a) => a.property) ?? alerts[0] ?? closed[0])?.id, series: series?.items[0], task: task?.id, case: kase?.id, hall: hall?.code, application: application?.id, draft: draft?.id, received: received?.id, item: item?.item, notice: notice?.id };
  }, base);
}

export function pagesOf(role, known) {
  const open = [{ name: 'portal', path: '/portal' }, { name: 'portal-air', path: '/portal/air' }, { name: 'about', path: '/about' }, { name: 'verify', path: '/verify' }, { name: 'figures', path: '/services/figures' }, { name: 'services', path: '/services' }, { name: 'services-found', path: '/services?q=%E5%87%BA%E7%94%9F' }, { name: 'service', path: '/services/birth_bundle' }, { name: 'service-guide', path: '/services/birth_bundle/guide' }, { name: 'progress', path: '/progress' }, { name: 'visits', path: '/portal/visits' }, { name: 'public-notices', path: '/portal/notices' }, ...(known.notice ? [{ name: 'public-notice', path: `/portal/notices/${known.notice}` }] : []), ...(known.hall ? [{ name: 'board', path: `/board/${known.hall}` }, { name: 'terminal', path: `/terminal/${known.hall}` }] : [])];
  if (!role) return [...open, { name: 'portal-register', path: '/portal/register' }, { name: 'recover', path: '/portal/recover' }, { name: 'sign-in', path: '/sign-in' }, { name: 'consent-empty', path: '/consent' }, { name: 'sign-out', path: '/sign-out' }, { name: 'signed-out', path: '/signed-out' }, { name: 'not-found', path: '/nowhere' }];
  if (role === 'resident') return [...open, { name: 'resident-my-data', path: '/portal/my-data' }, { name: 'resident-indicators', path: '/data/indicators' }, { name: 'me', path: '/portal/me' }, { name: 'me-phone', path: '/portal/me/phone' }, { name: 'me-identity', path: '/portal/me/identity' }, { name: 'me-agent', path: '/portal/me/agents/new' }, { name: 'me-ward', path: '/portal/me/wards/new' }, { name: 'me-rights', path: '/portal/me/rights' }, { name: 'account', path: '/account' }, { name: 'licences', path: '/portal/licences' }, { name: 'my-matters', path: '/portal/applications' }, { name: 'messages', path: '/portal/messages' }, ...(known.application ? [{ name: 'my-matter', path: `/portal/applications/${known.application}` }] : []), ...(known.draft ? [{ name: 'apply', path: `/apply/${known.draft}` }, { name: 'apply-sheet', path: `/apply/${known.draft}?view=sheet` }] : [])];
  const station = known.station ? `/desk/stations/${encodeURIComponent(known.station)}` : null;
  const s = known.series;
  const day = 86_400_000;
  const desk = [
    { name: 'command', path: '/command' },
    { name: 'stations', path: '/desk/stations' },
    ...(station ? ['values', 'charts', 'alerts', 'conditions', 'frames', 'commands', 'history'].map((tab) => ({ name: `station-${tab}`, path: `${station}/${tab}` })) : []),
    { name: 'alerts', path: '/desk/alerts' },
    ...(known.alert ? [{ name: 'alert', path: `/desk/alerts/${encodeURIComponent(known.alert)}` }] : []),
    { name: 'devices', path: '/desk/devices' },
    { name: 'break-glass', path: '/desk/break-glass' },
    { name: 'directory', path: '/desk/directory' },
    { name: 'delegations', path: '/account/delegations' },
    { name: 'bulletin', path: `/desk/bulletin?date=${new Date(Date.now() + 8 * 3600_000).toISOString().slice(0, 10)}` },
    ...['exceedances', 'rates', 'suspects', 'conditions', 'emissions', 'energy'].map((tab) => ({ name: `analysis-${tab}`, path: `/desk/analysis/${tab}` })),
    { name: 'registers', path: '/data/registers' },
    { name: 'register', path: '/data/registers/station' },
    ...(known.station ? [{ name: 'record', path: `/data/registers/station/${encodeURIComponent(known.station)}` }] : []),
    { name: 'series', path: s ? `/data/series?series=${encodeURIComponent(`${s.thing}~${s.property}~${s.kind}`)}` : '/data/series' },
    { name: 'indicators', path: '/data/indicators' },
    { name: 'command-past', path: `/command?at=${encodeURIComponent(new Date(Date.now() - day / 12).toISOString())}` },
  ];
  if (role === 'officer') return desk;
  if (role === 'duty') return desk.filter((p) => ['alerts', 'alert', 'command', 'station-commands', 'devices', 'register', 'break-glass'].includes(p.name)).map((p) => ({ ...p, name: `duty-${p.name}` }));
  if (role === 'operator') return ['health', 'messages', 'connections', 'rejected', 'jobs', 'set-aside', 'backups', 'audit', 'keys', 'accounts', 'organisations', 'organisations/city_government', 'applications', 'providers', 'access', 'grants', 'meters', 'posture'].map((name) => ({ name: `operator-${name.replace('/', '-')}`, path: `/operator/${name}` }));
  if (role === 'auditor') return ['audit', 'keys', 'access', 'grants'].map((name) => ({ name: `auditor-${name}`, path: `/operator/${name}` }));
  if (role === 'clerk') return [{ name: 'clerk-parties', path: '/desk/parties' }, ...casesOf(known), ...deskOf(known)];
  if (role === 'approver') return [...itemsOf(known), ...['processes', 'processes/simulation', 'set-aside', 'decisions', 'calendar'].map((name) => ({ name: name.replace('/', '-'), path: `/operator/${name}` })), { name: 'approver-presentations', path: '/desk/presentations' }, ...['', '/new?type=food_business_permit', '/batch?type=food_business_permit'].map((rest) => ({ name: `approver-licences${rest.split('?')[0].replace('/', '-')}`, path: `/desk/licences${rest}` }))];
  if (role === 'inspector') return casesOf(known);
  // A machine in a hall: its one page is open to everybody and walked there.
  if (role === 'terminal') return [];
  return DESKS_OF_OFFICERS;
}

/** What every other officer of a department lives in; these accounts differ in what their lists hold. */
const DESKS_OF_OFFICERS = ['tasks', 'cases', 'office/notices'].map((path) => ({ name: `officer-${path.replace('/', '-')}`, path: `/desk/${path}` }));
/** Roles with pages of their own, walked in every look; the others are walked in the first only. */
export const IN_EVERY_LOOK = new Set([null, 'resident', 'officer', 'duty', 'operator', 'auditor', 'clerk', 'approver', 'inspector']);

/** Pages of who receives applications, and of the office. */
const deskOf = (known) => [
  ...['intake', 'intake?queue=undelivered', 'apply', 'window', 'service-figures', 'office/mail', 'office/messages', 'office/notices', 'office/circulars', 'office/calendar'].map((path) => ({ name: `desk-${path.replace(/[?/=]/g, '-')}`, path: `/desk/${path}` })),
  ...(known.received ? [{ name: 'desk-application', path: `/desk/applications/${encodeURIComponent(known.received)}` }] : []),
];
/** Every part of an item as its designer sees it. */
const itemsOf = (known) => [
  { name: 'items', path: '/desk/items' },
  ...(known.item ? ['basics', 'form', 'materials', 'guidance', 'flow', 'outcome', 'letters', 'questions', 'test', 'versions'].map((tab) => ({ name: `item-${tab}`, path: `/desk/items/${encodeURIComponent(known.item)}?tab=${tab}` })) : []),
];

/** Pages of who handles cases. */
const casesOf = (known) => [
  { name: 'tasks', path: '/desk/tasks' },
  ...(known.task ? [{ name: 'task', path: `/desk/tasks/${encodeURIComponent(known.task)}` }] : []),
  { name: 'cases', path: '/desk/cases' },
  ...(known.case ? [{ name: 'case', path: `/desk/cases/${encodeURIComponent(known.case)}` }] : []),
];

const seen = async (page, locator, what) => {
  await page.locator(locator).first().waitFor().catch(() => { throw new Error(`${what}: ${locator} did not appear`); });
};

export const STEPS = [
  {
    name: 'keyboard: skip link, search, rows, open an alert', role: 'officer',
    run: async (page, base) => {
      await page.goto(`${base}/desk/alerts`);
      await seen(page, 'tbody tr', 'alert list');
      await page.keyboard.press('Tab');
      const skip = await page.evaluate(() => document.activeElement?.className);
      if (skip !== 'skip') throw new Error(`first Tab lands on "${skip}", not on the skip link`);
      await page.keyboard.press('Enter');
      if ((await page.evaluate(() => document.activeElement?.id)) !== 'main') throw new Error('the skip link does not reach the main content');
      await page.keyboard.press('?');
      await seen(page, 'dialog[open] kbd', 'help');
      await page.keyboard.press('Escape');
      await page.keyboard.press('j');
      await seen(page, 'tr.row-now', 'row by j');
      await page.keyboard.press('x');
      await seen(page, '.batch', 'batch bar');
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/desk\/alerts\/.+/);
    },
  },
  {
    name: 'wrong password is said in words', role: 'officer',
    run: async (page, base) => {
      await page.context().clearCookies();
      await page.goto(`${base}/sign-in`);
      await page.locator('input[name=account]').fill('nobody-here');
      await page.locator('input[name=password]').fill('wrong-wrong-wrong');
      await page.keyboard.press('Enter');
      await seen(page, '.error-box', 'error');
    },
  },
  {
    name: 'time slider leads into the past and back', role: 'officer',
    run: async (page, base) => {
      await page.goto(`${base}/command`);
      await seen(page, '#past', 'slider');
      await page.locator('#past').focus();
      for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowLeft');
      await seen(page, '.banner.past', 'banner of the past');
      await page.locator('.banner.past button').click();
      await page.waitForFunction(() => !document.querySelector('.banner.past'));
    },
  },
  {
    name: 'resident is told why the desk is closed', role: 'resident',
    run: async (page, base) => {
      await page.goto(`${base}/desk/alerts`);
      await seen(page, '.state', 'explanation');
    },
  },
];
