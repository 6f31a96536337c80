// Tests of the simulation's page and of work set aside: what is typed, where faults are shown, what may
// be concluded, what a job is called.
import { describe, expect, it } from 'vitest';
import type { Simulated, SimulationFigures } from '../../src/api/cases';
import { setAside } from '../../src/i18n/texts/set_aside';
import { simulation } from '../../src/i18n/texts/simulation';
import { faultKey, inOrder, ofApplication, ofCase, pageOf, retryPath, taskOf, type Aside } from '../../src/lib/setAside';
import { loads, measures, placeOf, readAssumptions, rolesIn, verdictOf, workingTime, type Assumable, type Typed } from '../../src/lib/simulation';

const drawn: Assumable = { people: [{ node: 'check', name: '审查', roles: ['clerk'] }], waits: [{ node: 'ask', name: '查询', kind: 'service' }], roles: ['clerk'] };
const typed = (part: Partial<Typed>): Typed => ({ workers: {}, minutes: {}, limit: '', seed: '', ...part });

describe('assumptions', () => {
  it('leaves out what is empty', () => expect(readAssumptions(typed({ workers: { clerk: ' ' } }), drawn)).toEqual({ read: { capacity: {}, service: {}, limit: undefined, seed: undefined }, faults: [] }));
  it('reads what is typed, and only of what is drawn', () => {
    const { read, faults } = readAssumptions(typed({ workers: { clerk: '3', check: '1', gone: 'x' }, minutes: { check: '12.5', ask: '0', gone: 'x' }, limit: '100', seed: '7' }), drawn);
    expect(faults).toEqual([]);
    expect(read).toEqual({ capacity: { clerk: 3, check: 1 }, service: { check: 12.5, ask: 0 }, limit: 100, seed: 7 });
  });
  it('names every fault where it stands', () => {
    const { faults } = readAssumptions(typed({ workers: { clerk: '0', check: '1.5' }, minutes: { check: '-1', ask: '100001' }, limit: '10001', seed: 'x' }), drawn);
    expect(faults.map((f) => f.at)).toEqual(['/capacity/clerk', '/capacity/check', '/service/check', '/service/ask', 'limit', 'seed']);
    expect(faults.every((f) => f.words.zh && f.words.en)).toBe(true);
  });
  it.each([['to', 'period'], ['from', 'period'], ['version', 'changed'], ['xml', 'changed'], ['xml:12', 'xml'], ['/capacity/clerk', 'input'], ['/service/a:1', 'input'], ['limit', 'input'], ['process', 'rest'], ['', 'rest']])('%s is shown at %s', (at, place) => expect(placeOf(at)).toBe(place));
  it('reads roles', () => expect(rolesIn(' a, b，a  c')).toEqual(['a', 'b', 'c']));
});

const spread = (mean: number) => ({ count: 4, mean, p50: mean, p90: mean * 2 });
const figures = (mean: number, part: Partial<SimulationFigures> = {}): SimulationFigures => ({ minutes: spread(mean), days: spread(mean / 420), waiting: spread(mean / 2), work: spread(5), promised: 0, within: null, people: [], congested: null, ...part });
const result = (before: number, after: number, error: number | null, compared = 4): Simulated => ({
  arrivals: 5, compared, baseline: figures(before), changed: figures(after), by_node: [], unplayed: [], assumptions: [],
  calibration: error === null ? null : { actual: spread(100), replayed: spread(100 * (1 + error)), error, of_a_case: 1 },
});

