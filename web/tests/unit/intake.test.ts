// Tests of the desk about applications: queues, verbs and why not, the notice of correction, whom a
// clerk writes for, forms of tasks, saving, a window, figures and periods.
import { describe, expect, it, vi } from 'vitest';
import type { ApplicationFile, ClerkVerb } from '../../src/api/applications';
import type { Item } from '../../src/api/items';
import type { Ticket } from '../../src/api/visiting';
import { isCitizenNumber, isCreditCode, readForm, hints } from '../../src/components/form';
import { behalfFaults, documentsFor, tidyBehalf } from '../../src/lib/behalf';
import { addOther, faultsOf, fieldAt, isTicked, materialAt, noticeLines, remove, say, tick, toSend, type Askable } from '../../src/lib/correction';
import { applicationOf, deskForm, STANDARD } from '../../src/lib/deskForms';
import { chosenDays, daysOf, ranked, reached, shareOf, stretchOf, type ServiceFigures } from '../../src/lib/figures';
import { clerkAct, clerkRefusal, isAct, nothingSaid, queueParams, saidOnce } from '../../src/lib/matter';
import { formsOf } from '../../src/lib/processForms';
import { makeSaver } from '../../src/lib/saver';
import { onDay, otherWeek, weekOf } from '../../src/lib/week';
import { windowRefusal } from '../../src/lib/window';
import { mailFaults } from '../../src/faces/desk/office/Mail';
import { entryOf } from '../../src/faces/desk/office/OfficeCalendar';

const file = (state: string, more: Partial<ApplicationFile> = {}, delivery: unknown = null) => ({ application: { state, delivery, id: 'x', version: 1 }, steps: [], letters: [], bills: [], rating: null, missing: [], materials: [], answers: {}, masked: [], parts: [], licences: [], ...more }) as unknown as ApplicationFile;

describe('verbs of a clerk', () => {
  const table: [ApplicationFile, ClerkVerb, boolean, string | null][] = [
    [file('submitted'), 'accept', true, null], [file('submitted'), 'accept', false, 'matter.no_may'], [file('correction'), 'accept', true, 'matter.no_waits_applicant'], [file('accepted'), 'transfer', true, 'matter.no_accepted'], [file('refused'), 'correction', true, 'matter.no_ended'],
    [file('correction'), 'transfer', true, null], [file('submitted', { parts: [{ state: 'submitted' }] as never }), 'accept', true, null], [file('correction', { parts: [{ state: 'submitted' }, { state: 'correction' }] as never }), 'accept', true, 'matter.no_part_waits'],
    [file('correction', { parts: [{ state: 'submitted' }, { state: 'correction' }] as never }), 'correction', true, null], [file('accepted', { parts: [{ state: 'accepted' }] as never }), 'correction', true, 'matter.no_part_submitted'],
    [file('submitted', { parts: [{ state: 'submitted' }] as never }), 'transfer', true, 'matter.no_bundle'], [file('approved', { parts: [{}] as never, rating: { mark: 2, answer: null, visited: false } as never }), 'answer', true, null],
    [file('correction'), 'not_accept', true, null], [file('withdrawn'), 'not_accept', true, 'matter.no_ended'],
    [file('approved', {}, { way: 'post', state: 'waiting' }), 'deliver', true, null], [file('approved', {}, { way: 'post', state: 'posted' }), 'deliver', true, 'matter.no_delivered'], [file('accepted'), 'deliver', true, 'matter.no_result'], [file('submitted', {}, { way: 'counter', state: 'waiting' }), 'deliver', true, 'matter.no_result'], [file('withdrawn', {}, { way: 'counter', state: 'waiting' }), 'deliver', true, 'matter.no_result'],
    [file('accepted', { bills: [{ id: 'b', state: 'open' }] as never }), 'paid', true, null], [file('accepted', { bills: [{ id: 'b', state: 'paid' }] as never }), 'paid', true, 'matter.no_open_bill'],
    [file('approved', { rating: { mark: 1, answer: null, visited: false } as never }), 'answer', true, null], [file('approved', { rating: { mark: 1, answer: 'x', visited: true } as never }), 'answer', true, 'matter.no_answered'], [file('approved', { rating: { mark: 5 } as never }), 'answer', true, 'matter.no_bad'],
  ];
  it.each(table)('%# %s', (one, verb, may, why) => expect(clerkRefusal(one, verb, may)).toBe(why));
  it('name everything that is missing, and send only what was said', () => {
    const a = file('submitted').application;
    const none = clerkAct(a, 'not_accept', { ...nothingSaid, reason: '  ' });
    expect(isAct(none)).toBe(false);
    expect(none).toEqual({ reason: 'matter.need_reason', basis: 'matter.need_basis' });
    expect(clerkAct(a, 'not_accept', { ...nothingSaid, reason: ' 不属于 ', basis: '第三十二条', note: 'x' })).toEqual({ verb: 'not_accept', reason: '不属于', basis: '第三十二条' });
    expect(clerkAct(file('approved', {}, { way: 'post' }).application, 'deliver', nothingSaid)).toEqual({ tracking: 'matter.need_tracking' });
    expect(clerkAct(file('approved', {}, { way: 'counter' }).application, 'deliver', { ...nothingSaid, taken_by: '本人' })).toEqual({ verb: 'deliver', taken_by: '本人' });
    expect(clerkAct(a, 'accept', nothingSaid)).toEqual({ verb: 'accept', note: '' });
  });
  it('know whether it was told before, by step or letter', () => {
    expect(saidOnce(file('submitted'))).toBe(false);
    expect(saidOnce(file('submitted', { steps: [{ at: '', what: 'correction', words: { zh: '', en: '' }, office: null }] }))).toBe(true);
    expect(saidOnce(file('submitted', { letters: [{ kind: 'correction', number: '1', file: null, at: '' }] }))).toBe(true);
  });
  it('queues ask for what they say', () => {
    expect(queueParams('submitted')).toEqual({ state: 'submitted' });
    expect(queueParams('undelivered')).toEqual({ undelivered: true });
    expect(String(queueParams('ended')['state']).split(',')).toEqual(['approved', 'refused', 'not_accepted', 'withdrawn', 'terminated']);
  });
});

