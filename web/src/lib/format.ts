// Library: numbers on screen. Thousands grouped, a unit always beside the number, a dash for none.

/** `12,345.6`; at most `digits` after the point (default: enough to show about 4 figures). */
export function number(value: number | null | undefined, digits?: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '—';
  const places = digits ?? placesFor(Math.abs(value));
  const text = new Intl.NumberFormat('en-US', { maximumFractionDigits: places }).format(value);
  return text === '-0' ? '0' : text;
}

function placesFor(size: number): number {
  if (size >= 1000) return 0;
  if (size >= 100) return 1;
  if (size >= 1) return 2;
  return 4;
}

/** Number with its unit, joined by a narrow no-break space. */
export function quantity(value: number | null | undefined, unit?: string | null, digits?: number): string {
  const text = number(value, digits);
  return unit && text !== '—' ? `${text}\u202f${unit}` : text;
}

/** A share between 0 and 1 as per cent. */
export function percent(share: number | null | undefined, digits = 1): string {
  return share === null || share === undefined ? '—' : `${number(share * 100, digits)}\u202f%`;
}

/** Bytes in binary units. */
export function bytes(count: number | null | undefined): string {
  if (count === null || count === undefined) return '—';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = count;
  let step = 0;
  while (value >= 1024 && step < units.length - 1) {
    value /= 1024;
    step += 1;
  }
  return quantity(value, units[step], step === 0 ? 0 : 1);
}
