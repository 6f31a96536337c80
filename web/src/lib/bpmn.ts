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
