// Library: what pages of cases work out themselves: words of a clock, which verbs fit now and why
// the others do not, fields of a form, a typed key/value editor that names every fault.
import type { CaseFile, CaseVerbName, Data, Json, Left, LightName, Task, TaskVerbName } from '../api/cases';
import type { Key } from '../i18n';
import type { Shape } from '../theme/palette';

/** How a clock looks: colour and shape together. */
export const lights: Record<LightName, { fill: string; shape: Shape }> = {
  green: { fill: '#3f9a6b', shape: 'circle' },
  yellow: { fill: '#ffd400', shape: 'diamond' },
  red: { fill: '#c81e1e', shape: 'octagon' },
  paused: { fill: '#71808e', shape: 'square' },
};

/** What is said of the days left. */
export function daysLeft(left: Left): { key: Key; n: number } {
  if (left.light === 'paused') return { key: 'clock.stopped', n: Math.abs(left.days) };
  if (left.days < 0) return { key: 'clock.over', n: -left.days };
  return left.days === 0 ? { key: 'clock.today', n: 0 } : { key: 'clock.left', n: left.days };
}

const RANK: Record<LightName, number> = { red: 0, yellow: 1, green: 2, paused: 3 };
/** The more pressing of two clocks. */
export function pressing(a: Left | null, b: Left | null): Left | null {
  if (!a || !b) return a ?? b;
  if (RANK[a.light] !== RANK[b.light]) return RANK[a.light] < RANK[b.light] ? a : b;
  return a.days <= b.days ? a : b;
}

/** The verbs of a task, in the order of the page. */
export const TASK_VERBS: readonly TaskVerbName[] = ['claim', 'release', 'complete', 'transfer', 'delegate', 'add_signer', 'remove_signer', 'send_back', 'return_to_starter', 'withdraw', 'circulate', 'urge'];

/** What a countersign lets the asker do: how many they may do without, and whether they steer the case. */
export interface Countersigning { removable: number; steers: boolean }

/** Why a verb cannot be used at a task now; null when it can. The server decides; this explains. */
export function taskRefusal(task: Task, verb: TaskVerbName, me: string, signers: number, round: Countersigning = { removable: 0, steers: false }): Key | null {
  const open = task.state === 'open';
  if (verb === 'withdraw') {
    if (task.state === 'done' && task.ended_by === me) return null;
    return open ? 'task.no_not_done' : 'task.no_not_mine_done';
  }
  if (!open) return 'task.no_ended';
  if (verb === 'urge') return null;
  const mine = task.assignee === me;
  if (verb === 'remove_signer' && round.removable > 0) return null;
  if (verb === 'add_signer' && round.steers) return null;
  if (verb === 'claim') return mine ? 'task.no_mine_already' : task.assignee ? 'task.no_taken' : null;
  if (task.assignee && !mine) return 'task.no_taken';
  if (verb === 'release') return mine ? null : 'task.no_not_claimed';
  if (verb === 'complete') return signers > 0 ? 'task.no_signers' : null;
  if (task.kind !== 'task' && ['send_back', 'return_to_starter', 'add_signer', 'remove_signer', 'delegate'].includes(verb)) return 'task.no_side';
  if (verb === 'remove_signer') return signers > 0 ? null : 'task.no_no_signer';
  return mine ? null : 'task.no_not_claimed';
}

/** Why a verb cannot be used at a case now; null when it can. */
export function caseRefusal(file: CaseFile, verb: CaseVerbName, me: string, operates: boolean): Key | null {
  const { state } = file.case;
  if (state !== 'running' && state !== 'suspended') return 'case.no_ended';
  const clocks = verb === 'pause' || verb === 'unpause';
  if (!operates && !(clocks && file.tasks.some((task) => task.assignee === me))) return 'case.no_may';
  const paused = file.pauses.some((pause) => pause.to === null);
  switch (verb) {
    case 'suspend': return state === 'running' ? null : 'case.no_suspended';
    case 'resume': return state === 'suspended' ? null : 'case.no_running';
    case 'pause': return paused ? 'case.no_paused' : null;
    case 'unpause': return paused ? null : 'case.no_clock_runs';
    case 'retry': return file.case.stuck > 0 ? null : 'case.no_stuck';
    case 'move': return file.marks.length ? null : 'case.no_mark';
    default: return null;
  }
}

