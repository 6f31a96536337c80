// Form: fields of a schema together: `Fields` draws them, `FormAnswers` shows what was answered, and
// `SchemaForm` is a whole form on one sheet (tasks of the desk, a designer's preview, corrections).
import { useMemo, useState, type FormEvent, type ReactNode } from 'react';
import type { Json } from '../../api/cases';
import type { Prefilled } from '../../api/applications';
import type { Answers, Problem } from '../../api/items';
import { useI18n, type I18n } from '../../i18n';
import { useNow } from '../../lib/now';
import { date } from '../../lib/time';
import { controlId, Field } from './Field';
import { days, hints, type Hint } from './judge';
import { sayAnswer } from './say';
import { asked, fieldAt, readForm, type FormField, type ReadForm } from './schema';
import { Summary, type Fault } from './Summary';

export type FieldFaults = Record<string, string[]>;

interface FieldsProps {
  fields: readonly FormField[];
  answers: Answers;
  onChange: (name: string, value: Json, settled: boolean) => void;
  onBlur?: (name: string) => void;
  faults?: FieldFaults;
  prefilled?: Record<string, Prefilled>;
  disabled?: boolean;
  /** The only field whose question is the heading of the page. */
  heading?: string;
  prefix?: string;
}

export function Fields({ fields, answers, onChange, onBlur, faults = {}, prefilled = {}, disabled, heading, prefix }: FieldsProps) {
  const today = date(useNow());
  return (
    <>
      {fields.map((field) => (
        <Field key={field.name} field={field} value={answers[field.name]} faults={faults[field.name]} prefilled={Object.hasOwn(prefilled, field.name) ? prefilled[field.name] : undefined} disabled={disabled} asked={heading === field.name} span={field.format === 'date' ? days(field, answers, today) : undefined} id={controlId(field.name, prefix)}
          onChange={(value, settled) => onChange(field.name, value, settled)} onBlur={() => onBlur?.(field.name)} />
      ))}
    </>
  );
}

/** Hints as words beside their fields. */
export function faultsOf(found: ReadonlyMap<string, Hint>, t: I18n['t']): FieldFaults {
  return Object.fromEntries([...found].map(([name, hint]) => [name, [t(hint.key, hint.fill)]]));
}

/** Problems of the server: those of fields that are shown, and the rest. */
export function placed(problems: readonly Problem[], shown: readonly string[], lang: 'zh' | 'en'): { fields: FieldFaults; rest: Problem[] } {
  const fields: FieldFaults = {};
  const rest: Problem[] = [];
  for (const problem of problems) {
    const name = fieldAt(problem.at);
    if (name !== null && shown.includes(name)) (fields[name] ??= []).push(problem.words[lang] || problem.words.zh);
    else rest.push(problem);
  }
  return { fields, rest };
}

/** The lines of the summary for faults at fields. */
export function summaryOf(fields: readonly FormField[], faults: FieldFaults, w: I18n['w'], prefix?: string): Fault[] {
  return fields.flatMap((f) => (faults[f.name] ?? []).map((text) => ({ text, title: w(f.title), to: controlId(f.name, prefix) })));
}

/** What was answered, in the order of the form; `action` draws what stands beside an answer. */
export function FormAnswers({ form, answers, masked = [], only, all, action }: { form: ReadForm; answers: Answers; masked?: readonly string[]; /** These fields only. */ only?: readonly string[]; /** Also what was left empty. */ all?: boolean; action?: (field: FormField) => ReactNode }) {
  const { t, w, lang } = useI18n();
  const words = { yes: t('word.yes'), no: t('word.no'), none: t('party.not_given') };
  const shown = asked(form, answers).filter((f) => (!only || only.includes(f.name)) && (all || (answers[f.name] !== undefined && answers[f.name] !== null)));
  return (
    <dl className="answers">
      {shown.map((field) => (
        <div key={field.name} data-answer={field.name}>
          <dt>{w(field.title)}</dt>
          <dd>{masked.includes(field.name) ? `${sayAnswer(field, answers[field.name], lang, words)} ${t('form.masked')}` : sayAnswer(field, answers[field.name], lang, words)}</dd>
          <dd>{action?.(field)}</dd>
        </div>
      ))}
    </dl>
  );
}

interface SchemaFormProps {
  schema: unknown;
  initial?: Answers;
  /** Text of the button; without one the form is only looked at. */
  submitText?: string;
  busy?: boolean;
  disabled?: boolean;
  /** What the server found wrong. */
  problems?: readonly Problem[];
  onSubmit?: (answers: Answers) => void;
  onChange?: (answers: Answers) => void;
  prefix?: string;
  children?: ReactNode;
}

/** A whole form on one sheet. Hands over only answers to questions that are asked, and only when none is missing or wrong. */
export function SchemaForm({ schema, initial = {}, submitText, busy, disabled, problems = [], onSubmit, onChange, prefix = 'form', children }: SchemaFormProps) {
  const { t, w, lang } = useI18n();
  const form = useMemo(() => readForm(schema), [schema]);
  const [answers, setAnswers] = useState<Answers>(() => ({ ...initial }));
  const [tried, setTried] = useState(0);
  const today = date(useNow());
  const shown = asked(form, answers);
  const own = tried ? faultsOf(hints(form, answers, today), t) : {};
  const said = placed(problems, shown.map((f) => f.name), lang);
  const faults: FieldFaults = Object.fromEntries(shown.map((f) => [f.name, own[f.name] ?? said.fields[f.name] ?? []]));
  const lines: Fault[] = [...summaryOf(shown, faults, w, prefix), ...said.rest.map((p) => ({ text: p.words[lang] || p.words.zh, to: null }))];
  const put = (name: string, value: Json) => {
    const next = { ...answers, [name]: value };
    setAnswers(next);
    onChange?.(next);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(tried + 1);
    if (hints(form, answers, today).size > 0) return;
    onSubmit?.(Object.fromEntries(shown.flatMap((f) => { const v = answers[f.name]; return v === undefined || v === null ? [] : [[f.name, v]]; })));
  };
  return (
    <form className="stack schema-form" noValidate onSubmit={submit}>
      <Summary faults={lines} round={tried} />
      {shown.length === 0 ? <p className="muted">{t('form.empty')}</p> : null}
      <Fields fields={shown} answers={answers} onChange={put} faults={faults} disabled={disabled} prefix={prefix} />
      {children}
      {submitText ? <p><button type="submit" className="button strong" disabled={busy || disabled}>{submitText}</button></p> : null}
    </form>
  );
}
