// Library: a week of somebody's calendar: its days in Beijing time and which entries touch each.
import { date, DAY_MS, fromBeijing, ms } from './time';

/** Days of the week a day is in, Monday first. */
export function weekOf(day: string): string[] {
  const at = fromBeijing(day);
  // Noon of the day, so that no rounding falls to its neighbour; 0 is Sunday.
  const weekday = new Date(at + DAY_MS / 2).getUTCDay();
  const monday = at - ((weekday + 6) % 7) * DAY_MS;
  return Array.from({ length: 7 }, (_, i) => date(monday + i * DAY_MS));
}

/** Entries that touch a day, by their beginning; an end at midnight does not touch the day it falls on. */
export function onDay<T extends { from: string; to: string }>(entries: readonly T[], day: string): T[] {
  const begin = fromBeijing(day);
  return entries.filter((e) => ms(e.from) < begin + DAY_MS && ms(e.to) > begin).sort((a, b) => ms(a.from) - ms(b.from));
}
export const otherWeek = (day: string, step: 1 | -1): string => date(fromBeijing(day) + step * 7 * DAY_MS);
