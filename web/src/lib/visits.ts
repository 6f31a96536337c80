// Library: days a hall can be booked for, where a message leads, the queue number kept on this phone. Pure but for the last.
import type { Hall } from '../api/visiting';
import { remember, remembered } from './memory';
import { date, DAY_MS } from './time';

/** Days from today on that may be open: the hall's hours say so, or cannot (a weekend may be worked). */
export function bookableDays(hall: Pick<Hall, 'days_ahead' | 'closed'>, now: number): string[] {
  const days = Array.from({ length: Math.min(90, Math.max(0, hall.days_ahead)) + 1 }, (_, i) => date(now + i * DAY_MS));
  return days.filter((day) => !hall.closed.includes(day));
}

/** The page a message is about: `application/<id>`, `task/<id>`, `appointment/<id>`; null for none we have. */
export function pageOf(about: string): string | null {
  const [kind, id] = about.split('/');
  if ((kind === 'application' || kind === 'service_application') && id) return `/portal/applications/${encodeURIComponent(id)}`;
  if (kind === 'appointment' || kind === 'ticket') return '/portal/visits';
  if (kind === 'draft' && id) return `/apply/${encodeURIComponent(id)}`;
  if (kind === 'task' && id) return `/desk/tasks/${encodeURIComponent(id)}`;
  return kind === 'licence' && id ? `/portal/licences/${encodeURIComponent(id)}` : null;
}

/** A queue number names nobody; this phone keeps which one it took. */
export const keptTicket = (): string | null => remembered('ticket') || null;
export const keepTicket = (id: string | null): void => remember('ticket', id ?? '');

/** The code as it is typed at the terminal: digits, eight at most. */
export const typedCode = (code: string, key: string): string => (key === 'back' ? code.slice(0, -1) : /^\d$/.test(key) && code.length < 8 ? code + key : code);
