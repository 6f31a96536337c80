// Component: a table of a report's items: caption, columns, CSV of exactly what is shown.
import type { ReactNode } from 'react';
import { csv, saveFile } from '../lib/csv';

export interface SimpleColumn<T> {
  title: string;
  cell: (row: T) => ReactNode;
  /** For the file; the cell itself when it is text. */
  file?: (row: T) => unknown;
  right?: boolean;
}

export function SimpleTable<T>({ caption, columns, rows, rowKey, quiet }: { quiet?: boolean; caption: string; columns: SimpleColumn<T>[]; rows: readonly T[]; rowKey: (row: T, i: number) => string }) {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table className="plain-table">
        <caption className={quiet ? 'hidden' : undefined}>{caption}</caption>
        <thead><tr>{columns.map((c) => <th key={c.title} scope="col" className={c.right ? 'num' : undefined}>{c.title}</th>)}</tr></thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={rowKey(row, i)}>
              {columns.map((c, n) => n === 0 ? <th key={c.title} scope="row">{c.cell(row)}</th> : <td key={c.title} className={c.right ? 'num' : undefined}>{c.cell(row)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The rows as a CSV file. */
export function saveRows<T>(name: string, columns: SimpleColumn<T>[], rows: readonly T[]): void {
  const text = (c: SimpleColumn<T>, row: T): unknown => {
    if (c.file) return c.file(row);
    const shown = c.cell(row);
    return typeof shown === 'string' || typeof shown === 'number' ? shown : '';
  };
  saveFile(name, csv(columns.map((c) => c.title), rows.map((r) => columns.map((c) => text(c, r)))));
}
