// Form: answers in words, and typed text as answers: money in yuan, numbers, yes or no, choices.
import type { Json } from '../../api/cases';
import type { Lang, Words } from '../../i18n/lang';
import { isEmpty, same, type FormField } from './schema';

const pick = (words: Words, lang: Lang): string => words[lang] || words.zh || words.en;

/** Fen as `1,234.50`. */
export function yuan(fen: number): string {
  return new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(fen / 100);
}

/** `¥1,234.50`. */
export const money = (fen: number): string => `¥${yuan(fen)}`;

/** Typed yuan as fen; null when it is no sum of money. */
export function fenOf(text: string): number | null {
  const plain = text.trim().replace(/[,，\s¥￥]/g, '').replace(/元$/, '');
  const parts = /^(-?)(\d{1,13})(?:\.(\d{1,2}))?$/.exec(plain);
  if (!parts) return null;
  const fen = Number(parts[2]) * 100 + Number((parts[3] ?? '').padEnd(2, '0'));
  return Number.isSafeInteger(fen) ? (parts[1] ? -fen : fen) : null;
}

/** Typed text as the answer of a field: a number where it is one; the text itself where it is not, so that the fault can be said. */
export function answerOf(field: FormField, typed: string): Json {
  const text = typed.trim();
  if (text === '') return null;
  if (field.format === 'money-fen') return fenOf(text) ?? text;
  if (field.type === 'integer' || field.type === 'number') return /^-?\d{1,15}(\.\d{1,10})?$/.test(text) ? Number(text) : text;
  if (field.format === 'citizen-number' || field.format === 'credit-code') return text.replace(/\s/g, '').toUpperCase();
  if (field.format === 'place') return text.replace(/，/g, ',').replace(/\s/g, '');
  if (field.format === 'mobile') return text.replace(/[\s-]/g, '').replace(/^(\+?86)(?=1\d{10}$)/, '');
  return typed;
}

/** An answer as text to be typed on. */
export function typedOf(field: FormField, value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  if (field.format === 'money-fen' && typeof value === 'number') return (value / 100).toFixed(2).replace(/\.00$/, '');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** `114.50246,38.04547` as `38.04547° N, 114.50246° E`. */
function placeWords(value: Json, lang: Lang): string | null {
  const parts = typeof value === 'string' ? /^(-?[\d.]+),(-?[\d.]+)$/.exec(value) : null;
  if (!parts) return null;
  const [lon, lat] = [Number(parts[1]), Number(parts[2])];
  return lang === 'zh' ? `${lon < 0 ? '西经' : '东经'} ${Math.abs(lon)}°，${lat < 0 ? '南纬' : '北纬'} ${Math.abs(lat)}°` : `${Math.abs(lat)}° ${lat < 0 ? 'S' : 'N'}, ${Math.abs(lon)}° ${lon < 0 ? 'W' : 'E'}`;
}

/** An answer for people; `yes`, `no` and `none` in their language. */
export function sayAnswer(field: FormField | undefined, value: Json | undefined, lang: Lang, words: { yes: string; no: string; none: string }): string {
  if (isEmpty(value) || value === undefined || value === null) return words.none;
  if (Array.isArray(value)) return value.map((one) => sayOne(field, one, lang, words)).join(lang === 'zh' ? '、' : ', ');
  const said = sayOne(field, value, lang, words);
  return field?.unit && typeof value === 'number' ? `${said} ${pick(field.unit, lang)}` : said;
}

function sayOne(field: FormField | undefined, value: Json, lang: Lang, words: { yes: string; no: string }): string {
  const option = field?.options?.find((o) => same(o.value, value));
  if (option) return pick(option.words, lang);
  if (typeof value === 'boolean') return value ? words.yes : words.no;
  if (field?.format === 'money-fen' && typeof value === 'number') return money(value);
  if (field?.format === 'place') return placeWords(value, lang) ?? String(value);
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}
