// API: electronic licences: shapes of the answers, and lists that go on below an identification.
import { useInfiniteQuery, type InfiniteData, type UseInfiniteQueryResult } from '@tanstack/react-query';
import type { Words } from '../i18n/lang';
import { get, type ApiError, type Params } from './client';
import { useApi } from './hooks';

export type LicenceState = 'in_force' | 'suspended' | 'withdrawn' | 'cancelled' | 'penalty' | 'replaced';
export type Verdict = 'valid' | 'not_yet_valid' | 'expired' | 'suspended' | 'revoked' | 'unknown' | 'altered' | 'incomplete';
export type HolderDocument = 'citizen_number' | 'residence_permit' | 'passport' | 'credit_code';
export type Grade = 'A' | 'B' | 'C' | 'D';

export interface Holder { document: HolderDocument; number: string; name: string }

export type FieldKind = { type: 'text' | 'integer' | 'number' | 'boolean' | 'date' | 'time' } | { type: 'choice'; of: [string, Words][] } | { type: 'reference'; register: string };
export interface LicenceField { name: string; title: Words; kind: FieldKind; required: boolean; personal: boolean; longest: number }
export interface LicenceType {
  name: string; code: string; title: Words; issuer: string; holder: 'natural' | 'legal' | 'either'; grade: Grade;
  basis: string; fields: LicenceField[]; minimum: string[]; public: string[]; authority: Words; authority_code: string;
}

export interface NewLicence {
  kind: string; source: string; holder: Holder; fields: Record<string, unknown>;
  number?: string; serial?: string; valid_from?: string; valid_to?: string;
}
export interface Licence {
  identifier: string; kind: string; title: Words; number: string; holder: Holder; fields: Record<string, unknown>;
  issuer: Words; issuer_code: string; issued_at: string; valid_from: string; valid_to: string | null; grade: Grade;
  state: LicenceState; state_code: string; reason: string | null; replaces: string | null; replaced_by: string | null; version: number;
}
export interface LicenceStep { at: string; what: string; state: string; reason: string }
export interface LicenceUse { id: string; at: string; way: string; verifier: string; purpose: string; basis: string; fields: string[]; verdict: string; matter: string }
export interface WalletPage { licence: Licence; verdict: Verdict; steps: LicenceStep[]; uses: LicenceUse[] }
export interface Looked { licence: Licence; steps: LicenceStep[]; uses: LicenceUse[] }
export interface Listed { id: string; identifier: string; state: LicenceState; reason: string | null; issued_at: string; valid_from: string; valid_to: string | null; version: number }
export interface Presentation { token: string; url: string; expires_at: string; fields: string[] }
export interface Verification {
  verdict: Verdict; words: Words; as_of: string; identifier: string | null; title: Words | null; issuer: Words | null; grade: Grade | null;
  valid_from: string | null; valid_to: string | null; fields: { name: string; title: Words; value: unknown }[]; missing?: string[]; watermark: Words;
}
/** A licence offered to a wallet of another maker; `code` and `url` are secrets of the holder. */
export interface Offer { id: string; offer: Record<string, unknown>; url: string; code: string; expires_at: string }
export type OfferState = 'open' | 'redeemed' | 'fetched' | 'taken_back' | 'guessed' | 'over';
export interface OfferInfo { id: string; state: OfferState; created_at: string; expires_at: string }
/** A presentation asked of a wallet. */
export interface Asked { id: string; state: string; url: string; request: Record<string, unknown>; expires_at: string }
export interface WalletRequest {
  id: string; state: 'waiting' | 'answered' | 'declined' | 'over'; kind: string; title: Words; fields: string[]; verifier: string; purpose: string; matter: string | null;
  created_at: string; expires_at: string; answered_at: string | null; verdict: Verdict | null; of_applicant: boolean | null; error: string | null;
}
export interface WalletAnswer { answered: boolean; request: WalletRequest; verification?: Verification; error?: string }
/** What a print will show as a mark: no font of the server has it. */
export interface Warning { at: string; words: Words }
export type Shown = { by: 'token'; token: string } | { by: 'identifier'; identifier: string; name: string } | { by: 'document'; document: string };

export interface Below<T> { items: T[]; next: string | null }

/** A list that grows at its end: every page goes on below the identification the last one named. */
export function useBelow<T>(path: string | null, params: Params = {}): UseInfiniteQueryResult<InfiniteData<Below<T>>, ApiError> {
  return useInfiniteQuery<Below<T>, ApiError, InfiniteData<Below<T>>, unknown[], string | null>({
    queryKey: [path, params, 'below'],
    queryFn: ({ pageParam, signal }) => get<Below<T>>(path as string, { ...params, before: pageParam }, signal),
    initialPageParam: null,
    getNextPageParam: (last) => last.next,
    enabled: path !== null,
  });
}

/** Types of licences by name; empty until they are known, or for whom they are not shown. */
export function useLicenceTypes(): { types: Map<string, LicenceType>; query: ReturnType<typeof useApi<{ items: LicenceType[] }>> } {
  const query = useApi<{ items: LicenceType[] }>('/licence-types');
  return { types: new Map((query.data?.items ?? []).map((type) => [type.name, type])), query };
}
