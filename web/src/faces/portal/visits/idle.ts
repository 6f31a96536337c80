// Portal, terminal: the seconds until a screen that nobody touches goes back to its start. Counted
// from the clock, so that a machine that slept does not show the person before.
import { useCallback, useEffect, useState } from 'react';

/** Seconds left; every touch or key begins them anew. `onEnd` is called once when there are none. */
export function useIdle(active: boolean, seconds: number, onEnd: () => void): { left: number; again: () => void } {
  const [left, setLeft] = useState(seconds);
  const [until, setUntil] = useState(0);
  const again = useCallback(() => {
    setUntil(Date.now() + seconds * 1_000);
    setLeft(seconds);
  }, [seconds]);
  useEffect(() => {
    if (!active) return undefined;
    again();
    addEventListener('pointerdown', again);
    addEventListener('keydown', again);
    return () => { removeEventListener('pointerdown', again); removeEventListener('keydown', again); };
  }, [active, again]);
  useEffect(() => {
    if (!active || until === 0) return undefined;
    const timer = setInterval(() => {
      const now = Math.ceil((until - Date.now()) / 1_000);
      setLeft(Math.max(0, now));
      if (now <= 0) onEnd();
    }, 1_000);
    return () => clearInterval(timer);
  }, [active, until, onEnd]);
  return { left, again };
}
