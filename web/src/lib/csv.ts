// Library: CSV files made in the browser from rows already on screen (RFC 4180, with a byte-order
// mark so that office programs read the Chinese).

function cell(value: unknown): string {
  const text = value === null || value === undefined ? '' : String(value);
  // A leading formula sign would be executed by spreadsheet programs.
  const safe = /^[=+@\t\r]/.test(text) || (/^-/.test(text) && Number.isNaN(Number(text))) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The text of a CSV file. */
export function csv(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  return '\uFEFF' + [head, ...rows].map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}

/** Hands a text, or the bytes of a file, to the browser as a file. */
export function saveFile(name: string, text: string | Blob, type = 'text/csv;charset=utf-8'): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(text instanceof Blob ? text : new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
