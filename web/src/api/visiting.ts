// API: visits to service halls as residents and terminals see them (kernel::visits): halls, half
// hours to book, appointments, queue numbers, the board; and one's own inbox (kernel::messages).
import { send } from './client';
import type { Words } from '../i18n/lang';

export interface Hours { from: string; to: string }
export interface HallMatter { code: string; title: Words; letter: string; minutes: number; capacity: number }
export interface Hall {
  code: string; title: Words; organisation: string; address: Words; matters: HallMatter[]; windows: { code: string; title: Words; matters: string[] }[];
  hours: Hours[][]; closed: string[]; days_ahead: number; version: number; open: boolean;
}
export interface Slot { from: string; to: string; capacity: number; free: number }
export interface NewAppointment { hall: string; matter: string; from: string; visitor?: { name: string; mobile: string } }
export type AppointmentState = 'booked' | 'checked_in' | 'cancelled' | 'no_show';
export interface Appointment {
  id: string; code: string; hall: string; matter: string; from: string; to: string; state: AppointmentState; visitor: string; ticket: string | null; at: string;
}
export const PRIORITIES = ['ordinary', 'elder', 'disabled', 'soldier'] as const;
export type Priority = (typeof PRIORITIES)[number];
export type TicketState = 'waiting' | 'called' | 'serving' | 'finished' | 'skipped' | 'expired';
export interface Ticket {
  id: string; number: string; hall: string; day: string; matter: string; priority: Priority; appointment_at: string | null; state: TicketState; window: string | null;
  calls: number; at: string; called_at: string | null; started_at: string | null; ended_at: string | null; before: number | null; wait_min: number | null;
}
export interface Board {
  hall: string; title: Words; at: string; open: boolean; called: { number: string; window: string; serving: boolean; at: string }[];
  queues: { letter: string; waiting: number; wait_min: number }[];
}

const part = encodeURIComponent;
export const hallPath = (hall: string): string => `/halls/${part(hall)}`;
export const ticketPath = (id: string): string => `/tickets/${part(id)}`;
export const bookVisit = (appointment: NewAppointment): Promise<Appointment> => send<Appointment>('POST', '/visits', appointment);
export const cancelVisit = (id: string): Promise<Appointment> => send<Appointment>('POST', `/visits/${part(id)}/cancel`);
export const takeNumber = (ticket: { hall: string; matter: string; priority: Priority }): Promise<Ticket> => send<Ticket>('POST', '/tickets', ticket);
/** By the code of an appointment (terminal), or by its identification (one's own). */
export const checkIn = (hall: string, code: string): Promise<Ticket> => send<Ticket>('POST', `${hallPath(hall)}/check-in`, { code });

export interface InboxEntry { id: string; at: string; subject: Words; text: Words; about: string; read_at: string | null }
export const markRead = (which: { ids: string[] } | 'all'): Promise<unknown> => send('POST', '/messages/read', which);
