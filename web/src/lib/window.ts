// Library: what a clerk can do at a window now, and why the rest does not fit.
import type { Ticket } from '../api/visiting';
import type { TicketActName } from '../api/visits';
import type { Key } from '../i18n';

export type WindowVerb = 'next' | TicketActName;
export const WINDOW_VERBS: readonly WindowVerb[] = ['next', 'recall', 'start', 'finish', 'skip', 'transfer'];

/** Why a verb cannot be used at the window now; null when it can. */
export function windowRefusal(hand: Ticket | null, verb: WindowVerb, may: boolean): Key | null {
  if (!may) return 'window.no_may';
  const busy = hand !== null && (hand.state === 'called' || hand.state === 'serving');
  if (verb === 'next') return busy ? 'window.no_in_hand' : null;
  if (!busy) return 'window.no_number';
  if (verb === 'finish') return hand.state === 'serving' ? null : 'window.no_started';
  if (verb === 'transfer') return null;
  return hand.state === 'called' ? null : 'window.no_serving';
}
