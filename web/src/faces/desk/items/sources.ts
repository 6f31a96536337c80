// Desk, item designer: where a value or a material may come from: the applicant, registers, licences.
import { useMemo } from 'react';
import type { ApiError } from '../../../api/client';
import { useLicenceTypes } from '../../../api/licences';
import { useApi } from '../../../api/hooks';
import type { Words } from '../../../i18n/lang';
import { useI18n } from '../../../i18n';

export interface PrefillOption { path: string; text: string }
interface RegisterLine { name: string; title: Words; fields: { name: string; title: Words }[] }

export const PERSON_PATHS = ['person.name', 'person.number', 'person.birth', 'person.mobile', 'party.name', 'party.code'] as const;

/** Registers of the city with their fields; why they are not told when they are not. */
export function useRegisters(): { registers: RegisterLine[]; error: ApiError | null } {
  const query = useApi<{ items: RegisterLine[] }>('/registers');
  return useMemo(() => ({ registers: query.data?.items ?? [], error: query.error }), [query.data, query.error]);
}

export interface Prefills { options: PrefillOption[]; errors: ApiError[] }
/** Every place a field can be filled from, in words, and why some are not told. */
export function usePrefills(): Prefills {
  const { t, w } = useI18n();
  const { registers, error } = useRegisters();
  const { types, query } = useLicenceTypes();
  const options = useMemo(() => [
    ...PERSON_PATHS.map((path) => ({ path, text: t(`design.path_${path.replace('.', '_') as 'person_name'}`) })),
    ...registers.flatMap((r) => r.fields.map((f) => ({ path: `register.${r.name}.${f.name}`, text: `${t('design.register')} ${w(r.title)} · ${w(f.title)}` }))),
    ...[...types.values()].flatMap((l) => l.fields.map((f) => ({ path: `licence.${l.name}.${f.name}`, text: `${t('design.licence')} ${w(l.title)} · ${w(f.title)}` }))),
  ], [registers, types, t, w]);
  return { options, errors: [error, query.error].filter((e) => e !== null) };
}
