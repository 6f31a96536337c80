// Library: the moment the reader looks at, kept in the address (`?at=`), so that a view of the past
// can be sent to a colleague. Null means now.
import { useCallback } from 'react';
import { useSearchParams } from 'react-router';

export function useAt(): { at: string | null; setAt: (at: string | null) => void } {
  const [params, setParams] = useSearchParams();
  const at = params.get('at');
  const setAt = useCallback(
    (next: string | null) =>
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          if (next) after.set('at', next);
          else after.delete('at');
          return after;
        },
        { replace: true },
      ),
    [setParams],
  );
  return { at, setAt };
}

/** One filter kept in the address; an empty value leaves it out. */
export function useFilters(): {
  get: (name: string) => string;
  set: (changes: Record<string, string | null>) => void;
  params: URLSearchParams;
} {
  const [params, setParams] = useSearchParams();
  const get = (name: string) => params.get(name) ?? '';
  const set = useCallback(
    (changes: Record<string, string | null>) =>
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          for (const [name, value] of Object.entries(changes)) {
            if (value) after.set(name, value);
            else after.delete(name);
          }
          return after;
        },
        { replace: true },
      ),
    [setParams],
  );
  return { get, set, params };
}
