// Words: chooses the language, fills the blanks. Dictionaries are pairs in texts/, one file a room.
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import type { Lang, Pair, Words } from './lang';
import { remember, remembered } from '../lib/memory';
import { account } from './texts/account';
import { applications } from './texts/applications';
import { common } from './texts/common';
import { licences } from './texts/licences';
import { parties } from './texts/parties';
import { portal } from './texts/portal';
import { desk } from './texts/desk';
import { command } from './texts/command';
import { data } from './texts/data';
import { meters } from './texts/meters';
import { operator } from './texts/operator';
import { access } from './texts/access';
import { custody } from './texts/custody';
import { backups } from './texts/backups';
import { organisations } from './texts/organisations';
import { cases } from './texts/cases';
import { processes } from './texts/processes';
import { setAside } from './texts/set_aside';
import { simulation } from './texts/simulation';
import { intake } from './texts/intake';
import { visitsDesk } from './texts/visits_desk';
import { items } from './texts/items';
import { office } from './texts/office';
import { counter } from './texts/counter';
import { form } from './texts/form';
import { services } from './texts/services';
import { apply } from './texts/apply';
import { visits } from './texts/visits';
import { wallets } from './texts/wallets';

export type { Lang, Words } from './lang';
const texts = { ...account, ...common, ...parties, ...portal, ...licences, ...desk, ...command, ...data, ...operator, ...access, ...meters, ...custody, ...backups, ...applications, ...organisations, ...cases, ...processes, ...simulation, ...setAside, ...intake, ...visitsDesk, ...items, ...office, ...counter, ...form, ...services, ...apply, ...visits, ...wallets } satisfies Record<string, Pair>;
/** Name of a text; an unknown one is a compile error. */
export type Key = keyof typeof texts;
export type Fill = Record<string, string | number>;

/** A text in a language with `{name}` blanks filled. */
export function translate(lang: Lang, key: Key, fill?: Fill): string {
  const text = texts[key][lang === 'zh' ? 0 : 1];
  return fill ? text.replace(/\{(\w+)\}/g, (blank, name: string) => String(fill[name] ?? blank)) : text;
}

export interface I18n {
  lang: Lang;
  setLang: (lang: Lang) => void;
  /** A text of the dictionary. */
  t: (key: Key, fill?: Fill) => string;
  /** Words of the API in the language of the reader. */
  w: (words: Words | null | undefined) => string;
}

const Context = createContext<I18n | null>(null);

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [lang, setState] = useState<Lang>(() => (remembered('lang') === 'en' ? 'en' : 'zh'));
  useEffect(() => {
    document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en';
  }, [lang]);
  const setLang = useCallback((next: Lang) => {
    remember('lang', next);
    setState(next);
  }, []);
  const value = useMemo<I18n>(
    () => ({
      lang,
      setLang,
      t: (key, fill) => translate(lang, key, fill),
      w: (words) => (words ? words[lang] || words.zh || words.en : ''),
    }),
    [lang, setLang],
  );
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

export function useI18n(): I18n {
  const value = useContext(Context);
  if (!value) throw new Error('useI18n outside LanguageProvider');
  return value;
}
