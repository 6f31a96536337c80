// Library: whether a grant's object covers an object (`register.*` covers `register.station`).
export function covers(granted: string, object: string): boolean {
  if (granted === object || granted === '*') return true;
  return granted.endsWith('.*') && object.startsWith(granted.slice(0, -1));
}
