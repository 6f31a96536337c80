// Library: the form designer's operations on an item's form (docs/items.md): pure, each gives a new
// schema. What is named elsewhere in the item (conditions, guidance, result) follows a rename.
import type { Json } from '../api/cases';
import type { FormSchema, ItemContent, Question, Source, When } from '../api/items';
import type { Lang, Words } from '../i18n/lang';

export type Content = Partial<ItemContent>;
type Obj = { [name: string]: Json };
const isObj = (value: Json | undefined): value is Obj => typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

/** Kinds of fields an official chooses from; each is a type and format of the schema. */
export const KINDS = ['text', 'textarea', 'choice', 'choices', 'boolean', 'integer', 'number', 'money', 'date', 'citizen', 'credit', 'mobile', 'place'] as const;
export type Kind = (typeof KINDS)[number];
const FORMAT_OF: Partial<Record<Kind, string>> = { textarea: 'textarea', money: 'money-fen', date: 'date', citizen: 'citizen-number', credit: 'credit-code', mobile: 'mobile', place: 'place' };
const TYPE_OF: Record<Kind, string> = {
  text: 'string', textarea: 'string', choice: 'string', choices: 'array', boolean: 'boolean', integer: 'integer', number: 'number', money: 'integer',
  date: 'string', citizen: 'string', credit: 'string', mobile: 'string', place: 'string',
};
/** Keywords that mean the same whatever the kind. */
const COMMON = ['title', 'x-title-en', 'x-help', 'x-help-en', 'x-step', 'x-when', 'x-personal', 'x-was', 'description', '$comment'];
/** Keywords of a kind besides its type, format and choices. */
export const EXTRAS: Record<Kind, readonly string[]> = {
  text: ['minLength', 'maxLength', 'pattern', 'x-prefill'], textarea: ['minLength', 'maxLength'], choice: ['x-prefill'], choices: ['minItems', 'maxItems'], boolean: [],
  integer: ['minimum', 'maximum', 'multipleOf', 'x-unit', 'x-prefill'], number: ['minimum', 'maximum', 'multipleOf', 'x-unit', 'x-prefill'], money: ['minimum', 'maximum', 'multipleOf'],
  date: ['x-not-before', 'x-not-after', 'x-after', 'x-birth-of', 'x-prefill'], citizen: ['x-prefill'], credit: ['x-prefill'], mobile: ['x-prefill'], place: ['x-prefill'],
};

export const emptyForm = (): FormSchema => ({ type: 'object', required: [], properties: {} });
export const propertiesOf = (form: FormSchema | undefined): Obj => (isObj(form?.['properties']) ? form['properties'] : {});
export const fieldNames = (form: FormSchema | undefined): string[] => Object.keys(propertiesOf(form));
export function nodeOf(form: FormSchema | undefined, name: string): Obj {
  const node = propertiesOf(form)[name];
  return isObj(node) ? node : {};
}
/** Label of a field in a language; its name when it has none. */
export function titleOf(form: FormSchema | undefined, name: string, lang: Lang): string {
  const node = nodeOf(form, name);
  return String((lang === 'en' && node['x-title-en']) || node['title'] || name);
}
export const isRequired = (form: FormSchema | undefined, name: string): boolean => listOf(form?.['required']).includes(name);

export function kindOf(node: Obj): Kind {
  const format = node['format'];
  const named = (Object.keys(FORMAT_OF) as Kind[]).find((kind) => FORMAT_OF[kind] === format);
  if (named && TYPE_OF[named] === node['type']) return named;
  switch (node['type']) {
    case 'boolean': return 'boolean';
    case 'integer': return 'integer';
    case 'number': return 'number';
    case 'array': return 'choices';
    default: return Array.isArray(node['enum']) ? 'choice' : 'text';
  }
}

export interface ChoiceOf { value: string; words: Words }
export function choicesOf(node: Obj): ChoiceOf[] {
  const home = node['type'] === 'array' && isObj(node['items']) ? node['items'] : node;
  const words = isObj(home['x-words']) ? home['x-words'] : {};
  return listOf(home['enum']).map((value) => {
    const said = words[String(value)];
    return { value: String(value), words: isObj(said) ? { zh: String(said['zh'] ?? ''), en: String(said['en'] ?? '') } : { zh: '', en: '' } };
  });
}
export function withChoices(node: Obj, choices: readonly ChoiceOf[]): Obj {
  const part = { enum: choices.map((c) => c.value), 'x-words': Object.fromEntries(choices.map((c) => [c.value, { zh: c.words.zh, en: c.words.en }])) };
  return node['type'] === 'array' ? { ...node, items: { type: 'string', ...part } } : { ...node, ...part };
}

