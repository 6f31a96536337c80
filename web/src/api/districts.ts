// API: district outlines: those the city imported, else the built-in asset (see scripts/districts.mjs).
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { ApiError, get } from './client';
import type { Districts } from '../lib/geo';

export interface DistrictOutlines { shapes: Districts; imported: boolean }

async function load(): Promise<DistrictOutlines> {
  try {
    return { shapes: await get<Districts>('/map/districts'), imported: true };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
  const answer = await fetch('/districts.geojson');
  if (!answer.ok) {
    throw new ApiError({ code: 'map.no_outlines', status: answer.status, detail: '没有区县界线文件', detail_en: 'there is no file of district outlines' });
  }
  return { shapes: (await answer.json()) as Districts, imported: false };
}

export function useDistricts(): UseQueryResult<DistrictOutlines, ApiError> {
  return useQuery<DistrictOutlines, ApiError>({ queryKey: ['districts'], queryFn: load, staleTime: Infinity });
}
