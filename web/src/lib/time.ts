// Library: times on screen. The city lives in Beijing time (UTC+8, no summer time) wherever the
// reader's computer stands; the API carries RFC 3339 with offset.
import type { Lang } from '../i18n/lang';

const BEIJING_MS = 8 * 3600_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3600_000;
export const DAY_MS = 24 * HOUR_MS;

const two = (n: number) => String(n).padStart(2, '0');

/** Milliseconds of an RFC 3339 text or a number; NaN when it is neither. */
export function ms(time: string | number | null | undefined): number {
  if (time === null || time === undefined) return NaN;
  return typeof time === 'number' ? time : Date.parse(time);
}

function fields(at: number) {
  const d = new Date(at + BEIJING_MS);
  return {
    date: `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`,
    hm: `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`,
    s: two(d.getUTCSeconds()),
    weekday: d.getUTCDay(),
  };
}

/** `2026-11-21 10:32`, or a dash when there is no time. */
export function dateTime(time: string | number | null | undefined): string {
  const at = ms(time);
  if (Number.isNaN(at)) return '—';
  const f = fields(at);
  return `${f.date} ${f.hm}`;
}

/** `2026-11-21 10:32:05`. */
export function dateTimeSeconds(time: string | number | null | undefined): string {
  const at = ms(time);
  return Number.isNaN(at) ? '—' : `${dateTime(at)}:${fields(at).s}`;
}

/** `2026-11-21`. */
export function date(time: string | number | null | undefined): string {
  const at = ms(time);
  return Number.isNaN(at) ? '—' : fields(at).date;
}

/** The last moment before a clock is over: one that is over at midnight has the whole day before. */
export function lastMoment(due: string | number | null | undefined): number {
  const at = ms(due);
  return (at + BEIJING_MS) % DAY_MS === 0 ? at - MINUTE_MS : at;
}

/** `10:32`. */
export function clock(time: string | number | null | undefined): string {
  const at = ms(time);
  return Number.isNaN(at) ? '—' : fields(at).hm;
}

/** Weekday in words. */
export function weekday(time: string | number, lang: Lang): string {
  const day = fields(ms(time)).weekday;
  const zh = ['星期日', '星期一', '星期二', '星期三', '星期四', '星期五', '星期六'];
  const en = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
  return (lang === 'zh' ? zh : en)[day] ?? '';
}

/** RFC 3339 with +08:00, to the second. */
export function rfc3339(at: number): string {
  const f = fields(at);
  return `${f.date}T${f.hm}:${f.s}+08:00`;
}

/** Instant of a Beijing wall time `2026-11-21 10:32` (or a bare date). */
export function fromBeijing(text: string): number {
  const full = text.trim().replace(' ', 'T');
  const withTime = full.includes('T') ? full : `${full}T00:00`;
  const seconds = /T\d{2}:\d{2}$/.test(withTime) ? `${withTime}:00` : withTime;
  return Date.parse(`${seconds}+08:00`);
}

/** A length of time in words: `3 小时 12 分` / `3 h 12 min`. */
export function duration(lengthMs: number, lang: Lang): string {
  const zh = lang === 'zh';
  const total = Math.max(0, Math.round(lengthMs / 1000));
  if (total < 60) return `${total} ${zh ? '秒' : 's'}`;
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return `${minutes} ${zh ? '分钟' : 'min'}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) {
    const rest = minutes % 60;
    const head = `${hours} ${zh ? '小时' : 'h'}`;
    return rest ? `${head} ${rest} ${zh ? '分' : 'min'}` : head;
  }
  const days = Math.floor(hours / 24);
  return `${days} ${zh ? '天' : days === 1 ? 'day' : 'days'}`;
}
