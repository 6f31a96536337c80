// Library: figures of the one window: shares from counts, what is met, and the period they are of.
import { date, DAY_MS, fromBeijing, rfc3339 } from './time';

/** Counts of one organisation; all of them together under an empty name (kernel::applications::ServiceFigures). */
export interface ServiceFigures {
  organisation: string; items: number; items_online: number; items_one_visit: number;
  submitted: number; submitted_online: number; decided: number; decided_on_time: number;
  rated: number; rated_good: number; bad: number; bad_answered: number;
}

export const MEASURES = ['online', 'one_visit', 'on_time', 'good', 'answered'] as const;
export type Measure = (typeof MEASURES)[number];
const PARTS: Record<Measure, [keyof ServiceFigures, keyof ServiceFigures]> = {
  online: ['items_online', 'items'], one_visit: ['items_one_visit', 'items'], on_time: ['decided_on_time', 'decided'],
  good: ['rated_good', 'rated'], answered: ['bad_answered', 'bad'],
};
/** Targets of the plan, as shares; only what the plan names. */
export const TARGETS: Partial<Record<Measure, number>> = { online: 0.98 };

export interface Share { part: number; of: number; share: number | null }
/** A share with what it is made of; null when there is nothing it could be a share of. */
export function shareOf(row: ServiceFigures, measure: Measure): Share {
  const [part, of] = PARTS[measure];
  const counts = { part: Number(row[part]), of: Number(row[of]) };
  return { ...counts, share: counts.of > 0 ? counts.part / counts.of : null };
}

/** Does a share reach the target? Null when there is no target or no share. */
export function reached(share: number | null, measure: Measure): boolean | null {
  const target = TARGETS[measure];
  return share === null || target === undefined ? null : share >= target;
}

/** All together first, then the organisations, the weakest of a measure first; those without a share last. */
export function ranked(rows: readonly ServiceFigures[], measure: Measure): ServiceFigures[] {
  const weight = (row: ServiceFigures) => shareOf(row, measure).share ?? 2;
  return [...rows].sort((a, b) => Number(b.organisation === '') - Number(a.organisation === '') || weight(a) - weight(b) || a.organisation.localeCompare(b.organisation));
}

export const PERIODS = ['month', 'last_30', 'quarter', 'year'] as const;
export type Period = (typeof PERIODS)[number];
export interface Days { from: string; to: string }

/** The days of a period, first and last, as they are on the calendar of the city. */
export function daysOf(period: Period, now: number): Days {
  const today = date(now);
  const [year, month] = [today.slice(0, 4), Number(today.slice(5, 7))];
  const two = (n: number) => String(n).padStart(2, '0');
  switch (period) {
    case 'last_30': return { from: date(now - 29 * DAY_MS), to: today };
    case 'month': return { from: `${today.slice(0, 7)}-01`, to: today };
    case 'quarter': return { from: `${year}-${two(month - ((month - 1) % 3))}-01`, to: today };
    case 'year': return { from: `${year}-01-01`, to: today };
  }
}

/** The longest stretch the server counts, in days. */
const MOST_DAYS = 400;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** The days of the address, or those of the period; a wrong, reversed or too long stretch is not taken. */
export function chosenDays(from: string, to: string, period: Period, now: number): Days & { own: boolean } {
  const valid = (day: string) => DAY.test(day) && date(fromBeijing(day)) === day;
  const short = fromBeijing(to) - fromBeijing(from) < MOST_DAYS * DAY_MS;
  return valid(from) && valid(to) && from <= to && short ? { from, to, own: true } : { ...daysOf(period, now), own: false };
}

/** The stretch as the API takes it: from the first moment of the first day to the first after the last. */
export function stretchOf(days: Days): { from: string; to: string } {
  return { from: rfc3339(fromBeijing(days.from)), to: rfc3339(fromBeijing(days.to) + DAY_MS) };
}