/** A value on one line. */
export function plainValue(value: Json | undefined, yes: string, no: string): string {
  if (value === null || value === undefined || value === '') return '—';
  if (typeof value === 'boolean') return value ? yes : no;
  if (typeof value === 'object') {
    const tagged = Array.isArray(value) ? [] : Object.entries(value);
    const only = tagged.length === 1 ? tagged[0] : undefined;
    if (only?.[0].startsWith('@') && typeof only[1] === 'string') return only[1];
    return JSON.stringify(value);
  }
  return String(value);
}

/** Kinds a value of the editor can be of. */
export const VALUE_KINDS = ['text', 'number', 'boolean', 'json', 'null'] as const;
export type ValueKind = (typeof VALUE_KINDS)[number];
export interface ValueRow { name: string; kind: ValueKind; text: string }
export interface ValueFault { row: number; at: 'name' | 'value'; what: Key; fill?: Record<string, string> }

export function kindOf(value: Json): ValueKind {
  if (value === null) return 'null';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'number') return 'number';
  return typeof value === 'boolean' ? 'boolean' : 'json';
}
export function rowOf(name: string, value: Json): ValueRow {
  const kind = kindOf(value);
  return { name, kind, text: value === null ? '' : typeof value === 'object' ? JSON.stringify(value, null, 2) : String(value) };
}

/** The rows of the editor as data, with every fault named; rows left wholly empty do not count. */
export function readRows(rows: readonly ValueRow[]): { data: Data; faults: ValueFault[] } {
  const data: Data = {};
  const faults: ValueFault[] = [];
  const fault = (row: number, at: ValueFault['at'], what: Key, fill?: Record<string, string>) => { faults.push({ row, at, what, fill }); };
  rows.forEach((row, i) => {
    const name = row.name.trim();
    if (!name && !row.text.trim() && row.kind !== 'null') return;
    if (!name) fault(i, 'name', 'value.need_name');
    else if (Object.hasOwn(data, name)) fault(i, 'name', 'value.twice', { name });
    const read = readValue(row);
    if ('what' in read) fault(i, 'value', read.what, read.fill);
    // A plain assignment of `__proto__` would set no field.
    else if (name && !Object.hasOwn(data, name)) Object.defineProperty(data, name, { value: read.value, enumerable: true, writable: true, configurable: true });
  });
  return { data, faults };
}

function readValue(row: ValueRow): { value: Json } | { what: Key; fill?: Record<string, string> } {
  const text = row.text.trim();
  switch (row.kind) {
    case 'text': return { value: row.text };
    case 'null': return { value: null };
    case 'boolean': return text === 'true' || text === 'false' ? { value: text === 'true' } : { what: 'value.not_boolean' };
    case 'number': return /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) && Number.isFinite(Number(text)) ? { value: Number(text) } : { what: 'value.not_number' };
    case 'json': return readJson(text);
  }
}

/** JSON text, or where it is wrong. */
export function readJson(text: string): { value: Json } | { what: Key; fill?: Record<string, string> } {
  if (!text.trim()) return { what: 'value.empty_json' };
  try {
    return { value: JSON.parse(text) as Json };
  } catch (e) {
    const said = e instanceof Error ? e.message : '';
    return { what: 'value.not_json', fill: { why: said } };
  }
}

/** The fields a form asks for: names, separated by commas or spaces, of variables of the case. Null when it names nothing known. */
export function formFields(form: string | null, data: Data): string[] | null {
  const names = (form ?? '').split(/[\s,，、;；]+/).filter((name) => Object.hasOwn(data, name));
  return names.length ? [...new Set(names)] : null;
}

/** Accounts typed in one line. */
export const accounts = (text: string): string[] => [...new Set(text.split(/[\s,，、;；]+/).filter(Boolean))];

export interface FaultRow { line: number | null; text: string; at: string; words: { zh: string; en: string } }
/** Faults of a file with the line they are on (`name:line`, `line:column` or `line 12`), in the order of the file. */
export function faultRows(problems: readonly { at: string; words: { zh: string; en: string } }[], xml: string): FaultRow[] {
  const lines = xml.split('\n');
  return problems.map((p) => {
    const found = /^line (\d+)/.exec(p.at) ?? /(?:^|:)(\d+)(?::\d+)?$/.exec(p.at);
    const line = found ? Number(found[1]) : null;
    return { line, text: line === null ? '' : (lines[line - 1] ?? '').trim().slice(0, 160), at: p.at, words: p.words };
  }).sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}
