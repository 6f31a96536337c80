// Library: what to call an account. Display names are kept in one language, the city's; a reader of
// English who would meet only Chinese characters gets the account's name.
import type { Lang } from '../i18n/lang';

export function personName(account: string, display: string, lang: Lang): string {
  if (!display.trim()) return account;
  return lang === 'en' && /\p{Script=Han}/u.test(display) ? account : display;
}