describe('what may be concluded', () => {
  it.each([[result(100, 50, 0.1), 'shorter'], [result(100, 150, -0.1), 'longer'], [result(100, 95, -0.1), 'unsure'], [result(100, 90, 0.1), 'unsure'], [result(100, 100, 0.1), 'same'], [result(100, 50, null), 'unknown'], [result(0, 0, null, 0), 'nothing'], [result(0, 10, 0), 'longer']] as const)('case %#', (given, verdict) => {
    expect(verdictOf(given).verdict).toBe(verdict);
    expect(Object.hasOwn(simulation, `sim.verdict.${verdict}`)).toBe(true);
  });
  it('puts the figures side by side', () => {
    const rows = measures({ baseline: figures(420, { promised: 2, within: 0.5, congested: 'check' }), changed: figures(210, { promised: 2, within: 1 }) });
    expect(rows.find((m) => m.key === 'sim.m.p90')).toMatchObject({ before: 840, after: 420 });
    expect(rows.find((m) => m.key === 'sim.m.within')).toMatchObject({ before: 0.5, after: 1 });
    expect(rows.find((m) => m.key === 'sim.m.congested')).toMatchObject({ before: 'check', after: null });
  });
  it('matches people by their name, those of one replay only too', () => {
    const used = (name: string, workers: number) => ({ name, nodes: [name], workers, share: 0.5 });
    const rows = loads({ baseline: figures(1, { people: [used('a', 1), used('b', 2)] }), changed: figures(1, { people: [used('a', 3), used('c', 1)] }) });
    expect(rows.map((r) => [r.name, r.before?.workers, r.after?.workers])).toEqual([['a', 1, 3], ['c', undefined, 1], ['b', 2, undefined]]);
  });
  it.each([[0, '0 分钟', '0 min'], [59, '59 分钟', '59 min'], [90, '1.5 小时', '1.5 h'], [420, '1 个工作日', '1 workday'], [1050, '2.5 个工作日', '2.5 workdays']])('%s minutes', (n, zh, en) => expect([workingTime(n, 'zh'), workingTime(n, 'en')]).toEqual([zh, en]));
});

describe('work set aside', () => {
  const row = (part: Partial<Aside>): Aside => ({ owner: 'service-applications', id: 'a/letter/x', about: 'a', number: '130100-1', kind: 'letter', name: 'x', attempts: 30, error: { code: null, words: { zh: '', en: '' } }, at: '2026-11-01T08:00:00+08:00', ...part });
  it.each([
    ['service-applications', 'case', 'start', 'aside.do.case_start'], ['service-applications', 'case', 'cancel', 'aside.do.case_cancel'], ['service-applications', 'letter', 'correction-2', 'aside.do.letter_correction'], ['service-applications', 'letter', 'other', 'aside.do.letter'],
    ['service-applications', 'notice', 'application_accepted-1', 'aside.do.notice_application_accepted'], ['service-applications', 'notice', 'new-1', 'aside.do.notice'], ['cases', 'timer', 'timer', 'aside.do.timer'], ['service-applications', 'files', 'forget', 'aside.do.files_forget'], ['service-applications', 'files', 'keep', 'aside.do.files_keep'], ['service-applications', 'message', 'paid', 'aside.do.paid'], ['service-applications', 'riddle', 'x', 'aside.do.other'],
    ['cases', 'service', 'licences.issue', 'aside.do.service'], ['cases', 'start', 'yearly', 'aside.do.start'], ['cases', 'timer', 'red', 'aside.do.light_red'], ['cases', 'letter', 'x', 'aside.do.other'],
  ] as const)('%s %s %s', (owner, kind, name, key) => {
    expect(taskOf({ owner, kind, name }).key).toBe(key);
    expect(Object.hasOwn(setAside, key)).toBe(true);
  });
  it('says what is in the way', () => {
    const key = (code: string | null, en: string) => faultKey({ code, words: { zh: en, en } });
    expect(key('outgoing.failed', 'it did not answer')).toBe('aside.why.outgoing_failed');
    expect(key('new.code', 'what')).toBe('aside.why.other');
    expect(key(null, 'a panic')).toBe('aside.why.other');
    expect(key(null, ' ')).toBe('aside.why.none');
  });
  it('leads to what it belongs to, and to its retry', () => {
    expect(pageOf(row({}))).toBe('/desk/applications/a');
    expect(pageOf(row({ number: null }))).toBeNull();
    expect(pageOf(row({ owner: 'cases' }))).toBe('/desk/cases/a');
    expect(retryPath(row({}))).toBe('/service-applications/set-aside/a%2Fletter%2Fx/retry');
  });
  it('puts both lists in one order', () => {
    const late = ofCase({ id: 'j', case: 'c', number: null, kind: 'timer', name: 'x', attempts: 1, error: { code: null, words: { zh: '', en: '' } }, at: '2026-11-02T08:00:00+08:00' });
    const early = ofApplication({ id: 'a/x/y', application: 'a', number: null, kind: 'x', name: 'y', attempts: 1, error: { code: null, words: { zh: '', en: '' } }, at: '2026-11-01T08:00:00+08:00' });
    expect(inOrder([late, early]).map((r) => r.id)).toEqual(['a/x/y', 'j']);
  });
});
