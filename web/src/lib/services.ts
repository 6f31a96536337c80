// Library: what pages of services work out: which way to apply from here, the walk through a
// guidance, words of limits, steps of the line of progress. Pure.
import type { Limit } from '../api/cases';
import type { ApplicationState, PartCounts } from '../api/applications';
import type { Answers, Channel, Choice, Question } from '../api/items';
import type { Words } from '../i18n/lang';

/** How one applies from this screen: by phone where the item knows it and the screen is small. */
export function channelHere(channels: readonly Channel[], small: boolean): Channel | null {
  const wish: Channel[] = small ? ['phone', 'web'] : ['web', 'phone'];
  return wish.find((c) => channels.includes(c)) ?? null;
}

export type End = { kind: 'ask'; question: Question } | { kind: 'begin' } | { kind: 'item'; item: string } | { kind: 'stop'; words: Words };
export interface Walked { taken: { question: Question; choice: Choice }[]; end: End; sets: Answers }

/** Follows the chosen options from the first question on; what does not fit the tree any more is cut off. */
export function walkGuidance(questions: readonly Question[], path: readonly number[]): Walked {
  const taken: Walked['taken'] = [];
  let sets: Answers = {};
  let question = questions[0];
  for (const at of path) {
    const choice = question?.options[at];
    // A circle cannot be published; a half-written one must not hang the page.
    if (!question || !choice || taken.length > questions.length) break;
    taken.push({ question, choice });
    sets = { ...sets, ...choice.sets };
    if (choice.stop) return { taken, sets, end: { kind: 'stop', words: choice.stop } };
    if (choice.item) return { taken, sets, end: { kind: 'item', item: choice.item } };
    if (!choice.next) return { taken, sets, end: { kind: 'begin' } };
    question = questions.find((q) => q.name === choice.next);
  }
  return { taken, sets, end: question ? { kind: 'ask', question } : { kind: 'begin' } };
}

/** The chosen options in the address: `0.2.1`. */
export const readPath = (text: string): number[] => (/^\d{1,2}(\.\d{1,2}){0,99}$/.test(text) ? text.split('.').map(Number) : []);
export const writePath = (path: readonly number[]): string => path.join('.');

export const limitUnit = (limit: Limit): 'svc.unit_working_days' | 'svc.unit_calendar_days' => (limit.count === 'working_days' ? 'svc.unit_working_days' : 'svc.unit_calendar_days');

/** The line of progress: how far it is of four stages, and whether it ended well. */
export interface Stage { name: 'submitted' | 'accepted' | 'decided' | 'delivered'; state: 'done' | 'now' | 'ahead' | 'ended' }
export function stages(state: ApplicationState, delivered: boolean): Stage[] {
  const line = (reached: number, now: Stage['state']): Stage[] =>
    (['submitted', 'accepted', 'decided', 'delivered'] as const).map((name, i) => ({ name, state: i < reached ? 'done' : i === reached ? now : 'ahead' }));
  switch (state) {
    case 'submitted': case 'correction': return line(1, 'now');
    case 'accepted': return line(2, 'now');
    case 'approved': return delivered ? line(4, 'now') : line(3, 'now');
    case 'refused': return line(2, 'ended');
    case 'not_accepted': case 'withdrawn': case 'terminated': return line(1, 'ended');
  }
}

/** What is said of the parts of a bundle: those that are there, what is wanted of the applicant first. */
const PART_WORDS = ['correction', 'unpaid', 'submitted', 'accepted', 'paused', 'approved', 'refused', 'dropped', 'undelivered'] as const;
export const partWords = (parts: PartCounts): [(typeof PART_WORDS)[number], number][] => PART_WORDS.filter((name) => parts[name] > 0).map((name) => [name, parts[name]]);

/** An application that was not accepted, refused, withdrawn or broken off. */
export const wentWrong = (state: ApplicationState): boolean => ['not_accepted', 'refused', 'withdrawn', 'terminated'].includes(state);

/** What stood out in a rating, of which the page offers those that fit the mark. */
export const GOOD_POINTS = ['fast', 'clear', 'polite', 'few_papers', 'easy_online'] as const;
export const BAD_POINTS = ['slow', 'unclear', 'rude', 'many_papers', 'hard_online', 'came_again'] as const;
export type Point = (typeof GOOD_POINTS)[number] | (typeof BAD_POINTS)[number];
export const pointsFor = (mark: number): readonly Point[] => (mark >= 4 ? GOOD_POINTS : mark === 3 ? [...GOOD_POINTS, ...BAD_POINTS] : mark > 0 ? BAD_POINTS : []);
