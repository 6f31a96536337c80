// API: the live feed (server-sent events). The browser reconnects by itself; the hook says whether
// the feed is connected so that a page can show that it is not.
import { useEffect, useRef, useState } from 'react';
import type { Alert, Device } from './types';

export interface LiveObservation {
  thing: string; period: string; time: string; values: Record<string, [number, string]>;
}
export interface LiveHandlers {
  observations?: (row: LiveObservation) => void;
  alert?: (alert: Alert) => void;
  device?: (device: Device) => void;
}

function read<T>(event: Event): T | null {
  try {
    return JSON.parse((event as MessageEvent<string>).data) as T;
  } catch {
    return null;
  }
}

/** Listens while mounted and `enabled`; answers whether connected. */
export function useLive(enabled: boolean, things: string | null, handlers: LiveHandlers): boolean {
  const [connected, setConnected] = useState(false);
  const current = useRef(handlers);
  useEffect(() => {
    current.current = handlers;
  });
  useEffect(() => {
    if (!enabled) return undefined;
    const query = things ? `?things=${encodeURIComponent(things)}` : '';
    const source = new EventSource(`/api/v1/live${query}`);
    source.onopen = () => setConnected(true);
    source.onerror = () => setConnected(false);
    source.addEventListener('observations', (e) => {
      const row = read<LiveObservation>(e);
      if (row) current.current.observations?.(row);
    });
    source.addEventListener('alert', (e) => {
      const alert = read<Alert>(e);
      if (alert) current.current.alert?.(alert);
    });
    source.addEventListener('device', (e) => {
      const device = read<Device>(e);
      if (device) current.current.device?.(device);
    });
    return () => {
      source.close();
      setConnected(false);
    };
  }, [enabled, things]);
  return connected;
}
