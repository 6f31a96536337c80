// API: walking through a list by cursors. The address keeps the filters; the page number and the
// cursors behind it live here and start anew when a filter changes.
import { useMemo, useState } from 'react';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ApiError, Params } from './client';
import { useApi } from './hooks';
import type { Page } from './types';

export interface Paged<T> {
  query: UseQueryResult<Page<T>, ApiError>;
  page: number;
  turn: (step: 1 | -1) => void;
}

export function usePaged<T>(path: string | null, params: Params, options: { limit?: number; every?: number } = {}): Paged<T> {
  const signature = useMemo(() => JSON.stringify([path, params]), [path, params]);
  const [walk, setWalk] = useState<{ of: string; cursors: string[] }>({ of: signature, cursors: [] });
  const cursors = walk.of === signature ? walk.cursors : [];
  const query = useApi<Page<T>>(path, { ...params, limit: options.limit ?? 50, after: cursors[cursors.length - 1] }, { keep: true, every: options.every });
  const turn = (step: 1 | -1) => {
    const next = query.data?.next;
    if (step === -1) setWalk({ of: signature, cursors: cursors.slice(0, -1) });
    else if (next) setWalk({ of: signature, cursors: [...cursors, next] });
  };
  return { query, page: cursors.length, turn };
}
