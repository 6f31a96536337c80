// Library: moving running cases to another version: which steps have cases, and where each may go.
import type { Migrated } from '../api/cases';
import type { Step } from './bpmn';

export interface NodeRow { node: string; name: string; kind: string; cases: number }

/** The steps that have running cases, with how many, in the order of the drawing. */
export function nodeRows(found: readonly Migrated[], steps: readonly Step[]): NodeRow[] {
  const counts = new Map<string, number>();
  for (const one of found) for (const node of one.nodes) counts.set(node, (counts.get(node) ?? 0) + 1);
  const place = (node: string) => { const at = steps.findIndex((step) => step.id === node); return at < 0 ? steps.length : at; };
  const rows = [...counts].map(([node, cases]) => {
    const step = steps.find((one) => one.id === node);
    return { node, name: step?.name ?? node, kind: step?.kind ?? '', cases };
  });
  return rows.sort((a, b) => place(a.node) - place(b.node) || a.node.localeCompare(b.node));
}

/** Where each of them goes when nobody says otherwise: to the step of the same identification, if there is one. */
export function prefilled(rows: readonly NodeRow[], steps: readonly Step[]): Record<string, string> {
  return Object.fromEntries(rows.filter((row) => steps.some((step) => step.id === row.node)).map((row) => [row.node, row.node]));
}

/** The mapping as it is sent: only what has another identification there. */
export function mappingOf(chosen: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(chosen).filter(([node, to]) => to !== '' && to !== node));
}

/** How many go over, and how many do not. */
export function counted(found: readonly Migrated[]): { fit: number; not: number } {
  const fit = found.filter((one) => one.problems.length === 0).length;
  return { fit, not: found.length - fit };
}
