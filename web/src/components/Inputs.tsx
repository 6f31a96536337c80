// Component: labelled inputs of the residents' forms, each with its hint and, beside it, what the
// server found wrong with it; the general fault above them. No library: a phone loads nothing more.
import { useId, useState, type InputHTMLAttributes, type ReactNode } from 'react';
import { ApiError } from '../api/client';
import { useI18n } from '../i18n';
import './inputs.css';

type Native = Omit<InputHTMLAttributes<HTMLInputElement>, 'name'>;
interface FieldProps extends Native { name: string; label: string; hint?: string; error?: ApiError | null; at?: string; wrong?: string | null }

/** What the server says about one field. */
function faultAt(error: ApiError | null | undefined, at: string, lang: 'zh' | 'en'): string {
  return (error?.problems ?? []).filter((p) => p.at === at).map((p) => p.words[lang]).join(' ');
}

export function TextField({ name, label, hint, error, at, wrong, ...rest }: FieldProps) {
  const { lang } = useI18n();
  const id = useId();
  const fault = wrong ?? faultAt(error, at ?? name, lang);
  return (
    <div className="input">
      <label htmlFor={id}>{label}</label>
      {hint ? <p id={`${id}-hint`} className="muted small">{hint}</p> : null}
      {fault ? <p id={`${id}-fault`} className="error-text">{fault}</p> : null}
      <input id={id} name={name} aria-invalid={fault ? true : undefined} aria-describedby={[hint ? `${id}-hint` : '', fault ? `${id}-fault` : ''].join(' ').trim() || undefined} {...rest} />
    </div>
  );
}

export interface Choice { value: string; text: string }

export function SelectField({ name, label, choices, value, onChange, error, at }: { name: string; label: string; choices: Choice[]; value?: string; onChange?: (value: string) => void; error?: ApiError | null; at?: string }) {
  const { lang } = useI18n();
  const id = useId();
  const fault = faultAt(error, at ?? name, lang);
  return (
    <div className="input">
      <label htmlFor={id}>{label}</label>
      {fault ? <p id={`${id}-fault`} className="error-text">{fault}</p> : null}
      <select id={id} name={name} value={value} onChange={(e) => onChange?.(e.target.value)} aria-invalid={fault ? true : undefined} aria-describedby={fault ? `${id}-fault` : undefined}>
        {choices.map((c) => <option key={c.value} value={c.value}>{c.text}</option>)}
      </select>
    </div>
  );
}

/** What went wrong as a whole, with every problem that no field shows. */
export function FormFault({ error, shown = [] }: { error: ApiError | null; shown?: string[] }) {
  const { t, lang } = useI18n();
  if (!error) return null;
  const rest = error.problems.filter((p) => !shown.includes(p.at));
  return (
    <div role="alert" className="error-box">
      <p>{error.say(lang)}</p>
      {rest.map((p, i) => <p key={i}>{p.words[lang]}</p>)}
      {error.retryAfterS ? <p>{t('state.retry_after', { s: error.retryAfterS })}</p> : null}
      <p className="muted small">{t('state.code', { code: error.code })}</p>
    </div>
  );
}

/** Runs an act of a form: busy while it lasts, its fault kept until the next attempt. */
export function useAct(): { busy: boolean; error: ApiError | null; run: <T>(act: () => Promise<T>) => Promise<T | undefined>; clear: () => void } {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const run = async <T,>(act: () => Promise<T>): Promise<T | undefined> => {
    setBusy(true);
    setError(null);
    try {
      return await act();
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      setError(e);
      return undefined;
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, run, clear: () => setError(null) };
}

/** Answers before they are sent, each with the way back to it. */
export function Answers({ rows }: { rows: { label: string; value: ReactNode; onChange?: () => void }[] }) {
  const { t } = useI18n();
  return (
    <dl className="answers">
      {rows.map((row) => (
        <div key={row.label}>
          <dt>{row.label}</dt>
          <dd>{row.value || t('party.not_given')}</dd>
          <dd>{row.onChange ? <button type="button" className="link" aria-label={`${t('party.change')} ${row.label}`} onClick={row.onChange}>{t('party.change')}</button> : null}</dd>
        </div>
      ))}
    </dl>
  );
}
