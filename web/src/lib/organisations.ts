// Library: names of organisations by their codes, for whom they are shown; otherwise the code stays.
import { useCallback, useMemo } from 'react';
import { useApi } from '../api/hooks';
import type { OrganisationCount } from '../api/items';
import type { Words } from '../i18n/lang';
import { useI18n } from '../i18n';
import { useSession } from '../shell/session';

export interface OrganisationLine { code: string; title: Words }

/** Organisations the reader may choose from; none for who may not read them. */
export function useOrganisationList(): OrganisationLine[] {
  const { may } = useSession();
  const path = may('read', 'organisations') ? '/organisations' : null;
  const departments = useApi<{ items: OrganisationLine[] }>(path, { kind: 'department', limit: 500 });
  const institutions = useApi<{ items: OrganisationLine[] }>(path, { kind: 'institution', limit: 500 });
  return useMemo(() => [...(departments.data?.items ?? []), ...(institutions.data?.items ?? [])], [departments.data, institutions.data]);
}

/** Names for staff from the tree, for everybody those of organisations that have items. */
export function useOrganisations(): (code: string | null | undefined) => string {
  const { w } = useI18n();
  const list = useOrganisationList();
  const known = useApi<{ items: OrganisationCount[] }>('/items/organisations');
  const names = useMemo(() => new Map([...(known.data?.items ?? []).flatMap((one) => [one.organisation, ...(one.formerly ?? [])].map((code) => [code, w(one.title)] as const)), ...list.map((one) => [one.code, w(one.title)] as const)]), [list, known.data, w]);
  return useCallback((code) => (code ? names.get(code) || code : '—'), [names]);
}
