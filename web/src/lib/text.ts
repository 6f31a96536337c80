// Library: texts of reports, which come as plain text or in both languages.
import type { Lang, Words } from '../i18n/lang';

export function say(text: Words | string | number | boolean | null | undefined, lang: Lang): string {
  if (text === null || text === undefined) return '';
  if (typeof text === 'object') return text[lang] || text.zh || text.en;
  return String(text);
}
