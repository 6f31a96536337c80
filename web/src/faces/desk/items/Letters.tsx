// Desk, item designer: letters worded differently from the city's, with the fields one can put in; and
// frequent questions.
import { useRef } from 'react';
import type { Answered } from '../../../api/items';
import { useI18n } from '../../../i18n';
import type { TabProps } from './Basics';
import { CheckIn, ListOf, useFaultsAt, WordsIn } from './parts';

const KINDS = ['receipt', 'acceptance', 'correction', 'non_acceptance', 'approval', 'refusal'] as const;
type Kind = (typeof KINDS)[number];
const COMMON = ['applicant', 'item', 'application'];
/** Fields of each letter, as its template names them. */
export const LETTER_FIELDS: Record<Kind, readonly string[]> = {
  receipt: [...COMMON, 'received_on', 'channel', 'answer_by', 'contact'],
  acceptance: [...COMMON, 'applied_on', 'accepted_on', 'limit', 'due_on', 'excluded', 'contact'],
  correction: [...COMMON, 'applied_on', 'missing', 'until', 'contact'],
  non_acceptance: [...COMMON, 'applied_on', 'reason', 'basis', 'other_office', 'review_office', 'court'],
  approval: [...COMMON, 'accepted_on', 'basis', 'content', 'valid_from', 'valid_to', 'licence'],
  refusal: [...COMMON, 'accepted_on', 'reason', 'basis', 'review_office', 'court'],
};

export function Letters({ content, onChange }: TabProps) {
  const { t } = useI18n();
  const letters = content.letters ?? {};
  const put = (kind: Kind, text: string | null) => {
    const { [kind]: _, ...rest } = letters;
    onChange({ ...content, letters: text === null ? rest : { ...rest, [kind]: text } });
  };
  return (
    <section className="card stack" aria-label={t('design.tab_letters')} data-at="/letters">
      <h2>{t('design.tab_letters')}</h2>
      <p className="muted small">{t('design.letters_help')}</p>
      {KINDS.map((kind) => (
        <fieldset key={kind} className="plain-fieldset stack" data-at={`/letters/${kind}`}>
          <legend>{t(`letter.${kind}`)}</legend>
          <CheckIn label={t('design.own_words')} value={kind in letters} onChange={(on) => put(kind, on ? '' : null)} />
          {kind in letters ? <Text kind={kind} value={letters[kind] ?? ''} onChange={(text) => put(kind, text)} /> : null}
        </fieldset>
      ))}
    </section>
  );
}

function Text({ kind, value, onChange }: { kind: Kind; value: string; onChange: (text: string) => void }) {
  const { t } = useI18n();
  const box = useRef<HTMLTextAreaElement>(null);
  const faults = useFaultsAt(`/letters/${kind}`);
  const insert = (field: string) => {
    const at = box.current?.selectionStart ?? value.length;
    const to = box.current?.selectionEnd ?? at;
    onChange(`${value.slice(0, at)}{{${field}}}${value.slice(to)}`);
    box.current?.focus();
  };
  return (
    <div className="d-input">
      <label htmlFor={`letter-${kind}`}>{t('design.letter_text', { letter: t(`letter.${kind}`) })}</label>
      <textarea id={`letter-${kind}`} ref={box} rows={8} maxLength={4000} value={value} aria-invalid={faults.length ? true : undefined} onChange={(e) => onChange(e.target.value)} />
      {faults.map((f) => <p key={f} className="error-text small">{f}</p>)}
      <p className="small">{t('design.insert')} {LETTER_FIELDS[kind].map((f) => <button key={f} type="button" className="link" onClick={() => insert(f)}>{t(`letter_field.${f as 'applicant'}`)}</button>)}</p>
      <p className="muted small">{t('design.line_rule')}</p>
    </div>
  );
}

export function Questions({ content, onChange }: TabProps) {
  const { t, w } = useI18n();
  return (
    <section className="card stack" aria-label={t('design.tab_questions')}>
      <h2>{t('design.tab_questions')}</h2>
      <ListOf<Answered> items={content.questions ?? []} at="/questions" onChange={(questions) => onChange({ ...content, questions })} fresh={() => ({ question: { zh: '', en: '' }, answer: { zh: '', en: '' } })} title={(q, i) => w(q.question) || t('design.question_n', { n: i + 1 })} addText={t('design.add_faq')}>
        {(q, save, i) => (
          <>
            <WordsIn label={t('design.faq_question')} at={`/questions/${i}/question`} value={q.question} max={200} onChange={(question) => save({ ...q, question })} />
            <WordsIn label={t('design.faq_answer')} at={`/questions/${i}/answer`} area value={q.answer} max={2000} onChange={(answer) => save({ ...q, answer })} />
          </>
        )}
      </ListOf>
    </section>
  );
}
