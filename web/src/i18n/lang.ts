// Words: the two languages of the interface.
export type Lang = 'zh' | 'en';
/** A text in both languages, as the API sends it. */
export interface Words {
  zh: string;
  en: string;
}
/** A pair in a dictionary: Chinese, English. Leaving one out does not compile. */
export type Pair = readonly [zh: string, en: string];
