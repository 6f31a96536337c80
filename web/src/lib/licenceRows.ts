// Library: rows pasted from a table made into licences to be issued. Every fault is named with its
// row and column; nothing is guessed.
import type { HolderDocument, LicenceField, LicenceType, NewLicence } from '../api/licences';
import type { Fill, Key } from '../i18n';

export const MOST_ROWS = 1000;

export interface RowFault { line: number; column: string; key: Key; fill?: Fill }
export interface Rows { licences: NewLicence[]; lines: number[]; faults: RowFault[] }

/** Records of a text with commas or, as spreadsheets paste them, tabs (RFC 4180). Null: a quote is never closed. */
export function records(text: string): string[][] | null {
  const plain = text.replace(/^\uFEFF/, '');
  const comma = (plain.split(/\r?\n/, 1)[0] ?? '').includes('\t') ? '\t' : ',';
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  for (let i = 0; i < plain.length; i++) {
    const c = plain[i];
    if (quoted) {
      if (c !== '"') cell += c;
      else if (plain[i + 1] === '"') { cell += '"'; i++; }
      else quoted = false;
    } else if (c === '"' && cell === '') quoted = true;
    else if (c === comma) { row.push(cell); cell = ''; }
    else if (c === '\n') { rows.push([...row, cell]); row = []; cell = ''; }
    else if (c !== '\r') cell += c;
  }
  if (quoted) return null;
  if (cell !== '' || row.length > 0) rows.push([...row, cell]);
  return rows;
}

type Base = 'source' | 'document' | 'holder_number' | 'holder_name' | 'number' | 'serial' | 'valid_from' | 'valid_to';
/** Columns every type has, by the names they go under. */
const BASE: Record<Base, readonly string[]> = {
  source: ['source', '签发依据', 'Issued for'],
  document: ['document', 'holder_document', '证件类型', 'Document'],
  holder_number: ['holder_number', '持证主体代码', '证件号码', 'Number of the holder'],
  holder_name: ['holder_name', '持证主体', '姓名', '名称', 'Holder'],
  number: ['number', '证照编号', 'Licence number'],
  serial: ['serial', '流水号', 'Serial'],
  valid_from: ['valid_from', '有效期起', 'Valid from'],
  valid_to: ['valid_to', '有效期止', 'Valid to'],
};
const DOCUMENTS: Record<HolderDocument, readonly string[]> = {
  citizen_number: ['citizen_number', '居民身份证', '身份证'],
  residence_permit: ['residence_permit', '居住证', '港澳台居民居住证', '外国人永久居留身份证'],
  passport: ['passport', '护照'],
  credit_code: ['credit_code', '统一社会信用代码', '营业执照'],
};
export const NATURAL: readonly HolderDocument[] = ['citizen_number', 'residence_permit', 'passport'];
/** Documents a holder of this type can have. */
export function documentsOf(holder: LicenceType['holder']): HolderDocument[] {
  return [...(holder === 'legal' ? [] : NATURAL), ...(holder === 'natural' ? [] : (['credit_code'] as const))];
}

/** Heads of an empty table for a type: Chinese titles, or the name where a title would be taken for another column. */
export function headOf(type: LicenceType): string[] {
  const base = ['签发依据', '证件类型', '持证主体代码', '持证主体', '有效期起', '有效期止'];
  const taken = new Set(Object.values(BASE).flat());
  return [...base, ...type.fields.map((f) => {
    const alone = !taken.has(f.title.zh) && type.fields.filter((other) => other.title.zh === f.title.zh).length === 1;
    return alone ? f.title.zh : f.name;
  })];
}

function columnOf(head: string, type: LicenceType): { base: Base } | { field: LicenceField } | null {
  const name = head.trim();
  const field = type.fields.find((f) => f.name === name);
  if (field) return { field };
  const base = (Object.keys(BASE) as Base[]).find((key) => BASE[key].includes(name));
  if (base) return { base };
  const titled = type.fields.find((f) => f.title.zh === name || f.title.en === name);
  return titled ? { field: titled } : null;
}

