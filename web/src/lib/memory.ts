// Library: small choices kept on this computer (language, theme, columns). Works without storage.
import { isGuest } from '../api/guest';

/** Keeps a choice; of a guest of a shared screen nothing but the language. */
export function remember(name: string, value: string): void {
  if (isGuest() && name !== 'lang') return;
  try {
    localStorage.setItem(`jicheng.${name}`, value);
  } catch {
    // Storage may be forbidden; the choice then lasts for this page only.
  }
}

/** A kept choice, if any. */
export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(`jicheng.${name}`);
  } catch {
    return null;
  }
}
