// Library: titles of roles by their names, as they are declared; an unknown role keeps its name.
import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { get, type ApiError } from '../api/client';
import type { Words } from '../i18n/lang';
import { useI18n } from '../i18n';
import { useSession } from '../shell/session';

export interface RoleTitle { name: string; title: Words }

/** Every declared role, none for who is not signed in. They change only with a new start. */
export function useRoleList(): RoleTitle[] {
  const { session } = useSession();
  const query = useQuery<{ items: RoleTitle[] }, ApiError>({ queryKey: ['/access/roles', {}], queryFn: ({ signal }) => get('/access/roles', undefined, signal), enabled: Boolean(session), staleTime: Infinity });
  return useMemo(() => query.data?.items ?? [], [query.data]);
}

/** The title of a role. */
export function useRoles(): (name: string) => string {
  const { w } = useI18n();
  const list = useRoleList();
  const titles = useMemo(() => new Map(list.map((one) => [one.name, w(one.title)])), [list, w]);
  return useCallback((name) => titles.get(name) || name, [titles]);
}
