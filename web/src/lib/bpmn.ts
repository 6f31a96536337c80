// Library: names of the steps of a drawing, read from its XML, so that pages can speak of them in
// words before (and without) the drawing itself.
export interface Step { id: string; name: string; kind: string }

const MODEL = 'http://www.omg.org/spec/BPMN/20100524/MODEL';
const STEPS = /(?:Task|task|subProcess|callActivity|Event|Gateway)$/;

/** The nodes of a file in their order; none when it is not XML. */
export function stepsOf(xml: string): Step[] {
  const file = new DOMParser().parseFromString(xml, 'application/xml');
  if (file.getElementsByTagName('parsererror').length) return [];
  return [...file.getElementsByTagNameNS(MODEL, '*')].filter((e) => STEPS.test(e.localName) && e.getAttribute('id')).map((e) => ({
    id: e.getAttribute('id') ?? '', name: e.getAttribute('name') || (e.getAttribute('id') ?? ''), kind: e.localName,
  }));
}

/** Has the file shapes to draw? */
export const isDrawn = (xml: string): boolean => /<(\w+:)?BPMNShape\b/.test(xml);

export interface Ask { name: string; kind: 'boolean' | 'number' | 'text' }

/** What the way on from a step hangs on: the variables compared in the conditions of the gateway behind it (or of its own flows). */
export function asksOf(xml: string, node: string): Ask[] {
  const file = new DOMParser().parseFromString(xml, 'application/xml');
  const flows = [...file.getElementsByTagNameNS(MODEL, 'sequenceFlow')].map((f) => ({
    from: f.getAttribute('sourceRef') ?? '', to: f.getAttribute('targetRef') ?? '', condition: f.getElementsByTagNameNS(MODEL, 'conditionExpression')[0]?.textContent ?? '',
  }));
  const gateways = new Set([...file.getElementsByTagNameNS(MODEL, '*')].filter((e) => /^(exclusive|inclusive)Gateway$/.test(e.localName)).map((e) => e.getAttribute('id') ?? ''));
  const own = flows.filter((f) => f.from === node);
  const next = own.map((f) => f.to).filter((to) => gateways.has(to));
  return asksIn([...own, ...flows.filter((f) => next.includes(f.from))].map((f) => f.condition));
}

/** Variables compared with a constant in FEEL conditions, each once. */
export function asksIn(conditions: readonly string[]): Ask[] {
  const found = new Map<string, Ask>();
  for (const condition of conditions) {
    for (const part of condition.replace(/^\s*=/, '').split(/\b(?:and|or)\b/)) {
      const parts = /^[\s(]*([\p{L}_][\p{L}\p{N}_]*)\s*(?:!?=|[<>]=?)\s*(true|false|-?\d+(?:\.\d+)?|"[^"]*")[\s)]*$/u.exec(part);
      const [, name, value] = parts ?? [];
      if (name && value && !found.has(name)) found.set(name, { name, kind: /^(true|false)$/.test(value) ? 'boolean' : value.startsWith('"') ? 'text' : 'number' });
    }
  }
  return [...found.values()];
}
