// Library: work set aside in words: what was to be done, what is in its way, where it belongs.
import type { ApplicationAside } from '../api/applications';
import type { CaseAside, Noted } from '../api/cases';
import type { Key } from '../i18n';

export type Owner = 'cases' | 'service-applications';
/** One row of either list. */
export interface Aside {
  owner: Owner; id: string;
  /** Identification of the case or application. */
  about: string;
  number: string | null; kind: string; name: string; attempts: number; error: Noted; at: string;
}

export const ofCase = ({ case: about, ...rest }: CaseAside): Aside => ({ owner: 'cases', about, ...rest });
export const ofApplication = ({ application: about, ...rest }: ApplicationAside): Aside => ({ owner: 'service-applications', about, ...rest });

/** The oldest first, of both lists. */
export const inOrder = (rows: readonly Aside[]): Aside[] => [...rows].sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || a.id.localeCompare(b.id));

export const retryPath = (row: Aside): string => `/${row.owner}/set-aside/${encodeURIComponent(row.id)}/retry`;
/** The page of what it belongs to; null for a draft, which is nobody's to open but the applicant's. */
export function pageOf(row: Aside): string | null {
  if (row.owner === 'cases') return `/desk/cases/${encodeURIComponent(row.about)}`;
  return row.number === null ? null : `/desk/applications/${encodeURIComponent(row.about)}`;
}

const CASE_KINDS = ['service', 'message', 'signal', 'call', 'escalation', 'return', 'cancel', 'timer', 'start'];
const NOTICES = ['application_submitted', 'application_accepted', 'application_correction', 'application_not_accepted', 'application_approved', 'application_refused', 'application_billed', 'application_delivered', 'application_terminated', 'rating_answered'];
const LIGHTS = ['yellow', 'red'];
const LETTERS = ['receipt', 'acceptance', 'correction', 'non_acceptance', 'approval', 'refusal'];
/** `correction-2` is the second correction. */
const withoutNumber = (name: string): string => name.replace(/-\d+$/, '');

/** What was to be done; `what` fills the blank of the text. */
export function taskOf(row: Pick<Aside, 'owner' | 'kind' | 'name'>): { key: Key; what: string } {
  if (row.owner === 'cases' && row.kind === 'timer' && LIGHTS.includes(row.name)) return { key: `aside.do.light_${row.name}` as Key, what: row.name };
  if (row.owner === 'cases') return { key: CASE_KINDS.includes(row.kind) ? (`aside.do.${row.kind}` as Key) : 'aside.do.other', what: row.name || row.kind };
  switch (row.kind) {
    case 'case': return { key: row.name === 'start' ? 'aside.do.case_start' : 'aside.do.case_cancel', what: row.name };
    case 'message': return { key: 'aside.do.paid', what: row.name };
    case 'letter': return { key: LETTERS.includes(withoutNumber(row.name)) ? (`aside.do.letter_${withoutNumber(row.name)}` as Key) : 'aside.do.letter', what: row.name };
    case 'notice': return { key: NOTICES.includes(withoutNumber(row.name)) ? (`aside.do.notice_${withoutNumber(row.name)}` as Key) : 'aside.do.notice', what: withoutNumber(row.name) };
    case 'files': return { key: row.name === 'forget' ? 'aside.do.files_forget' : 'aside.do.files_keep', what: row.name };
    default: return { key: 'aside.do.other', what: `${row.kind} ${row.name}`.trim() };
  }
}

const CODES = ['outgoing.failed', 'outgoing.refused', 'input.not_found', 'input.invalid', 'input.conflict', 'input.too_large', 'access.denied', 'decisions.failed', 'decisions.budget', 'documents.no_font', 'documents.infected', 'documents.not_scanned', 'parties.unavailable', 'store.unavailable', 'store.disk_full', 'system.internal', 'system.overloaded', 'crypto.not_opened'];
/** What is in the way, by its code. */
export function faultKey({ code, words }: Noted): Key {
  if (code && CODES.includes(code)) return `aside.why.${code.replace('.', '_')}` as Key;
  return code || words.en.trim() ? 'aside.why.other' : 'aside.why.none';
}
