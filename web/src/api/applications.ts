// API: applications (办件), as sent (kernel::applications): drafts, what was handed in, its letters,
// bills, progress and rating; the few calls that both residents' and officers' pages make.
import type { Left, Noted } from './cases';
import { address, send, upload } from './client';
import type { Answers, Channel, DeliveryWay, Problem, Source } from './items';
import type { Words } from '../i18n/lang';
import type { Json } from './cases';
import type { Holder } from './licences';

export interface Behalf { holder: Holder; mobile: string; seen: string }
export interface NewDraft { item: string; channel?: Channel; on_behalf?: Behalf; answers?: Answers }
export interface Address { name: string; mobile: string; address: string }
export interface WantedDelivery { way: DeliveryWay; address?: Address | null }
/** What changes in a draft; `null` takes an answer back, what is not named stays. */
export interface DraftChange { answers?: Record<string, Json>; step?: string; delivery?: WantedDelivery; following?: string[] }

export interface Prefilled { value: Json; source: Words }
export interface FileLine { id: string; name: string; media: string; bytes: number; at: string }
export interface MaterialState {
  name: string; title: Words; required: boolean; may_follow: boolean; following: boolean;
  answered_by: [Source, Words] | null; licence?: string; files: FileLine[]; note: Words | null;
}
export interface ApplicantLine { name: string; number: string; natural: boolean; agent: string | null }

export interface Draft {
  id: string; item: string; item_version: number; title: Words; channel: Channel; applicant: ApplicantLine; answers: Answers;
  prefilled: Record<string, Prefilled>; left_over: Answers; changes: Problem[]; asked: string[]; materials: MaterialState[];
  delivery: WantedDelivery | null; step: string | null; problems: Problem[]; fees_fen: number; version: number;
  saved_at: string; expires_at: string; submitted_as: string | null;
}
export interface DraftLine { id: string; item: string; title: Words; saved_at: string; expires_at: string }

export const APPLICATION_STATES = ['submitted', 'correction', 'not_accepted', 'accepted', 'approved', 'refused', 'withdrawn', 'terminated'] as const;
export type ApplicationState = (typeof APPLICATION_STATES)[number];
/** Is nothing more decided about it? */
export const ended = (state: ApplicationState): boolean => !['submitted', 'correction', 'accepted'].includes(state);

export interface Delivery { way: DeliveryWay; state: 'waiting' | 'posted' | 'handed_over' | 'electronic'; tracking: string | null; at: string | null }
export interface Application {
  id: string; number: string; item: string; item_version: number; title: Words; organisation: string; channel: Channel;
  applicant: ApplicantLine; state: ApplicationState; part_of: string | null; case: string | null; submitted_at: string;
  accepted_at: string | null; decided_at: string | null; due: Left | null; delivery: Delivery | null; rating: number | null; version: number;
}
/** `at` is `answers/<field>`, `materials/<name>` or empty. */
export interface Missing { at: string; what: string }
export type LetterKind = 'receipt' | 'acceptance' | 'correction' | 'non_acceptance' | 'approval' | 'refusal';
export interface LetterLine { kind: LetterKind | string; number: string; file: string | null; at: string }
export interface ApplicationStep { at: string; what: string; words: Words; office: string | null }
export interface Bill { id: string; title: Words; fen: number; state: 'open' | 'paid' | 'refunded' | 'void'; paid_at: string | null; paid_by: 'service' | 'counter' | null; reference: string | null }
export interface Rating { mark: number; about: string[]; text: string; at: string; answer_due: string | null; answer: string | null; answered_at: string | null; visited: boolean }
export interface ApplicationFile {
  application: Application; answers: Answers; masked: string[]; materials: MaterialState[]; missing: Missing[]; letters: LetterLine[];
  parts: Application[]; bills: Bill[]; licences: string[]; rating: Rating | null; steps: ApplicationStep[];
}
export interface Receipt { application: Application; check: string; parts: Application[] }
export interface Progress {
  number: string; title: Words; organisation: string; state: ApplicationState; steps: ApplicationStep[]; due: Left | null; missing: Missing[];
}
export interface ServiceFigures {
  organisation: string; items: number; items_online: number; items_one_visit: number; submitted: number; submitted_online: number;
  decided: number; decided_on_time: number; rated: number; rated_good: number; bad: number; bad_answered: number;
}

export type Own =
  | { verb: 'correct'; answers: Answers; note: string } | { verb: 'withdraw'; reason: string }
  | { verb: 'rate'; mark: number; about: string[]; text: string };
export type Clerk =
  | { verb: 'accept'; note: string } | { verb: 'correction'; missing: Missing[] } | { verb: 'not_accept'; reason: string; basis: string }
  | { verb: 'transfer'; organisation: string; reason: string } | { verb: 'deliver'; tracking?: string; taken_by?: string }
  | { verb: 'paid'; bill: string; reference: string } | { verb: 'answer'; text: string; visited: boolean };
export type ClerkVerb = Clerk['verb'];

/** Work set aside after too many failures; of an application, or of a draft (then without a number). */
export interface ApplicationAside { id: string; application: string; number: string | null; kind: string; name: string; attempts: number; error: Noted; at: string }

const part = encodeURIComponent;
export const draftPath = (id: string): string => `/drafts/${part(id)}`;
/** Applications for items; `/applications` are the programs registered for sign-in. */
export const APPLICATIONS = '/service-applications';
export const applicationPath = (id: string): string => `${APPLICATIONS}/${part(id)}`;

export const beginDraft = (draft: NewDraft): Promise<Draft> => send<Draft>('POST', '/drafts', draft);
export const patchDraft = (id: string, change: DraftChange, version?: number): Promise<Draft> => send<Draft>('PATCH', draftPath(id), change, { ifMatch: version });
export const discardDraft = (id: string): Promise<null> => send<null>('DELETE', draftPath(id));
export const submitDraft = (id: string, key?: string): Promise<Receipt> => send<Receipt>('POST', `${draftPath(id)}/submit`, undefined, { key });
export const actOwn = (application: Pick<Application, 'id' | 'version'>, own: Own): Promise<Application> => send<Application>('POST', `${applicationPath(application.id)}/own`, own, { ifMatch: application.version });
export const actClerk = (application: Pick<Application, 'id' | 'version'>, verb: Clerk): Promise<Application> => send<Application>('POST', `${applicationPath(application.id)}/handle`, verb, { ifMatch: application.version });

/** Puts a file at a material of a draft or application; tells how far it got, 0 to 1. */
export const uploadFile = (about: string, material: string, file: File, onShare: (share: number) => void, signal?: AbortSignal): Promise<FileLine> =>
  upload<FileLine>(`/uploads/${part(about)}/${part(material)}`, { name: file.name }, file, onShare, signal);
export const removeFile = (about: string, material: string, file: string): Promise<null> => send<null>('DELETE', `/uploads/${part(about)}/${part(material)}/${part(file)}`);
/** Address of a file that was handed in. */
export const fileAddress = (about: string, file: string): string => address(`/uploads/${part(about)}/${part(file)}`);
/** Address of a letter as PDF. */
export const letterAddress = (application: string, file: string): string => address(`${applicationPath(application)}/letters/${part(file)}`);