/** The field as another kind: what does not fit the new kind is left behind, choices are kept. */
export function withKind(node: Obj, kind: Kind): Obj {
  const keep = [...COMMON, ...EXTRAS[kind]];
  const made: Obj = { type: TYPE_OF[kind], ...Object.fromEntries(Object.entries(node).filter(([word]) => keep.includes(word))) };
  const format = FORMAT_OF[kind];
  if (format) made['format'] = format;
  if (kind === 'money') made['minimum'] = Math.max(0, Number(node['minimum'] ?? 0) || 0);
  if (kind !== 'choice' && kind !== 'choices') return made;
  const before = choicesOf(node);
  return withChoices(made, before.length ? before : [{ value: 'option_1', words: { zh: '', en: '' } }, { value: 'option_2', words: { zh: '', en: '' } }]);
}

/** Sets keywords of a field; an empty value takes the keyword away. */
export function setField(form: FormSchema, name: string, change: { [keyword: string]: Json | undefined }): FormSchema {
  const node: Obj = { ...nodeOf(form, name) };
  for (const [word, value] of Object.entries(change)) {
    if (value === undefined || value === null || value === '' || value === false || (Array.isArray(value) && value.length === 0)) delete node[word];
    else node[word] = value;
  }
  return putNode(form, name, node);
}
export const putNode = (form: FormSchema, name: string, node: Obj): FormSchema => ({ ...form, properties: { ...propertiesOf(form), [name]: node } });

export function setRequired(form: FormSchema, name: string, on: boolean): FormSchema {
  const rest = listOf(form['required']).filter((n) => n !== name);
  const wanted = on ? [...rest, name] : rest;
  // In the order of the form, so that a change is one change.
  return { ...form, required: fieldNames(form).filter((n) => wanted.includes(n)) };
}

/** A name not taken yet: what was wished when it is one, numbered otherwise. */
export function freshName(taken: readonly string[], wish: string): string {
  const base = wish.toLowerCase().replace(/[^a-z0-9_]+/g, '_').replace(/^[^a-z]+/, '').replace(/_+$/, '').slice(0, 36) || 'field';
  if (!taken.includes(base)) return base;
  for (let n = 2; ; n++) if (!taken.includes(`${base}_${n}`)) return `${base}_${n}`;
}

/** Adds a field behind another (at the end when there is none), on the same step. */
export function addField(form: FormSchema, kind: Kind, behind: string | null, title: Words): { form: FormSchema; name: string } {
  const names = fieldNames(form);
  const name = freshName(names, kind === 'text' ? 'field' : kind);
  const steps = stepsOf(form);
  const step = (behind ? nodeOf(form, behind)['x-step'] : undefined) ?? steps[steps.length - 1]?.name;
  const node = withKind({ title: title.zh, 'x-title-en': title.en, ...(step ? { 'x-step': step } : {}) }, kind);
  return { form: moveField(putNode(form, name, node), name, behind ? names.indexOf(behind) + 1 : names.length), name };
}

/** Puts a field at a place of the order, counted without it. */
export function moveField(form: FormSchema, name: string, to: number): FormSchema {
  const rest = fieldNames(form).filter((n) => n !== name);
  const at = Math.max(0, Math.min(rest.length, to));
  const order = [...rest.slice(0, at), name, ...rest.slice(at)];
  const properties = Object.fromEntries(order.map((n) => [n, propertiesOf(form)[n] ?? {}]));
  return { ...form, properties, ...(Array.isArray(form['required']) ? { required: order.filter((n) => listOf(form['required']).includes(n)) } : {}) };
}

/** Fields a condition of this one may look at: those before it that have values to choose from. */
export function askableBefore(form: FormSchema, name: string | null): string[] {
  const names = fieldNames(form);
  const before = name === null ? names : names.slice(0, names.indexOf(name));
  return before.filter((n) => ['choice', 'choices', 'boolean'].includes(kindOf(nodeOf(form, n))));
}
/** Values a condition can ask for. */
export function valuesOf(form: FormSchema, name: string): Json[] {
  const node = nodeOf(form, name);
  return kindOf(node) === 'boolean' ? [true, false] : choicesOf(node).map((c) => c.value);
}
/** Conditions that look at a field that comes after the one they are on (or at none): they can never hold. */
export function brokenConditions(form: FormSchema): { name: string; field: string }[] {
  const names = fieldNames(form);
  return names.flatMap((name, at) => whensOf(nodeOf(form, name)).filter((w) => !names.slice(0, at).includes(w.field)).map((w) => ({ name, field: w.field })));
}
export const whensOf = (node: Obj): When[] => listOf(node['x-when']).filter(isObj).map((one) => ({ field: String(one['field'] ?? ''), in: listOf(one['in']) }));

