// Library: the simulation of a process: what can be assumed of its steps, what was typed read into
// what is asked (with every fault), faults of the server led to where they stand, figures in words.
import type { Simulated, SimulationFigures } from '../api/cases';
import type { Key } from '../i18n';
import type { Lang, Words } from '../i18n/lang';
import { number } from './format';

const MODEL = 'http://www.omg.org/spec/BPMN/20100524/MODEL';
const OURS = 'urn:jicheng:bpmn:1';
/** Minutes of a working day, as the server counts. */
export const DAY_MINUTES = 420;
export const MOST_WORKERS = 10_000;
export const MOST_MINUTES = 100_000;
export const MOST_CASES = 10_000;

export interface Person { node: string; name: string; roles: string[] }
export interface Waiting { node: string; name: string; kind: 'service' | 'message' | 'call' }
export interface Assumable { people: Person[]; waits: Waiting[]; roles: string[] }

/** Identifications of the processes of a file; none when it is not XML. */
export function processesOf(xml: string): string[] {
  const file = new DOMParser().parseFromString(xml, 'application/xml');
  if (file.getElementsByTagName('parsererror').length) return [];
  return [...file.getElementsByTagNameNS(MODEL, 'process')].map((p) => p.getAttribute('id') ?? '').filter(Boolean);
}

/** What something can be assumed of in a process of a file: tasks of people, and what else is waited for. */
export function assumableOf(xml: string, process: string): Assumable {
  const nothing: Assumable = { people: [], waits: [], roles: [] };
  const file = new DOMParser().parseFromString(xml, 'application/xml');
  if (file.getElementsByTagName('parsererror').length) return nothing;
  const drawn = [...file.getElementsByTagNameNS(MODEL, 'process')].find((p) => p.getAttribute('id') === process);
  if (!drawn) return nothing;
  const found: Assumable = { people: [], waits: [], roles: [] };
  for (const e of drawn.getElementsByTagNameNS(MODEL, '*')) {
    const node = e.getAttribute('id');
    if (!node) continue;
    const name = e.getAttribute('name') || node;
    if (e.localName === 'userTask' || e.localName === 'manualTask') found.people.push({ node, name, roles: rolesIn(e.getAttributeNS(OURS, 'roles') ?? '') });
    else if (e.localName === 'serviceTask') found.waits.push({ node, name, kind: 'service' });
    else if (e.localName === 'callActivity') found.waits.push({ node, name, kind: 'call' });
    else if (e.localName === 'receiveTask' || (/^(intermediateCatch|boundary)Event$/.test(e.localName) && e.getElementsByTagNameNS(MODEL, 'messageEventDefinition').length)) found.waits.push({ node, name, kind: 'message' });
  }
  found.roles = [...new Set(found.people.flatMap((p) => p.roles))];
  return found;
}

export const rolesIn = (text: string): string[] => [...new Set(text.split(/[\s,，]+/).filter(Boolean))];

/** What was typed, by role or node; empty where nothing is assumed. */
export interface Typed { workers: Record<string, string>; minutes: Record<string, string>; limit: string; seed: string }
export interface Fault { at: string; words: Words }
export interface Read { capacity: Record<string, number>; service: Record<string, number>; limit?: number; seed?: number }

const said = (zh: string, en: string): Words => ({ zh, en });
const WHOLE = /^\d{1,15}$/;
const DECIMAL = /^\d{1,9}(\.\d{1,6})?$/;

/** Reads what was typed for these roles and steps (what is no longer drawn does not count), with every fault where it stands. */
export function readAssumptions(typed: Typed, drawn: Assumable): { read: Read; faults: Fault[] } {
  const read: Read = { capacity: {}, service: {} };
  const faults: Fault[] = [];
  const whole = (text: string, at: string, low: number, high: number): number | undefined => {
    const plain = text.trim();
    if (!plain) return undefined;
    const n = Number(plain);
    if (WHOLE.test(plain) && n >= low && n <= high) return n;
    faults.push({ at, words: said(`应为 ${low} 至 ${high} 的整数`, `should be a whole number, ${low} to ${high}`) });
    return undefined;
  };
  for (const name of new Set([...drawn.roles, ...drawn.people.map((p) => p.node)])) {
    const n = whole(typed.workers[name] ?? '', `/capacity/${name}`, 1, MOST_WORKERS);
    if (n !== undefined) read.capacity[name] = n;
  }
  for (const { node } of [...drawn.people, ...drawn.waits]) {
    const text = (typed.minutes[node] ?? '').trim();
    if (!text) continue;
    const n = Number(text);
    if (DECIMAL.test(text) && n <= MOST_MINUTES) read.service[node] = n;
    else faults.push({ at: `/service/${node}`, words: said(`应为 0 至 ${MOST_MINUTES} 的数`, `should be a number, 0 to ${MOST_MINUTES}`) });
  }
  read.limit = whole(typed.limit, 'limit', 1, MOST_CASES);
  read.seed = whole(typed.seed, 'seed', 0, 999_999_999_999_999);
  return { read, faults };
}

