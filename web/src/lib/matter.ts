// Library: what the desk works out about an application itself: its queues, which verbs fit now and
// why the others do not, what a verb still lacks before it is sent. The server decides; this explains.
import type { Application, ApplicationFile, ApplicationState, Clerk, ClerkVerb } from '../api/applications';
import type { Params } from '../api/client';
import type { Key } from '../i18n';

export const QUEUES = ['submitted', 'correction', 'accepted', 'undelivered', 'unanswered', 'ended', 'all'] as const;
export type Queue = (typeof QUEUES)[number];
const ENDED: readonly ApplicationState[] = ['approved', 'refused', 'not_accepted', 'withdrawn', 'terminated'];

/** What the list is asked for in a queue. */
export function queueParams(queue: Queue): Params {
  switch (queue) {
    case 'undelivered': return { undelivered: true };
    case 'unanswered': return { unanswered: true };
    case 'ended': return { state: ENDED.join(',') };
    case 'all': return {};
    default: return { state: queue };
  }
}

export const CLERK_VERBS: readonly ClerkVerb[] = ['accept', 'correction', 'not_accept', 'transfer', 'deliver', 'paid', 'answer'];

/** A bad mark that waits for an answer, or for the visit after it. */
export const badMark = (file: ApplicationFile): boolean => file.rating !== null && file.rating.mark <= 2;

/** Was what is missing said already? The law lets it be said once; again only where what was supplied is wrong. */
export const saidOnce = (file: ApplicationFile): boolean => file.steps.some((step) => step.what === 'correction') || file.letters.some((letter) => letter.kind === 'correction');

/** A bundle is told what is missing, and accepted, as one; the rest is done at its parts. */
function wholeRefusal({ parts }: ApplicationFile, verb: ClerkVerb): Key | null {
  if (verb !== 'accept' && verb !== 'correction') return 'matter.no_bundle';
  if (verb === 'accept' && parts.some((part) => part.state === 'correction')) return 'matter.no_part_waits';
  return parts.some((part) => part.state === 'submitted') ? null : 'matter.no_part_submitted';
}

/** Why a verb cannot be used now; null when it can. */
export function clerkRefusal(file: ApplicationFile, verb: ClerkVerb, may: boolean): Key | null {
  if (!may) return 'matter.no_may';
  const { application: { state, delivery }, bills, rating } = file;
  if (file.parts.length && verb !== 'answer') return wholeRefusal(file, verb);
  switch (verb) {
    case 'accept': case 'correction': {
      if (state === 'correction') return 'matter.no_waits_applicant';
      if (state === 'accepted') return 'matter.no_accepted';
      return state === 'submitted' ? null : 'matter.no_ended';
    }
    case 'transfer': case 'not_accept': return state === 'submitted' || state === 'correction' ? null : state === 'accepted' ? 'matter.no_accepted' : 'matter.no_ended';
    case 'deliver': {
      if (!delivery || !ENDED.includes(state) || state === 'withdrawn' || state === 'terminated') return 'matter.no_result';
      return delivery.state === 'waiting' ? null : 'matter.no_delivered';
    }
    case 'paid': return bills.some((bill) => bill.state === 'open') ? null : bills.length ? 'matter.no_open_bill' : 'matter.no_bill';
    case 'answer': {
      if (!rating) return 'matter.no_rating';
      if (rating.mark > 2) return 'matter.no_bad';
      return rating.answer === null || !rating.visited ? null : 'matter.no_answered';
    }
  }
}

/** What was typed for a verb. */
export interface Said { note: string; reason: string; basis: string; organisation: string; tracking: string; taken_by: string; bill: string; reference: string; text: string; visited: boolean }
export const nothingSaid: Said = { note: '', reason: '', basis: '', organisation: '', tracking: '', taken_by: '', bill: '', reference: '', text: '', visited: false };

export type SimpleVerb = Exclude<ClerkVerb, 'correction'>;
/** The act as it is sent, or everything that is still missing, by field. */
export function clerkAct(application: Application, verb: SimpleVerb, said: Said): Clerk | Partial<Record<keyof Said, Key>> {
  const text = Object.fromEntries(Object.entries(said).map(([name, value]) => [name, typeof value === 'string' ? value.trim() : value])) as unknown as Said;
  const need = (...fields: (keyof Said)[]) => Object.fromEntries(fields.filter((name) => !text[name]).map((name) => [name, `matter.need_${name}` as Key])) as Partial<Record<keyof Said, Key>>;
  const whole = (fields: (keyof Said)[], act: Clerk) => { const missing = need(...fields); return Object.keys(missing).length ? missing : act; };
  switch (verb) {
    case 'accept': return { verb, note: text.note };
    case 'not_accept': return whole(['reason', 'basis'], { verb, reason: text.reason, basis: text.basis });
    case 'transfer': return whole(['organisation', 'reason'], { verb, organisation: text.organisation, reason: text.reason });
    case 'deliver': return application.delivery?.way === 'post' ? whole(['tracking'], { verb, tracking: text.tracking }) : whole(['taken_by'], { verb, taken_by: text.taken_by });
    case 'paid': return whole(['bill', 'reference'], { verb, bill: text.bill, reference: text.reference });
    case 'answer': return whole(['text'], { verb, text: text.text, visited: text.visited });
  }
}
export const isAct = (made: Clerk | Partial<Record<keyof Said, Key>>): made is Clerk => 'verb' in made;

/** Money of the API, in fen, as yuan. */
export const yuan = (fen: number): string => `¥ ${new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(fen / 100)}`;
