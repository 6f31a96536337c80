// Form: reads the JSON Schema of an item or desk form (docs/items.md) into fields and steps, and
// decides which of them are asked. Pure; the same rules as the engine of items. What it does not
// understand it leaves out rather than guess, so a designer's half-written form can be shown.
import type { Json } from '../../api/cases';
import type { Answers, When } from '../../api/items';
import type { Words } from '../../i18n/lang';

export type FieldType = 'string' | 'integer' | 'number' | 'boolean' | 'array';
export const FORMATS = ['date', 'citizen-number', 'credit-code', 'mobile', 'money-fen', 'place', 'textarea'] as const;
export type Format = (typeof FORMATS)[number];
export interface Option { value: Json; words: Words }

export interface FormField {
  name: string; title: Words; help: Words | null; type: FieldType; format: Format | null; options: Option[] | null;
  required: boolean; when: When[]; step: string | null; unit: Words | null; prefill: string | null; personal: boolean;
  minimum: number | null; maximum: number | null; shortest: number | null; longest: number | null; pattern: string | null; /** What the pattern wants. */ rule: Words | null;
  fewest: number | null; most: number | null; multipleOf: number | null;
  /** Dates: not before (not after) this day: `today` or another field; later than another field. */
  notBefore: string | null; notAfter: string | null; after: string | null;
}
/** A page of the form. */
export interface FormStep { name: string; title: Words; help: Words | null; fields: FormField[] }
export interface ReadForm { title: Words | null; fields: FormField[]; steps: FormStep[] }

type Obj = { [name: string]: Json };
const isObj = (value: Json | undefined): value is Obj => typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: Json | undefined): string | null => (typeof value === 'string' && value !== '' ? value : null);
const num = (value: Json | undefined): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);

/** Words given as `{zh, en}` or as one text for both. */
export function wordsOf(value: Json | undefined): Words | null {
  if (typeof value === 'string') return value ? { zh: value, en: value } : null;
  if (!isObj(value)) return null;
  const zh = text(value['zh']) ?? text(value['en']);
  return zh === null ? null : { zh, en: text(value['en']) ?? zh };
}

/** Words in two keywords, one for each language: `title` and `x-title-en`. */
function pairOf(node: Obj, zh: string, en: string): Words | null {
  const words = wordsOf(node[zh]) ?? wordsOf(node[en]);
  const english = text(node[en]);
  return words && english ? { ...words, en: english } : words;
}
const titled = (node: Obj, name: string): Words => pairOf(node, 'title', 'x-title-en') ?? { zh: name, en: name };

function typeOf(node: Obj): FieldType | null {
  const said = Array.isArray(node['type']) ? node['type'].find((t) => t !== 'null') : node['type'];
  switch (said) {
    case 'string': case 'integer': case 'number': case 'boolean': case 'array': return said;
    case undefined: return Array.isArray(node['enum']) ? 'string' : null;
    default: return null;
  }
}

/** Options of `enum`, worded by `x-words`. */
function optionsOf(node: Obj): Option[] | null {
  if (!Array.isArray(node['enum'])) return null;
  const words = node['x-words'];
  return node['enum'].map((value) => {
    const own = isObj(words) && Object.hasOwn(words, String(value)) ? words[String(value)] : undefined;
    return { value, words: wordsOf(own) ?? { zh: String(value), en: String(value) } };
  });
}

/** Conditions: a list, or one alone. */
export function whensOf(value: Json | undefined): When[] {
  const list = Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
  return list.filter(isObj).flatMap((one) => {
    const field = text(one['field']);
    const among = one['in'];
    return field === null ? [] : [{ field, in: Array.isArray(among) ? among : among === undefined ? [] : [among] }];
  });
}

function fieldOf(name: string, node: Obj, required: boolean): FormField | null {
  const type = typeOf(node);
  if (type === null) return null;
  const items = isObj(node['items']) ? node['items'] : {};
  const format = text(node['format']);
  const known = FORMATS.find((f) => f === format) ?? null;
  const options = type === 'array' ? optionsOf(items) : optionsOf(node);
  // Where nothing is said the engine takes 200 characters, 2,000 of several lines.
  const longest = type === 'string' && !options && (known === null || known === 'textarea') ? (num(node['maxLength']) ?? (known === 'textarea' ? 2000 : 200)) : null;
  return {
    name, title: titled(node, name), help: pairOf(node, 'x-help', 'x-help-en'), type, format: known, options, required,
    when: whensOf(node['x-when']), step: text(node['x-step']), unit: wordsOf(node['x-unit']), prefill: text(node['x-prefill']), personal: node['x-personal'] === true,
    minimum: num(node['minimum']) ?? (known === 'money-fen' ? 0 : null), maximum: num(node['maximum']), shortest: num(node['minLength']), longest, pattern: text(node['pattern']), rule: pairOf(node, 'x-rule', 'x-rule-en'),
    fewest: num(node['minItems']), most: num(node['maxItems']), multipleOf: num(node['multipleOf']),
    notBefore: text(node['x-not-before']), notAfter: text(node['x-not-after']), after: text(node['x-after']),
  };
}