describe('the notice of correction', () => {
  const order: Askable[] = [{ at: fieldAt('name'), title: '姓名', kind: 'field' }, { at: fieldAt('area'), title: '面积', kind: 'field' }, { at: materialAt('plan'), title: '平面图', kind: 'material' }];
  it('keeps the order of the form whatever was ticked first; something else comes last', () => {
    let points = tick([], materialAt('plan'), true, order, '未提交');
    points = addOther(points);
    points = tick(points, fieldAt('area'), true, order);
    expect(points.map((p) => p.at)).toEqual(['answers/area', 'materials/plan', '']);
    expect(points[1]?.what).toBe('未提交');
    points = tick(points, materialAt('plan'), false, order);
    expect(isTicked(points, materialAt('plan'))).toBe(false);
  });
  it('is refused whole with every point named', () => {
    expect(faultsOf([])).toEqual([{ index: -1, what: 'correction.none' }]);
    expect(faultsOf([{ at: 'a', what: '请' }, { at: 'b', what: '请补交' }, { at: 'c', what: 'x'.repeat(501) }]).map((f) => `${f.index} ${f.what}`)).toEqual(['0 correction.short', '2 correction.long']);
  });
  it('is shown and sent as it was said', () => {
    const points = say(addOther(tick([], fieldAt('name'), true, order)), 0, ' 与证件不一致 ');
    expect(noticeLines(points, order, '其他')).toEqual([{ title: '姓名', what: '与证件不一致' }, { title: '其他', what: '' }]);
    expect(toSend(remove(points, 1))).toEqual([{ at: 'answers/name', what: '与证件不一致' }]);
  });
});

