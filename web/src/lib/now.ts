// Library: the city's clock. The server's time counts, not the computer's; it ticks each minute so
// that charts move on without asking at every render.
import { useEffect, useState } from 'react';
import { useSession } from '../shell/session';
import { ms } from './time';

export function useNow(everyMs = 60_000): number {
  const { city } = useSession();
  const [offset, setOffset] = useState(0);
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const server = ms(city?.now);
    if (Number.isFinite(server)) {
      const found = server - Date.now();
      // A couple of seconds is the network, not a different clock.
      setOffset(Math.abs(found) > 5_000 ? found : 0);
    }
  }, [city?.now]);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now + offset;
}
