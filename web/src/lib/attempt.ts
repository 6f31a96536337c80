// Library: an act that is sent to the server: done, or the fault it was refused with.
import { useState } from 'react';
import { ApiError } from '../api/client';

export function useAttempt(): { error: ApiError | null; busy: boolean; attempt: (work: () => Promise<unknown>) => Promise<boolean>; clear: () => void } {
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const attempt = async (work: () => Promise<unknown>) => {
    setError(null);
    setBusy(true);
    try {
      await work();
      return true;
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      setError(e);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { error, busy, attempt, clear: () => setError(null) };
}