describe('applying for somebody', () => {
  const good = { holder: { document: 'citizen_number' as const, number: '130199199001010018', name: '张三' }, mobile: '13800000000', seen: '核对原件' };
  const checks = { isCitizenNumber, isCreditCode };
  it('names every fault', () => {
    expect(behalfFaults({ holder: { document: 'citizen_number', number: '', name: ' ' }, mobile: '123', seen: '看' }, checks)).toEqual({ number: 'counter.need_number', name: 'counter.need_name', mobile: 'form.not_mobile', seen: 'counter.need_seen' });
    expect(behalfFaults({ ...good, holder: { ...good.holder, number: '130199199001010019' } }, checks).number ?? null).toBe(isCitizenNumber('130199199001010019') ? null : 'form.not_citizen');
    expect(behalfFaults({ ...good, holder: { document: 'passport', number: 'E1', name: '李四' } }, checks)).toEqual({});
  });
  it('offers the documents of whom the item serves', () => {
    expect(documentsFor('legal')).toEqual(['credit_code']);
    expect(documentsFor('either')).toHaveLength(4);
    expect(documentsFor('natural')).not.toContain('credit_code');
  });
  it('tidies what was typed', () => expect(tidyBehalf({ holder: { document: 'citizen_number', number: ' 13019919900101001x ', name: ' 张三 ' }, mobile: '138 0000-0000', seen: ' 原件 ' })).toEqual({ holder: { document: 'citizen_number', number: '13019919900101001X', name: '张三' }, mobile: '13800000000', seen: '原件' }));
});

describe('forms of tasks', () => {
  const item = (desk_forms: unknown) => ({ content: { desk_forms } }) as unknown as Item;
  it('are the item’s own, else a standard one, else none', () => {
    const own = { type: 'object', properties: {} };
    expect(deskForm(item({ approve: own }), 'approve')).toEqual({ schema: own, own: true });
    expect(deskForm(item({}), 'approve')).toEqual({ schema: STANDARD['approve'], own: false });
    expect(deskForm(undefined, 'hearing')?.own).toBe(false);
    expect([deskForm(item({}), 'toString'), deskForm(item({}), null), deskForm(item({}), 'other')]).toEqual([null, null, null]);
  });
  it('ask for reason and law when it is refused, and not when it is approved', () => {
    const form = readForm(STANDARD['approve']);
    expect([...hints(form, { approved: false }, '2026-11-25').keys()]).toEqual(['reason', 'basis']);
    expect([...hints(form, { approved: true }, '2026-11-25').keys()]).toEqual([]);
    expect([...hints(form, {}, '2026-11-25').keys()]).toEqual(['approved']);
    expect([...hints(readForm(STANDARD['review']), { opinion: 'disagree' }, '2026-11-25').keys()]).toEqual(['reason']);
  });
  it('know the application of a case', () => {
    expect(applicationOf({ application: { id: 'A', item: 'food', number: '1' } })).toEqual({ id: 'A', item: 'food' });
    expect([applicationOf({}), applicationOf({ application: 'A' }), applicationOf({ application: [] })]).toEqual([null, null, null]);
  });
  it('are read from the drawing', () => expect(formsOf('<userTask jicheng:form="review"/><userTask jicheng:form=\'approve\'/><userTask jicheng:form="review"/>')).toEqual(['review', 'approve']));
});

describe('saving', () => {
  it('sends one after the other, changes together, and keeps what failed below what came later', async () => {
    vi.useFakeTimers();
    const sent: Record<string, number>[] = [];
    const states: string[] = [];
    let fail = true;
    const saver = makeSaver<Record<string, number>>((a, b) => ({ ...a, ...b }), async (c) => { await Promise.resolve(); if (fail) throw new Error('no'); sent.push(c); }, (s) => states.push(s), 10);
    saver.note({ a: 1 });
    saver.note({ b: 1 });
    expect(await saver.flush()).toBe(false);
    expect(saver.pending()).toBe(true);
    fail = false;
    saver.note({ a: 2 });
    await vi.advanceTimersByTimeAsync(20);
    expect(sent).toEqual([{ a: 2, b: 1 }]);
    expect(saver.pending()).toBe(false);
    expect(states.at(-1)).toBe('saved');
    saver.note({ c: 1 });
    expect(await saver.flush()).toBe(true);
    expect(sent).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(50);
    expect(sent).toHaveLength(2);
    vi.useRealTimers();
  });
});

describe('a window', () => {
  const ticket = (state: string) => ({ state }) as Ticket;
  const table: [Ticket | null, Parameters<typeof windowRefusal>[1], boolean, string | null][] = [
    [null, 'next', true, null], [null, 'recall', true, 'window.no_number'], [ticket('called'), 'next', true, 'window.no_in_hand'], [ticket('called'), 'finish', true, 'window.no_started'], [ticket('serving'), 'finish', true, null], [ticket('serving'), 'skip', true, 'window.no_serving'], [ticket('called'), 'transfer', true, null], [ticket('finished'), 'next', true, null], [null, 'next', false, 'window.no_may'],
  ];
  it.each(table)('%j %s', (hand, verb, may, why) => expect(windowRefusal(hand, verb, may)).toBe(why));
});

