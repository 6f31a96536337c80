// Desk, item designer: letters worded differently from the city's, with the fields one can put in; and
// frequent questions.
import { useEffect, useRef, useState } from 'react';
import { sendForFile } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import type { Answered, LetterWording } from '../../../api/items';
import type { List } from '../../../api/types';
import { FormFault, useAct } from '../../../components/Inputs';
import { useI18n } from '../../../i18n';
import type { TabProps } from './Basics';
import { CheckIn, ListOf, useFaultsAt, WordsIn } from './parts';

const KINDS = ['receipt', 'acceptance', 'correction', 'non_acceptance', 'approval', 'refusal'] as const;
type Kind = (typeof KINDS)[number];

export function Letters({ content, onChange }: TabProps) {
  const { t } = useI18n();
  const city = useApi<List<LetterWording>>('/items/letters', { type: content.type });
  const wordings = new Map(city.data?.items.map((wording) => [wording.kind, wording]));
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
          <CheckIn label={t('design.own_words')} value={kind in letters} onChange={(on) => put(kind, on ? (wordings.get(kind)?.body.trim() ?? '') : null)} />
          {kind in letters ? <Text kind={kind} fields={wordings.get(kind)?.fields ?? []} value={letters[kind] ?? ''} onChange={(text) => put(kind, text)} /> : null}
          <Preview kind={kind} text={letters[kind] ?? null} content={content} />
        </fieldset>
      ))}
    </section>
  );
}

function Text({ kind, fields, value, onChange }: { kind: Kind; fields: LetterWording['fields']; value: string; onChange: (text: string) => void }) {
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
      <p className="small">{t('design.insert')} {fields.filter((f) => f.text).map((f) => <button key={f.name} type="button" className="link" onClick={() => insert(f.name)}>{f.title}</button>)}</p>
      <p className="muted small">{t('design.line_rule')}</p>
    </div>
  );
}

/** The letter as it would leave, with sample content. What is drawn is forgotten with the page. */
function Preview({ kind, text, content }: { kind: Kind; text: string | null; content: TabProps['content'] }) {
  const { t } = useI18n();
  const act = useAct();
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => () => { if (url) URL.revokeObjectURL(url); }, [url]);
  const letter = t(`letter.${kind}`);
  const said = t(act.busy ? 'design.sample_busy' : 'design.sample');
  const draw = async () => {
    setUrl(null);
    const wanted = { kind, type: content.type ?? '01', text, organisation: content.organisation ?? '', title: content.title?.zh ?? '', basis: (content.basis ?? []).join('；') };
    const got = await act.run(() => sendForFile('/items/letters/preview', wanted));
    if (got) setUrl(URL.createObjectURL(new Blob([got.file], { type: 'application/pdf' })));
  };
  return (
    <div className="stack" data-preview={kind}>
      <FormFault error={act.error} />
      <p className="row">
        <button type="button" className="button" disabled={act.busy} aria-label={`${said} ${letter}`} onClick={() => { void draw(); }}>{said}</button>
        <span role="status">{url ? <a href={url} target="_blank" rel="noreferrer">{t('design.sample_open')}</a> : null}</span>
      </p>
      {url ? <p className="muted small">{t('design.sample_help')}</p> : null}
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
