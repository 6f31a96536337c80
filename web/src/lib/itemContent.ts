// Library: an item's content as a designer handles it: a new one, a copy, on which tab a problem is,
// the tree of guidance, and what changed between two versions in words.
import type { ItemContent, Problem, Question } from '../api/items';
import type { Key } from '../i18n';
import type { Words } from '../i18n/lang';
import { choicesOf, emptyForm, fieldNames, isRequired, kindOf, nodeOf, whensOf, type Content } from './designer';

export const TABS = ['basics', 'form', 'materials', 'guidance', 'flow', 'outcome', 'letters', 'questions', 'test', 'versions'] as const;
export type Tab = (typeof TABS)[number];
const TAB_OF: Record<string, Tab> = {
  form: 'form', desk_forms: 'flow', materials: 'materials', guidance: 'guidance', process: 'flow', bundle: 'flow', outcome: 'outcome', letters: 'letters', questions: 'questions',
};
/** `/form/properties/seats/type` stands on the tab of forms. */
export const tabOf = (at: string): Tab => TAB_OF[at.replace(/^\/?(content\/)?/, '').split('/')[0] ?? ''] ?? 'basics';
/** How many problems each tab has. */
export function problemsByTab(problems: readonly Problem[]): Partial<Record<Tab, number>> {
  const counts: Partial<Record<Tab, number>> = {};
  for (const problem of problems) { const tab = tabOf(problem.at); counts[tab] = (counts[tab] ?? 0) + 1; }
  return counts;
}
/** The field of the form a problem is about; null for the form as a whole. */
export const fieldOf = (at: string): string | null => /^\/?(?:content\/)?form\/properties\/([^/]+)/.exec(at)?.[1] ?? null;

const words = (zh = '', en = ''): Words => ({ zh, en });
/** What a new item begins with. */
export function newContent(title: Words, organisation: string): Content {
  return {
    title, summary: words(), catalogue_code: '', task_code: '', type: '20', level: 'city', organisation, serves: 'either', keywords: [], subjects: [], basis: [], conditions: [],
    instant: false, statutory: { days: 20, count: 'working_days' }, promised: { days: 10, count: 'working_days' }, channels: ['web', 'phone', 'counter'], visits: 0, delivery: ['electronic'],
    fees: [], place: words(), contact: words(), matter: 'licences', proofing: 2, process: null, bundle: [], form: emptyForm(), desk_forms: {}, materials: [], guidance: [],
    outcome: { title, licence: null, fields: {}, holder: null }, letters: {}, questions: [],
  };
}
/** A copy under another title: its codes are its own and must be written anew. */
export const copyOf = (content: Content, title: Words): Content => ({ ...content, title, catalogue_code: '', task_code: '', outcome: content.outcome ? { ...content.outcome } : content.outcome });

const ITEM = /^[a-z0-9_]{2,60}$/;
export const isItemName = (name: string): boolean => ITEM.test(name);

/** Questions in the order one meets them, with their depth; those nobody reaches come last, at depth -1. */
export function guidanceTree(questions: readonly Question[]): { question: Question; depth: number }[] {
  const byName = new Map(questions.map((q) => [q.name, q]));
  const seen = new Set<string>();
  const rows: { question: Question; depth: number }[] = [];
  const walk = (question: Question | undefined, depth: number) => {
    if (!question || seen.has(question.name)) return;
    seen.add(question.name);
    rows.push({ question, depth });
    for (const option of question.options) if (option.next) walk(byName.get(option.next), depth + 1);
  };
  walk(questions[0], 0);
  return [...rows, ...questions.filter((q) => !seen.has(q.name)).map((question) => ({ question, depth: -1 }))];
}