export interface StepOf { name: string; title: Words; help: Words }
export function stepsOf(form: FormSchema | undefined): StepOf[] {
  return listOf(form?.['x-steps']).filter(isObj).map((step) => ({
    name: String(step['name'] ?? ''), title: { zh: String(step['title'] ?? ''), en: String(step['title-en'] ?? '') }, help: { zh: String(step['help'] ?? ''), en: String(step['help-en'] ?? '') },
  }));
}
/** The steps as they shall be. Every field stands on one of them: one whose step is gone goes to the first. */
export function withSteps(form: FormSchema, steps: readonly StepOf[]): FormSchema {
  const written = steps.map((s) => ({ name: s.name, title: s.title.zh, 'title-en': s.title.en, ...(s.help.zh ? { help: s.help.zh, 'help-en': s.help.en } : {}) }));
  const { 'x-steps': _, ...rest } = form;
  const first = steps[0]?.name;
  const properties = Object.fromEntries(fieldNames(form).map((name) => {
    const { 'x-step': step, ...node } = nodeOf(form, name);
    const kept = steps.some((s) => s.name === step) ? step : first;
    return [name, kept ? { ...node, 'x-step': kept } : node];
  }));
  return { ...rest, ...(written.length ? { 'x-steps': written } : {}), properties };
}
export function addStep(form: FormSchema, title: Words): FormSchema {
  const steps = stepsOf(form);
  return withSteps(form, [...steps, { name: freshName(steps.map((s) => s.name), 'step'), title, help: { zh: '', en: '' } }]);
}

const NAME = /^[a-z][a-z0-9_]{0,39}$/;
export const isFieldName = (name: string): boolean => NAME.test(name);

/** Walks the places of an item that name fields of its form. */
function naming(content: Content, when: (list: When[]) => When[], path: (text: string) => string | null, sets: (answers: Record<string, Json>) => Record<string, Json>): Content {
  const made: Content = { ...content };
  const through = (text: string): string | null => (text.startsWith('form.') ? ((name) => (name === null ? null : `form.${name}`))(path(text.slice(5))) : text);
  if (content.materials) {
    made.materials = content.materials.map((m) => ({
      ...m, when: when(m.when ?? []),
      sources: (m.sources ?? []).flatMap((s): Source[] => { if (s.from !== 'register') return [s]; const key = through(s.key); return key === null ? [] : [{ ...s, key }]; }),
    }));
  }
  if (content.fees) made.fees = content.fees.map((fee) => ({ ...fee, when: when(fee.when ?? []) }));
  if (content.guidance) made.guidance = content.guidance.map((q: Question) => ({ ...q, options: q.options.map((o) => (o.sets ? { ...o, sets: sets(o.sets) } : o)) }));
  if (content.outcome) {
    const fields = Object.fromEntries(Object.entries(content.outcome.fields ?? {}).flatMap(([name, from]) => { const next = through(from); return next === null ? [] : [[name, next] as const]; }));
    const holder = content.outcome.holder ? { number: through(content.outcome.holder.number), name: through(content.outcome.holder.name) } : null;
    made.outcome = { ...content.outcome, fields, holder: holder && holder.number !== null && holder.name !== null ? { number: holder.number, name: holder.name } : null };
  }
  return made;
}

const BESIDE = ['x-not-before', 'x-not-after', 'x-after', 'x-birth-of'];
/** Renames a field everywhere in the item; drafts begun before find it by `x-was`. */
export function renameField(content: Content, from: string, to: string): Content {
  const form = content.form;
  if (!form || from === to || !isFieldName(to) || fieldNames(form).includes(to) || !fieldNames(form).includes(from)) return content;
  const when = (list: When[]) => list.map((w) => (w.field === from ? { ...w, field: to } : w));
  const properties = Object.fromEntries(fieldNames(form).map((name) => {
    const node: Obj = { ...nodeOf(form, name) };
    if (node['x-when']) node['x-when'] = when(whensOf(node)).map((w) => ({ ...w }));
    for (const word of BESIDE) if (node[word] === from) node[word] = to;
    if (name !== from) return [name, node];
    return [to, node['x-was'] ? node : { ...node, 'x-was': from }];
  }));
  const renamed = { ...form, properties, required: listOf(form['required']).map((n) => (n === from ? to : n)) };
  return naming({ ...content, form: renamed }, when, (name) => (name === from ? to : name), (answers) => Object.fromEntries(Object.entries(answers).map(([n, v]) => [n === from ? to : n, v])));
}

/** Takes a field away, and every condition, source and mapping that named it. */
export function removeField(content: Content, name: string): Content {
  const form = content.form;
  if (!form) return content;
  const when = (list: When[]) => list.filter((w) => w.field !== name);
  const properties = Object.fromEntries(fieldNames(form).filter((n) => n !== name).map((n) => {
    const { ...node }: Obj = nodeOf(form, n);
    if (node['x-when']) { const left = when(whensOf(node)); if (left.length) node['x-when'] = left.map((w) => ({ ...w })); else delete node['x-when']; }
    for (const word of BESIDE) if (node[word] === name) delete node[word];
    return [n, node];
  }));
  const rest = { ...form, properties, required: listOf(form['required']).filter((n) => n !== name) };
  return naming({ ...content, form: rest }, when, (n) => (n === name ? null : n), (answers) => Object.fromEntries(Object.entries(answers).filter(([n]) => n !== name)));
}
