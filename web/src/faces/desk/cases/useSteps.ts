// Desk, cases: the drawing of a case's version, and the names of its steps.
import { useCallback, useMemo } from 'react';
import { useApi } from '../../../api/hooks';
import type { ProcessDrawing } from '../../../api/cases';
import { stepsOf } from '../../../lib/bpmn';

export function useSteps(process: string | undefined, version: number | undefined) {
  const query = useApi<ProcessDrawing>(process ? `/processes/${encodeURIComponent(process)}/drawing` : null, { version });
  const xml = query.data?.xml;
  const steps = useMemo(() => (xml ? stepsOf(xml) : []), [xml]);
  const names = useMemo(() => new Map(steps.map((s) => [s.id, s.name])), [steps]);
  const nameOf = useCallback((node: string) => names.get(node) ?? node, [names]);
  return { query, steps, nameOf, xml };
}
