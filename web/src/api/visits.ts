// API: the clerk's side of visits to service halls: what a window does with its numbers, and the queue
// of a hall. Halls, numbers and the board are described in visiting.ts.
import { send } from './client';
import { hallPath, type Ticket } from './visiting';

export type TicketAct = { what: 'recall' } | { what: 'skip' } | { what: 'start' } | { what: 'finish' } | { what: 'transfer'; window: string };
export type TicketActName = TicketAct['what'];
/** The number a window has in hand, or was called to it; none when nobody waits. */
export interface InHand { ticket: Ticket | null }

const part = encodeURIComponent;
export const windowPath = (hall: string, window: string): string => `${hallPath(hall)}/windows/${part(window)}`;
export const visitPaths = { halls: '/halls', board: (hall: string): string => `${hallPath(hall)}/board`, queue: (hall: string): string => `${hallPath(hall)}/queue` } as const;
export const callNext = (hall: string, window: string): Promise<InHand> => send<InHand>('POST', `${windowPath(hall, window)}/call`);
export const actAtTicket = (hall: string, window: string, id: string, act: TicketAct): Promise<Ticket> => send<Ticket>('POST', `${windowPath(hall, window)}/tickets/${part(id)}`, act);
