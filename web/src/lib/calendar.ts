// Library: the working-day calendar of a year: its months, what each day is, days typed as text.
import type { CalendarDay } from '../api/cases';

export type DayKind = 'work' | 'weekend' | 'holiday' | 'made_up';
const two = (n: number) => String(n).padStart(2, '0');
const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;

/** Monday 1 to Sunday 7; 0 for what is no day of the calendar. */
export function weekdayOf(day: string): number {
  const parts = DAY.exec(day);
  if (!parts) return 0;
  const at = new Date(Date.UTC(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3])));
  // 31 April would become 1 May.
  if (at.getUTCMonth() + 1 !== Number(parts[2]) || at.getUTCDate() !== Number(parts[3])) return 0;
  return at.getUTCDay() || 7;
}

/** Weeks of a month from Monday on; null where another month is. */
export function weeksOf(year: number, month: number): (string | null)[][] {
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const lead = weekdayOf(`${year}-${two(month)}-01`) - 1;
  const cells: (string | null)[] = [...Array<null>(lead).fill(null), ...Array.from({ length: last }, (_, i) => `${year}-${two(month)}-${two(i + 1)}`)];
  while (cells.length % 7) cells.push(null);
  return Array.from({ length: cells.length / 7 }, (_, w) => cells.slice(w * 7, w * 7 + 7));
}

/** What a day is, by what is put in and by its weekday. */
export function kindOf(day: string, put: CalendarDay | undefined): DayKind {
  if (put) return put.worked ? 'made_up' : 'holiday';
  return weekdayOf(day) >= 6 ? 'weekend' : 'work';
}

/** Working days of a year. */
export function workingDays(year: number, days: readonly CalendarDay[]): number {
  const put = new Map(days.map((d) => [d.day, d]));
  let n = 0;
  for (let month = 1; month <= 12; month++) for (const day of weeksOf(year, month).flat()) if (day && ['work', 'made_up'].includes(kindOf(day, put.get(day)))) n++;
  return n;
}

/** The days with one put in its place; null takes it out. In order of the year. */
export function withDay(days: readonly CalendarDay[], day: string, put: CalendarDay | null): CalendarDay[] {
  return [...days.filter((d) => d.day !== day), ...(put ? [put] : [])].sort((a, b) => a.day.localeCompare(b.day));
}

/** How many days differ. */
export function changes(before: readonly CalendarDay[], after: readonly CalendarDay[]): string[] {
  const key = (d: CalendarDay | undefined) => (d ? `${d.worked} ${d.name}` : '');
  const was = new Map(before.map((d) => [d.day, d]));
  const is = new Map(after.map((d) => [d.day, d]));
  return [...new Set([...was.keys(), ...is.keys()])].filter((day) => key(was.get(day)) !== key(is.get(day))).sort();
}

const MOST_SPAN = 31;
/** Days typed as text: `2026-10-01~2026-10-07 休 国庆节` or `2026-10-10 班`, a line each; lines that are not understood are told by their number. */
export function readDays(text: string, year: number): { days: CalendarDay[]; wrong: { line: number; text: string }[] } {
  const days: CalendarDay[] = [];
  const wrong: { line: number; text: string }[] = [];
  text.split(/\n|；|;/).forEach((raw, i) => {
    const line = raw.trim();
    if (!line) return;
    const parts = /^(\d{4}-\d{2}-\d{2})(?:\s*[~～至]\s*(\d{4}-\d{2}-\d{2}))?\s+(休|放假|off|班|上班|on)(?:\s+(.{1,40}))?$/i.exec(line);
    const from = parts?.[1] ?? '';
    const to = parts?.[2] ?? from;
    const ok = parts && weekdayOf(from) && weekdayOf(to) && from <= to && from.startsWith(`${year}-`) && to.startsWith(`${year}-`);
    const span: string[] = [];
    if (ok) for (let at = Date.parse(from); at <= Date.parse(to) && span.length <= MOST_SPAN; at += 86_400_000) span.push(new Date(at).toISOString().slice(0, 10));
    if (!ok || span.length > MOST_SPAN) { wrong.push({ line: i + 1, text: line.slice(0, 60) }); return; }
    const worked = /^(班|上班|on)$/i.test(parts[3] ?? '');
    for (const day of span) days.push({ day, worked, name: parts[4]?.trim() ?? '' });
  });
  return { days, wrong };
}
