// API: reading for components. A query remembers its last answer, so a failing refresh shows the
// old figures marked stale instead of an empty page.
import { keepPreviousData, QueryClient, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { ApiError, get, type Params } from './client';

/** How the application asks: no retry of refusals, two of what may pass. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (count, error) => count < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 503),
        refetchOnWindowFocus: false,
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  });
}

export interface ApiOptions {
  /** Ask again after so many milliseconds. */
  every?: number;
  /** Keep showing the page before while the next one loads. */
  keep?: boolean;
}

/** GET with cache; a null path asks nothing. */
export function useApi<T>(path: string | null, params?: Params, options: ApiOptions = {}): UseQueryResult<T, ApiError> {
  return useQuery<T, ApiError>({
    queryKey: [path, params ?? {}],
    queryFn: ({ signal }) => get<T>(path as string, params, signal),
    enabled: path !== null,
    refetchInterval: options.every ?? false,
    placeholderData: options.keep ? keepPreviousData : undefined,
  });
}