/** A day as `2026-11-21`, also from `2026/11/21` or `2026-1-5` as spreadsheets write it; null when there is no such day. */
export function dayOf(text: string): string | null {
  const parts = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})$/.exec(text);
  if (!parts) return null;
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const found = new Date(Date.UTC(year, month - 1, day));
  if (found.getUTCFullYear() !== year || found.getUTCMonth() !== month - 1 || found.getUTCDate() !== day) return null;
  return found.toISOString().slice(0, 10);
}

const YES = ['true', '是', 'yes', '1'];
const NO = ['false', '否', 'no', '0'];

/** The value of a field from what was typed, or what is wrong with it. */
export function valueOf(field: LicenceField, text: string): { value: unknown } | { key: Key; fill?: Fill } {
  const lower = text.toLowerCase();
  switch (field.kind.type) {
    case 'integer': {
      const n = Number(text);
      return /^[+-]?\d+$/.test(text) && Number.isSafeInteger(n) ? { value: n } : { key: 'lic.bad_integer' };
    }
    case 'number':
      return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) && Math.abs(Number(text)) <= Number.MAX_SAFE_INTEGER ? { value: Number(text) } : { key: 'lic.bad_number' };
    case 'boolean':
      return YES.includes(lower) ? { value: true } : NO.includes(lower) ? { value: false } : { key: 'lic.bad_boolean' };
    case 'date': {
      const day = dayOf(text);
      return day ? { value: day } : { key: 'lic.bad_date' };
    }
    case 'choice': {
      const found = field.kind.of.find(([word, title]) => word === text || title.zh === text || title.en === text);
      return found ? { value: found[0] } : { key: 'lic.bad_choice', fill: { of: field.kind.of.map(([, title]) => title.zh).join('、') } };
    }
    default:
      return [...text].length <= field.longest ? { value: text } : { key: 'lic.bad_long', fill: { n: field.longest } };
  }
}

/** What is to be otherwise in a licence issued in place of another: only fields that changed; null for one that is emptied. */
export function changesOf(type: LicenceType, now: Record<string, unknown>, typed: Record<string, string>): { fields: Record<string, unknown>; wrong: Record<string, { key: Key; fill?: Fill }> } {
  const fields: Record<string, unknown> = {};
  const wrong: Record<string, { key: Key; fill?: Fill }> = {};
  for (const field of type.fields) {
    const text = (typed[field.name] ?? '').trim();
    const before = now[field.name];
    if (!text) {
      if (field.required) wrong[field.name] = { key: 'lic.bad_required' };
      else if (before !== undefined) fields[field.name] = null;
      continue;
    }
    const found = valueOf(field, text);
    if (!('value' in found)) wrong[field.name] = found;
    else if (found.value !== before) fields[field.name] = found.value;
  }
  return { fields, wrong };
}

/** Licences from a table for a type: none is left out in silence. */
export function licencesOf(text: string, type: LicenceType): Rows {
  const faults: RowFault[] = [];
  const wrong = (line: number, column: string, key: Key, fill?: Fill) => { faults.push({ line, column, key, ...(fill ? { fill } : {}) }); };
  const none = () => ({ licences: [], lines: [], faults });
  const table = records(text);
  if (!table) { wrong(1, '', 'lic.bad_quote'); return none(); }
  const [head, ...body] = table;
  if (!head || head.every((cell) => !cell.trim())) { wrong(1, '', 'lic.bad_empty'); return none(); }
  const columns = head.map((name) => columnOf(name, type));
  const nameOf = (c: ReturnType<typeof columnOf>) => (c ? ('base' in c ? c.base : `fields/${c.field.name}`) : null);
  columns.forEach((column, i) => {
    const title = (head[i] ?? '').trim();
    if (!column) { if (title || body.some((row) => row[i]?.trim())) wrong(1, title || String(i + 1), 'lic.bad_column'); }
    else if (columns.findIndex((other) => nameOf(other) === nameOf(column)) !== i) wrong(1, title, 'lic.bad_twice');
  });
  const has = (base: Base) => columns.some((c) => c && 'base' in c && c.base === base);
  const known = documentsOf(type.holder);
  for (const base of ['source', 'holder_number', 'holder_name'] as const) if (!has(base)) wrong(1, BASE[base][1] ?? base, 'lic.bad_missing_column');
  if (!has('document') && type.holder === 'either') wrong(1, '证件类型', 'lic.bad_missing_column');
  for (const field of type.fields) if (field.required && !columns.some((c) => c && 'field' in c && c.field.name === field.name)) wrong(1, field.title.zh, 'lic.bad_missing_column');
  if (faults.length) return none();
  const filled = body.map((row, i) => ({ row, line: i + 2 })).filter(({ row }) => row.some((cell) => cell.trim()));
  if (filled.length === 0) { wrong(1, '', 'lic.bad_empty'); return none(); }
  if (filled.length > MOST_ROWS) { wrong(1, '', 'lic.bad_many', { n: MOST_ROWS }); return none(); }
  const sources = new Map<string, number>();
  const licences = filled.map(({ row, line }) => {
    if (row.slice(columns.length).some((cell) => cell.trim())) wrong(line, '', 'lic.bad_more');
    return licenceOf({ row, line, head, columns, type, known, wrong, sources });
  });
  return { licences: faults.length ? [] : licences, lines: filled.map((f) => f.line), faults };
}

