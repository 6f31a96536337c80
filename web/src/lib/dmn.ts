// Library: decision tables: their rows as written in the file, beside the rows that matched.
import type { MatchedRule, TableReading } from '../api/decisions';

export interface WrittenRow { conditions: string[]; outputs: string[] }
export interface ShownRow { row: number; conditions: string[]; outputs: string[]; how: 'matched' | 'not_counted' | 'not_matched' }

const said = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value) ?? '');

/** Every row of a table in its order: those that matched with what they gave, the others as written (a dash when the file is not at hand). */
export function shownRows(table: TableReading, written: readonly WrittenRow[]): ShownRow[] {
  const matched = new Map<number, MatchedRule>(table.matched.map((rule) => [rule.row, rule]));
  return Array.from({ length: table.rules }, (_, i) => {
    const row = i + 1;
    const hit = matched.get(row);
    const text = written[i];
    if (hit) return { row, conditions: hit.conditions, outputs: hit.outputs.map(said), how: hit.counted ? 'matched' : 'not_counted' };
    return { row, conditions: table.inputs.map((_input, n) => text?.conditions[n] ?? '—'), outputs: table.outputs.map((_output, n) => text?.outputs[n] ?? '—'), how: 'not_matched' };
  });
}

/** The rows of the table in the decision or business knowledge model of this name. */
export function writtenRows(xml: string, name: string): WrittenRow[] {
  const file = new DOMParser().parseFromString(xml, 'application/xml');
  const owner = [...file.getElementsByTagNameNS('*', 'decision'), ...file.getElementsByTagNameNS('*', 'businessKnowledgeModel')].find((e) => e.getAttribute('name') === name);
  const table = owner?.getElementsByTagNameNS('*', 'decisionTable')[0];
  if (!table) return [];
  const texts = (rule: Element, tag: string) => [...rule.children].filter((e) => e.localName === tag).map((e) => e.textContent?.trim() || '-');
  return [...table.children].filter((e) => e.localName === 'rule').map((rule) => ({ conditions: texts(rule, 'inputEntry'), outputs: texts(rule, 'outputEntry') }));
}
