// API: the declarations of the registers. A field's type comes nested under `kind` from the server;
// here it is one flat shape for forms, filters and tables.
import { useMemo } from 'react';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ApiError } from './client';
import { useApi } from './hooks';
import type { Field, FieldKind, List, Register } from './types';

type SentField = Field | (Omit<Field, 'type'> & { kind: FieldKind });
type Sent = Omit<Register, 'fields'> & { fields: SentField[] };

export function flatField(field: SentField): Field {
  return 'kind' in field ? { ...field, ...field.kind } : field;
}

export function useRegisters(): { query: UseQueryResult<List<Sent>, ApiError>; items: Register[] } {
  const query = useApi<List<Sent>>('/registers');
  const items = useMemo(() => (query.data?.items ?? []).map((r) => ({ ...r, fields: r.fields.map(flatField) })), [query.data]);
  return { query, items };
}

/** One declared register by name. */
export function useRegister(name: string): { query: UseQueryResult<List<Sent>, ApiError>; register: Register | undefined } {
  const { query, items } = useRegisters();
  return { query, register: items.find((r) => r.name === name) };
}