export interface Change { key: Key; fill: Record<string, string> }
const PLAIN = ['summary', 'catalogue_code', 'task_code', 'type', 'level', 'organisation', 'serves', 'keywords', 'subjects', 'basis', 'conditions', 'instant', 'channels', 'visits', 'delivery', 'fees', 'place', 'contact', 'matter', 'proofing', 'bundle', 'desk_forms', 'guidance', 'letters', 'questions'] as const satisfies readonly (keyof ItemContent)[];
/** A value without what is empty in it: what a copy leaves out and what it says to be empty are the same. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.length ? value.map((one) => bare(one) ?? null) : undefined;
  if (typeof value !== 'object' || value === null) return value === '' || value === null || value === false ? undefined : value;
  const kept = Object.entries(value).map(([name, one]) => [name, bare(one)] as const).filter(([, one]) => one !== undefined).sort(([a], [b]) => (a < b ? -1 : 1));
  return kept.length ? Object.fromEntries(kept) : undefined;
}
const alike = (a: unknown, b: unknown) => JSON.stringify(bare(a) ?? null) === JSON.stringify(bare(b) ?? null);

/** What changed from one version to another, one sentence each; `say` gives words of the reader's language. */
export function changesOf(before: Content, after: Content, say: (w: Words | undefined) => string): Change[] {
  const changes: Change[] = [];
  const add = (key: Key, fill: Record<string, string> = {}) => { changes.push({ key, fill }); };
  if (!alike(before.title, after.title)) add('compare.title', { from: say(before.title), to: say(after.title) });
  for (const limit of ['statutory', 'promised'] as const) {
    const [a, b] = [before[limit], after[limit]];
    if (!alike(a, b)) add(`compare.${limit}`, { from: a ? `${a.days}` : '—', to: b ? `${b.days}` : '—' });
  }
  if (!alike(before.process, after.process)) add('compare.process', { from: before.process ?? '—', to: after.process ?? '—' });
  if (!alike(before.outcome, after.outcome)) add('compare.outcome');
  for (const name of PLAIN) if (!alike(before[name], after[name])) add(`compare.${name}`);
  fieldChanges(before, after, add);
  materialChanges(before, after, say, add);
  return changes;
}

function fieldChanges(before: Content, after: Content, add: (key: Key, fill?: Record<string, string>) => void) {
  const [old, now] = [fieldNames(before.form), fieldNames(after.form)];
  const title = (content: Content, name: string) => { const said = nodeOf(content.form, name)['title']; return typeof said === 'string' && said ? said : name; };
  const renamed = new Map(now.flatMap((name) => { const was = nodeOf(after.form, name)['x-was']; return typeof was === 'string' && old.includes(was) && !now.includes(was) && !old.includes(name) ? [[was, name] as const] : []; }));
  for (const name of now) {
    const was = [...renamed].find(([, to]) => to === name)?.[0] ?? name;
    if (!old.includes(was)) { add('compare.field_added', { field: title(after, name) }); continue; }
    const [a, b] = [nodeOf(before.form, was), nodeOf(after.form, name)];
    const field = title(after, name);
    if (title(before, was) !== field) add('compare.field_title', { field: title(before, was), to: field });
    if (kindOf(a) !== kindOf(b)) add('compare.field_kind', { field });
    if (isRequired(before.form, was) !== isRequired(after.form, name)) add(isRequired(after.form, name) ? 'compare.field_required' : 'compare.field_optional', { field });
    const [had, has] = [choicesOf(a).map((c) => c.value), choicesOf(b).map((c) => c.value)];
    if (kindOf(a) === kindOf(b) && !alike(had, has)) add('compare.field_choices', { field });
    if (!alike(whensOf(a), whensOf(b))) add('compare.field_when', { field });
  }
  for (const name of old) if (!now.includes(name) && !renamed.has(name)) add('compare.field_removed', { field: title(before, name) });
  const kept = old.filter((name) => now.includes(name));
  if (!alike(kept, now.filter((name) => old.includes(name)))) add('compare.field_order');
  if (!alike(before.form?.['x-steps'], after.form?.['x-steps'])) add('compare.steps');
}

function materialChanges(before: Content, after: Content, say: (w: Words | undefined) => string, add: (key: Key, fill?: Record<string, string>) => void) {
  const [old, now] = [before.materials ?? [], after.materials ?? []];
  for (const m of now) {
    const was = old.find((one) => one.name === m.name);
    if (!was) add('compare.material_added', { material: say(m.title) });
    else if (!alike({ ...was, required: was.required !== false }, { ...m, required: m.required !== false })) add('compare.material_changed', { material: say(m.title) });
  }
  for (const m of old) if (!now.some((one) => one.name === m.name)) add('compare.material_removed', { material: say(m.title) });
}
