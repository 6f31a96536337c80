// Component: a station by its name, with its key, linked to its page. One cached answer
// of the map names every station; a thing the map does not know keeps its key.
import { useCallback, useMemo } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { get } from '../api/client';
import type { StationMap } from '../api/environment';
import { useI18n } from '../i18n';
import { say } from '../lib/text';

const NAMES_STALE_MS = 5 * 60_000;

/** Name of a station for its key; the key itself while unknown. */
export function useStationName(): (key: string) => string {
  const { lang } = useI18n();
  const query = useQuery({
    queryKey: ['station names'], staleTime: NAMES_STALE_MS, networkMode: 'always', retry: 1,
    queryFn: ({ signal }) => get<StationMap>('/environment/map', undefined, signal),
  });
  const items = query.data?.items;
  const names = useMemo(() => new Map((items ?? []).map((s) => [s.station, say(s.name, lang)])), [items, lang]);
  return useCallback((key: string) => names.get(key) || key, [names]);
}

export function StationName({ thing }: { thing: string }) {
  const name = useStationName()(thing);
  return (
    <Link className="station-name" to={`/desk/stations/${encodeURIComponent(thing)}`}>
      {name === thing ? null : <>{name} </>}<code>{thing}</code>
    </Link>
  );
}
