// API: visits to service halls, as sent (kernel::visits): halls, queue numbers, windows, the board.
import { send } from './client';
import type { Words } from '../i18n/lang';

export interface HallMatter { code: string; title: Words; letter: string; minutes: number; capacity: number }
export interface HallWindow { code: string; title: Words; matters: string[] }
export interface Hall {
  code: string; title: Words; organisation: string; address: Words; matters: HallMatter[]; windows: HallWindow[];
  hours: { from: string; to: string }[][]; closed: string[]; days_ahead: number; version: number; open: boolean;
}
export type TicketState = 'waiting' | 'called' | 'serving' | 'finished' | 'skipped' | 'expired';
export type Priority = 'ordinary' | 'elder' | 'disabled' | 'soldier';
export interface Ticket {
  id: string; number: string; hall: string; day: string; matter: string; priority: Priority; appointment_at: string | null; state: TicketState;
  window: string | null; calls: number; at: string; called_at: string | null; started_at: string | null; ended_at: string | null; before: number | null; wait_min: number | null;
}
export type TicketAct = { what: 'recall' } | { what: 'skip' } | { what: 'start' } | { what: 'finish' } | { what: 'transfer'; window: string };
export type TicketActName = TicketAct['what'];
export interface Board { hall: string; title: Words; at: string; open: boolean; called: { number: string; window: string; serving: boolean; at: string }[]; queues: { letter: string; waiting: number; wait_min: number }[] }
export interface WindowFigures { day: string; window: string | null; waiting: number; served: number; skipped: number; mean_wait_min: number | null; mean_service_min: number | null }

const part = encodeURIComponent;
const windowPath = (hall: string, window: string) => `/visits/halls/${part(hall)}/windows/${part(window)}`;
export const visitPaths = {
  halls: '/visits/halls', board: (hall: string) => `/visits/halls/${part(hall)}/board`, queue: (hall: string) => `/visits/halls/${part(hall)}/queue`,
  figures: (hall: string) => `/visits/halls/${part(hall)}/figures`, inHand: windowPath,
} as const;
export const callNext = (hall: string, window: string): Promise<Ticket | null> => send<Ticket | null>('POST', `${windowPath(hall, window)}/next`);
export const actAtTicket = (hall: string, window: string, id: string, act: TicketAct): Promise<Ticket> => send<Ticket>('POST', `${windowPath(hall, window)}/tickets/${part(id)}`, act);
