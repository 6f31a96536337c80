// Form: what is wrong with an answer, said at once and before the server is asked. The server
// decides; this only spares a walk there. Keys of words, so that a test reads them.
import type { Json } from '../../api/cases';
import type { Answers } from '../../api/items';
import type { Key } from '../../i18n';
import { weekdayOf } from '../../lib/calendar';
import { asked, isEmpty, same, type FormField, type ReadForm } from './schema';

export interface Hint { key: Key; fill?: Record<string, string | number> }

/** Check character of a citizen number (GB 11643). */
export function citizenCheck(first17: string): string {
  let sum = 0;
  for (const digit of first17) sum = ((sum + Number(digit)) * 2) % 11;
  const check = (12 - sum) % 11;
  return check === 10 ? 'X' : String(check);
}
export function isCitizenNumber(value: string): boolean {
  if (!/^\d{17}[\dX]$/.test(value)) return false;
  const birth = `${value.slice(6, 10)}-${value.slice(10, 12)}-${value.slice(12, 14)}`;
  return weekdayOf(birth) !== 0 && citizenCheck(value.slice(0, 17)) === value[17];
}
const CODE = '0123456789ABCDEFGHJKLMNPQRTUWXY';
/** Credit code with its check character (GB 32100). */
export function isCreditCode(value: string): boolean {
  if (!/^[0-9A-HJ-NPQRTUWXY]{18}$/.test(value)) return false;
  let weight = 1;
  let sum = 0;
  for (const c of value.slice(0, 17)) {
    sum += CODE.indexOf(c) * weight;
    weight = (weight * 3) % 31;
  }
  return CODE[(31 - (sum % 31)) % 31] === value[17];
}

/** `longitude,latitude` in degrees. */
export function isPlace(value: string): boolean {
  const parts = /^(-?\d{1,3}(?:\.\d{1,9})?),(-?\d{1,2}(?:\.\d{1,9})?)$/.exec(value);
  return parts !== null && Math.abs(Number(parts[1])) <= 180 && Math.abs(Number(parts[2])) <= 90;
}

/** The days a date may be at: today by the city's clock, or the day another field answers. */
export function days(field: FormField, answers: Answers, today: string): { from: string | null; to: string | null; after: string | null } {
  const day = (what: string | null): string | null => {
    if (what === null) return null;
    if (what === 'today') return today;
    const other = answers[what];
    return typeof other === 'string' && weekdayOf(other) ? other : null;
  };
  return { from: day(field.notBefore), to: day(field.notAfter), after: day(field.after) };
}

function wrongDay(field: FormField, value: string, answers: Answers, today: string): Hint | null {
  const { from, to, after } = days(field, answers, today);
  if (from !== null && value < from) return { key: 'form.too_early', fill: { day: from } };
  if (to !== null && value > to) return { key: 'form.too_late', fill: { day: to } };
  return after !== null && value <= after ? { key: 'form.not_after', fill: { day: after } } : null;
}

/** Can the answer be kept in the draft at all: is it of the type of the field? */
export function fits(field: FormField, value: Json): boolean {
  if (value === null) return true;
  switch (field.type) {
    case 'boolean': return typeof value === 'boolean';
    case 'integer': return typeof value === 'number' && Number.isSafeInteger(value);
    case 'number': return typeof value === 'number' && Number.isFinite(value);
    case 'array': return Array.isArray(value);
    default: return typeof value === 'string';
  }
}

function bounds(field: FormField, value: number): Hint | null {
  const unit = field.format === 'money-fen' ? 100 : 1;
  if (field.minimum !== null && value < field.minimum) return { key: 'form.too_small', fill: { n: field.minimum / unit } };
  if (field.maximum !== null && value > field.maximum) return { key: 'form.too_big', fill: { n: field.maximum / unit } };
  if (field.multipleOf !== null && field.multipleOf > 0 && Math.abs(value / field.multipleOf - Math.round(value / field.multipleOf)) > 1e-9) return { key: 'form.not_multiple', fill: { n: field.multipleOf / unit } };
  return null;
}

function wrongText(field: FormField, value: string): Hint | null {
  const length = [...value].length;
  switch (field.format) {
    case 'date': return weekdayOf(value) ? null : { key: 'form.not_date' };
    case 'place': return isPlace(value) ? null : { key: 'form.not_place' };
    case 'citizen-number': return isCitizenNumber(value) ? null : { key: 'form.not_citizen' };
    case 'credit-code': return isCreditCode(value) ? null : { key: 'form.not_credit' };
    case 'mobile': return /^1[3-9]\d{9}$/.test(value) ? null : { key: 'form.not_mobile' };
    default: break;
  }
  if (field.shortest !== null && length < field.shortest) return { key: 'form.too_short', fill: { n: field.shortest } };
  if (field.longest !== null && length > field.longest) return { key: 'form.too_long', fill: { n: field.longest, have: length } };
  if (field.pattern !== null && !matches(field.pattern, value)) return field.rule ? { key: 'form.not_rule', fill: { zh: field.rule.zh, en: field.rule.en } } : { key: 'form.not_pattern' };
  return null;
}

function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value);
  } catch {
    // A pattern this browser does not know is left to the server.
    return true;
  }
}

/** What is wrong with one answer; null when nothing is, or nothing was answered. */
export function wrong(field: FormField, value: Json | undefined): Hint | null {
  if (value === undefined || isEmpty(value)) return null;
  if (!fits(field, value)) return { key: field.format === 'money-fen' ? 'form.not_money' : field.type === 'integer' ? 'form.not_integer' : field.type === 'number' ? 'form.not_number' : 'form.not_type' };
  if (field.options) {
    const chosen = Array.isArray(value) ? value : [value];
    if (!chosen.every((one) => field.options?.some((o) => same(o.value, one)))) return { key: 'form.not_choice' };
  }
  if (Array.isArray(value)) {
    if (field.fewest !== null && value.length < field.fewest) return { key: 'form.too_few', fill: { n: field.fewest } };
    if (field.most !== null && value.length > field.most) return { key: 'form.too_many', fill: { n: field.most } };
    return null;
  }
  if (typeof value === 'number') return bounds(field, value);
  return typeof value === 'string' && !field.options ? wrongText(field, value) : null;
}

/** The same beside the other answers, and what is not answered although it must be. */
export function hintFor(field: FormField, answers: Answers, today: string): Hint | null {
  const value = answers[field.name];
  if (isEmpty(value)) return field.required ? { key: field.options || field.type === 'boolean' ? 'form.choose' : 'form.required' } : null;
  return wrong(field, value) ?? (field.format === 'date' && typeof value === 'string' ? wrongDay(field, value, answers, today) : null);
}

/** Everything wrong with the fields asked now, by field. `today` is the day by the city's clock. */
export function hints(form: ReadForm, answers: Answers, today: string, only?: readonly string[]): Map<string, Hint> {
  const found = new Map<string, Hint>();
  for (const field of asked(form, answers)) {
    if (only && !only.includes(field.name)) continue;
    const hint = hintFor(field, answers, today);
    if (hint) found.set(field.name, hint);
  }
  return found;
}