/** Steps as declared: `name`, `title`, `title-en`, `help`, `help-en`. */
function declaredSteps(value: Json | undefined): { name: string; title: Words; help: Words | null }[] {
  return (Array.isArray(value) ? value : []).filter(isObj).flatMap((one) => {
    const name = text(one['name']);
    return name ? [{ name, title: pairOf(one, 'title', 'title-en') ?? { zh: name, en: name }, help: pairOf(one, 'help', 'help-en') }] : [];
  });
}

/** Pages of the form: the declared steps in their order; a field without one is a page of its own at its place. */
function stepsOf(fields: readonly FormField[], declared: readonly { name: string; title: Words; help: Words | null }[]): FormStep[] {
  const steps: FormStep[] = [];
  const rank = new Map(declared.map((d, i) => [d.name, i]));
  for (const field of fields) {
    const known = field.step === null ? undefined : steps.find((s) => s.name === field.step);
    if (known) { known.fields.push(field); continue; }
    const said = declared.find((d) => d.name === field.step);
    steps.push({ name: field.step ?? field.name, title: said?.title ?? field.title, help: said?.help ?? null, fields: [field] });
  }
  // Declared steps keep their order among themselves; others stay where their field stands.
  const ordered = steps.filter((s) => rank.has(s.name)).sort((a, b) => (rank.get(a.name) ?? 0) - (rank.get(b.name) ?? 0));
  return steps.map((s) => (rank.has(s.name) ? (ordered.shift() ?? s) : s));
}

/** Reads a form. Fields come in the order of the schema. */
export function readForm(schema: unknown): ReadForm {
  const root = isObj(schema as Json) ? (schema as Obj) : {};
  const properties = isObj(root['properties']) ? root['properties'] : {};
  const required = new Set(Array.isArray(root['required']) ? root['required'] : []);
  const fields = Object.entries(properties).flatMap(([name, node]) => {
    const field = isObj(node) ? fieldOf(name, node, required.has(name)) : null;
    return field ? [field] : [];
  });
  return { title: wordsOf(root['title']), fields, steps: stepsOf(fields, declaredSteps(root['x-steps'])) };
}

/** Equality of JSON values; objects by their fields in any order. */
export function same(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((x, i) => same(x, b[i]));
  if (!isObj(a) || !isObj(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((n) => Object.hasOwn(b, n) && same(a[n], b[n]));
}

/** Does the answer fulfil the condition? Of several choices one is enough. */
export function holds(when: When, answers: Answers): boolean {
  const answer = answers[when.field];
  if (answer === undefined || answer === null) return false;
  return when.in.some((value) => same(value, answer) || (Array.isArray(answer) && answer.some((one) => same(value, one))));
}

/** The fields that are asked for these answers: all conditions hold, each on an earlier field that is asked itself. */
export function asked(form: ReadForm, answers: Answers): FormField[] {
  const names = new Set<string>();
  return form.fields.filter((field) => {
    const yes = field.when.every((w) => names.has(w.field) && holds(w, answers));
    if (yes) names.add(field.name);
    return yes;
  });
}

/** The pages with the fields asked now; a page without any is not shown. */
export function askedSteps(form: ReadForm, answers: Answers): FormStep[] {
  const names = new Set(asked(form, answers).map((f) => f.name));
  return form.steps.map((s) => ({ ...s, fields: s.fields.filter((f) => names.has(f.name)) })).filter((s) => s.fields.length > 0);
}

/** Answers to questions that are not asked (any more). */
export function notAsked(form: ReadForm, answers: Answers): string[] {
  const names = new Set(asked(form, answers).map((f) => f.name));
  return Object.keys(answers).filter((name) => !names.has(name) && answers[name] !== null && answers[name] !== undefined);
}

/** Nothing was answered. */
export const isEmpty = (value: Json | undefined): boolean => value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);

/** Name of the field a problem is about: `/answers/name`, `answers/name`, `/name` or `name`; null for something else. */
export function fieldAt(at: string): string | null {
  const parts = at.split('/').filter((p) => p !== '');
  if (parts[0] === 'answers') return parts[1] ?? null;
  return parts.length === 1 ? (parts[0] ?? null) : null;
}