describe('service figures', () => {
  const row = (organisation: string, items: number, online: number): ServiceFigures => ({ organisation, items, items_online: online, items_one_visit: 0, submitted: 0, submitted_online: 0, decided: 4, decided_on_time: 3, rated: 0, rated_good: 0, bad: 0, bad_answered: 0 });
  it('are shares, and none where there is nothing', () => {
    expect(shareOf(row('a', 50, 49), 'online')).toEqual({ part: 49, of: 50, share: 0.98 });
    expect(shareOf(row('a', 0, 0), 'online').share).toBe(null);
    expect([reached(0.98, 'online'), reached(0.979, 'online'), reached(null, 'online'), reached(0.5, 'good')]).toEqual([true, false, null, null]);
  });
  it('put the whole first, then the weakest, then who has none', () => expect(ranked([row('c', 0, 0), row('b', 10, 9), row('', 30, 20), row('a', 10, 5)], 'online').map((r) => r.organisation)).toEqual(['', 'a', 'b', 'c']));
  it('are of days of the city’s calendar', () => {
    const now = Date.parse('2026-11-30T17:30:00Z');
    expect(daysOf('month', now)).toEqual({ from: '2026-12-01', to: '2026-12-01' });
    expect(daysOf('quarter', Date.parse('2026-11-30T15:00:00Z'))).toEqual({ from: '2026-10-01', to: '2026-11-30' });
    expect(daysOf('last_30', Date.parse('2026-03-01T00:00:00Z'))).toEqual({ from: '2026-01-31', to: '2026-03-01' });
    expect(stretchOf({ from: '2026-11-01', to: '2026-11-30' })).toEqual({ from: '2026-11-01T00:00:00+08:00', to: '2026-12-01T00:00:00+08:00' });
    expect(chosenDays('2026-02-30', '2026-03-01', 'year', now).own).toBe(false);
    expect(chosenDays('2026-03-02', '2026-03-01', 'year', now).own).toBe(false);
    expect(chosenDays('2024-01-01', '2026-02-28', 'year', now).own).toBe(false);
    expect(chosenDays('2026-02-01', '2026-02-28', 'year', now)).toEqual({ from: '2026-02-01', to: '2026-02-28', own: true });
  });
});

describe('the office', () => {
  it('names what a mail lacks', () => {
    expect(mailFaults({ to: [], subject: ' ', body: '' })).toEqual({ to: 'office.need_to', subject: 'office.need_subject', body: 'office.need_body' });
    expect(mailFaults({ to: ['a'], subject: 's', body: 'b' })).toEqual({});
  });
  it('knows the week and the entries of a day', () => {
    expect(weekOf('2026-11-25')).toEqual(['2026-11-23', '2026-11-24', '2026-11-25', '2026-11-26', '2026-11-27', '2026-11-28', '2026-11-29']);
    expect(weekOf('2026-11-29')[0]).toBe('2026-11-23');
    expect(otherWeek('2026-12-30', 1)).toBe('2027-01-06');
    const entries = [{ id: 2, from: '2026-11-25T15:00:00+08:00', to: '2026-11-26T00:00:00+08:00' }, { id: 1, from: '2026-11-24T22:00:00+08:00', to: '2026-11-25T01:00:00+08:00' }];
    expect(onDay(entries, '2026-11-25').map((e) => e.id)).toEqual([1, 2]);
    expect(onDay(entries, '2026-11-26')).toEqual([]);
  });
  it('makes an entry of whole days end after the last', () => {
    const draft = { title: ' 会 ', place: '', note: '', all_day: true, from: '2026-11-25T09:00', to: '2026-11-25T10:00', attendees: [], shared: false, remind: '' };
    expect(entryOf(draft)).toMatchObject({ title: '会', from: '2026-11-25T00:00:00+08:00', to: '2026-11-26T00:00:00+08:00', remind_min: null });
    expect(entryOf({ ...draft, all_day: false, to: '2026-11-25T09:00' })).toBe('office.need_times');
    expect(entryOf({ ...draft, remind: '50000' })).toBe('office.need_remind');
  });
});