/** Where a fault is shown: at the period, at the changed process, at an input of this name, or above everything. */
export function placeOf(at: string): 'period' | 'changed' | 'xml' | 'input' | 'rest' {
  const plain = at.replace(/^\//, '');
  if (plain === 'from' || plain === 'to') return 'period';
  if (plain === 'version' || plain === 'xml') return 'changed';
  if (/^xml:\d+/.test(plain)) return 'xml';
  if (/^(capacity|service)\//.test(plain) || plain === 'limit' || plain === 'seed') return 'input';
  return 'rest';
}

/** Working time in words: minutes, hours of a working day, working days. */
export function workingTime(minutes: number, lang: Lang): string {
  const zh = lang === 'zh';
  if (minutes < 60) return zh ? `${number(minutes, minutes < 10 ? 1 : 0)} 分钟` : `${number(minutes, minutes < 10 ? 1 : 0)} min`;
  if (minutes < DAY_MINUTES) return zh ? `${number(minutes / 60, 1)} 小时` : `${number(minutes / 60, 1)} h`;
  const days = number(minutes / DAY_MINUTES, 1);
  return zh ? `${days} 个工作日` : `${days} workday${days === '1' ? '' : 's'}`;
}

/** What the axis of these minutes counts in. */
export function axisOf(minutes: readonly (number | null)[]): { by: number; unit: 'min' | 'hours' | 'days' } {
  const most = Math.max(0, ...minutes.map((m) => m ?? 0));
  if (most < 60) return { by: 1, unit: 'min' };
  return most < DAY_MINUTES ? { by: 60, unit: 'hours' } : { by: DAY_MINUTES, unit: 'days' };
}

export type Verdict = 'nothing' | 'unsure' | 'unknown' | 'same' | 'shorter' | 'longer';
/** What can be said of the mean time: `share` is the difference, 0 to 1 and more; `error` how far the model itself is off. */
export function verdictOf(d: Simulated): { verdict: Verdict; share: number; error: number | null } {
  const error = d.calibration ? Math.abs(d.calibration.error) : null;
  const [before, after] = [d.baseline.minutes.mean, d.changed.minutes.mean];
  if (d.compared === 0) return { verdict: 'nothing', share: 0, error };
  const share = before > 0 ? Math.abs(after - before) / before : after > 0 ? 1 : 0;
  if (share < 0.0005) return { verdict: 'same', share: 0, error };
  if (error === null) return { verdict: 'unknown', share, error };
  if (share <= error) return { verdict: 'unsure', share, error };
  return { verdict: after < before ? 'shorter' : 'longer', share, error };
}

export interface Measure { key: Key; unit: 'minutes' | 'share' | 'cases' | 'node'; before: number | string | null; after: number | string | null }
/** The figures side by side. */
export function measures({ baseline: b, changed: c }: Pick<Simulated, 'baseline' | 'changed'>): Measure[] {
  const minutes = (key: Key, of: (f: SimulationFigures) => number): Measure => ({ key, unit: 'minutes', before: of(b), after: of(c) });
  return [
    minutes('sim.m.p50', (f) => f.minutes.p50), minutes('sim.m.p90', (f) => f.minutes.p90), minutes('sim.m.mean', (f) => f.minutes.mean),
    { key: 'sim.m.within', unit: 'share', before: b.within, after: c.within }, { key: 'sim.m.promised', unit: 'cases', before: b.promised, after: c.promised },
    minutes('sim.m.waiting', (f) => f.waiting.mean), minutes('sim.m.waiting_p90', (f) => f.waiting.p90), minutes('sim.m.work', (f) => f.work.mean),
    { key: 'sim.m.congested', unit: 'node', before: b.congested, after: c.congested },
  ];
}

export interface Load { name: string; nodes: string[]; before: { workers: number; share: number } | null; after: { workers: number; share: number } | null }
/** Who does the tasks, in both replays, by the name of the group; those of the changed process first. */
export function loads({ baseline, changed }: Pick<Simulated, 'baseline' | 'changed'>): Load[] {
  const rows = new Map<string, Load>();
  for (const [side, people] of [['after', changed.people], ['before', baseline.people]] as const) {
    for (const { name, nodes, workers, share } of people) {
      const row = rows.get(name) ?? { name, nodes: [], before: null, after: null };
      row.nodes = [...new Set([...row.nodes, ...nodes])];
      row[side] = { workers, share };
      rows.set(name, row);
    }
  }
  return [...rows.values()];
}

/** With fewer cases than this, chance may have made the figures. */
export const FEW = 20;
/** From this share of their time on, work piles up before people at the least disturbance. */
export const BUSY = 0.85;