interface Row {
  row: string[]; line: number; head: string[]; columns: ReturnType<typeof columnOf>[]; type: LicenceType; known: HolderDocument[];
  wrong: (line: number, column: string, key: Key, fill?: Fill) => void; sources: Map<string, number>;
}

function licenceOf({ row, line, head, columns, type, known, wrong, sources }: Row): NewLicence {
  const base: Partial<Record<Base, string>> = {};
  const fields: Record<string, unknown> = {};
  const title = (i: number) => (head[i] ?? '').trim();
  columns.forEach((column, i) => {
    const cell = (row[i] ?? '').trim();
    if (!column) return;
    if ('base' in column) { if (cell) base[column.base] = cell; return; }
    if (!cell) { if (column.field.required) wrong(line, title(i), 'lic.bad_required'); return; }
    const found = valueOf(column.field, cell);
    if ('value' in found) fields[column.field.name] = found.value;
    else wrong(line, title(i), found.key, found.fill);
  });
  const at = (name: Base) => { const i = columns.findIndex((c) => c && 'base' in c && c.base === name); return i === -1 ? (BASE[name][1] ?? name) : title(i); };
  for (const name of ['source', 'holder_number', 'holder_name'] as const) if (!base[name]) wrong(line, at(name), 'lic.bad_required');
  let document = known[0] ?? 'citizen_number';
  if (base.document) {
    const named = (Object.keys(DOCUMENTS) as HolderDocument[]).find((d) => DOCUMENTS[d].includes(base.document ?? ''));
    if (!named || !known.includes(named)) wrong(line, at('document'), 'lic.bad_document');
    else document = named;
  } else if (type.holder === 'either') wrong(line, at('document'), 'lic.bad_required');
  const before = base.source ? sources.get(base.source) : undefined;
  if (before !== undefined) wrong(line, at('source'), 'lic.bad_source_twice', { line: before });
  else if (base.source) sources.set(base.source, line);
  const days: { valid_from?: string; valid_to?: string } = {};
  for (const name of ['valid_from', 'valid_to'] as const) {
    const typed = base[name];
    if (!typed) continue;
    const day = dayOf(typed);
    if (day) days[name] = day;
    else wrong(line, at(name), 'lic.bad_date');
  }
  if (days.valid_from && days.valid_to && days.valid_to < days.valid_from) wrong(line, at('valid_to'), 'lic.bad_order');
  return {
    kind: type.name, source: base.source ?? '', holder: { document, number: base.holder_number ?? '', name: base.holder_name ?? '' }, fields,
    ...(base.number ? { number: base.number } : {}), ...(base.serial ? { serial: base.serial } : {}), ...days,
  };
}

/** The place of a problem the server names as `rows/<row>/<field>`; null for the whole. */
export function placeOf(at: string): { row: number; field: string } | null {
  const parts = /^rows\/(\d+)\/(.*)$/.exec(at);
  return parts ? { row: Number(parts[1]), field: parts[2] ?? '' } : null;
}
