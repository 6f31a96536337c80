// Component: values of a register's fields in words.
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { Field, FieldValue } from '../api/types';
import { number } from '../lib/format';
import { dateTime } from '../lib/time';
import type { Lang } from '../i18n/lang';

const PLACE_DIGITS = 6;

/** A value as text for a cell or a list of facts. */
export function fieldText(field: Field, value: FieldValue, lang: Lang): ReactNode {
  if (value === null || value === undefined || value === '') return '—';
  switch (field.type) {
    case 'choice':
      return field.of.find(([v]) => v === value)?.[1][lang] ?? String(value);
    case 'boolean':
      return value ? (lang === 'zh' ? '是' : 'Yes') : lang === 'zh' ? '否' : 'No';
    case 'number':
    case 'integer':
      return `${number(Number(value), PLACE_DIGITS)}${field.unit ? `\u202f${field.unit}` : ''}`;
    case 'time':
      return dateTime(String(value));
    case 'reference':
      return <Link to={`/data/registers/${field.register}/${encodeURIComponent(String(value))}`}>{String(value)}</Link>;
    default:
      return String(value);
  }
}
