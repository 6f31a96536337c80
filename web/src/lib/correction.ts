// Library: the notice of what must be supplied (一次性告知补正): fields and materials are ticked, each
// with its words; everything wrong with it is named before it is sent, because it is said once.
import type { Missing } from '../api/applications';
import type { Key } from '../i18n';

export const SHORTEST = 2;
export const LONGEST = 500;
/** A thing that can be asked for. */
export interface Askable { at: string; title: string; kind: 'field' | 'material' }
/** Ticked points in the order they are told; an empty `at` is something else. */
export type Points = readonly Missing[];

export const fieldAt = (name: string): string => `answers/${name}`;
export const materialAt = (name: string): string => `materials/${name}`;

export const isTicked = (points: Points, at: string): boolean => points.some((point) => point.at === at);

/** Ticks or unticks; words typed for a point that is unticked are given up with it. Order is that of the form. */
export function tick(points: Points, at: string, on: boolean, order: readonly Askable[], words = ''): Missing[] {
  const rest = points.filter((point) => point.at !== at);
  return on ? sorted([...rest, { at, what: words }], order) : rest;
}

export const say = (points: Points, index: number, what: string): Missing[] => points.map((point, i) => (i === index ? { ...point, what } : point));
export const addOther = (points: Points): Missing[] => [...points, { at: '', what: '' }];
export const remove = (points: Points, index: number): Missing[] => points.filter((_, i) => i !== index);

function sorted(points: Missing[], order: readonly Askable[]): Missing[] {
  const place = (point: Missing) => { const found = order.findIndex((one) => one.at === point.at); return found === -1 ? order.length : found; };
  return points.map((point, i) => ({ point, i })).sort((a, b) => place(a.point) - place(b.point) || a.i - b.i).map(({ point }) => point);
}

export interface PointFault { index: number; what: Key; fill?: Record<string, number> }
/** Everything wrong with the notice; index -1 is the whole. */
export function faultsOf(points: Points): PointFault[] {
  if (points.length === 0) return [{ index: -1, what: 'correction.none' }];
  return points.flatMap((point, index): PointFault[] => {
    const length = [...point.what.trim()].length;
    if (length < SHORTEST) return [{ index, what: 'correction.short', fill: { n: SHORTEST } }];
    return length > LONGEST ? [{ index, what: 'correction.long', fill: { n: LONGEST } }] : [];
  });
}

/** The points as they are sent. */
export const toSend = (points: Points): Missing[] => points.map(({ at, what }) => ({ at, what: what.trim() }));

/** The notice as the applicant reads it. */
export function noticeLines(points: Points, order: readonly Askable[], other: string): { title: string; what: string }[] {
  return points.map((point) => ({ title: order.find((one) => one.at === point.at)?.title ?? other, what: point.what.trim() }));
}
