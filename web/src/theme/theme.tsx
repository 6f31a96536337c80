// Theme: light or dark, ordinary or large type (适老化). The command face is dark unless its reader
// chose otherwise; large type changes the layout through data-large in styles.css, not only the font.
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { useLocation } from 'react-router';
import { palettes, type Mode, type Palette } from './palette';
import { remember, remembered } from '../lib/memory';

interface Theme {
  mode: Mode;
  palette: Palette;
  large: boolean;
  toggleMode: () => void;
  setLarge: (on: boolean) => void;
}
const Context = createContext<Theme | null>(null);

type Room = 'command' | 'pages';

function firstMode(room: Room): Mode {
  const kept = remembered(`theme.${room}`);
  if (kept === 'light' || kept === 'dark') return kept;
  if (room === 'command') return 'dark';
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

export function ThemeProvider({ children }: { children: ReactNode }) {
  const room: Room = useLocation().pathname.startsWith('/command') ? 'command' : 'pages';
  const [modes, setModes] = useState<Record<Room, Mode>>(() => ({
    command: firstMode('command'),
    pages: firstMode('pages'),
  }));
  const [large, setLargeState] = useState(() => remembered('large') === 'yes');
  const mode = modes[room];
  useEffect(() => {
    const root = document.documentElement;
    root.dataset['theme'] = mode;
    root.dataset['large'] = large ? 'yes' : 'no';
    root.style.colorScheme = mode;
  }, [mode, large]);
  const value = useMemo<Theme>(
    () => ({
      mode,
      palette: palettes[mode],
      large,
      toggleMode: () => {
        const next: Mode = mode === 'dark' ? 'light' : 'dark';
        remember(`theme.${room}`, next);
        setModes((before) => ({ ...before, [room]: next }));
      },
      setLarge: (on) => {
        remember('large', on ? 'yes' : 'no');
        setLargeState(on);
      },
    }),
    [mode, large, room],
  );
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

export function useTheme(): Theme {
  const value = useContext(Context);
  if (!value) throw new Error('useTheme outside ThemeProvider');
  return value;
}
