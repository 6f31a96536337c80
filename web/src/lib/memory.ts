// Library: small choices kept on this computer (language, theme, columns). Works without storage.

/** Keeps a choice. */
export function remember(name: string, value: string): void {
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
