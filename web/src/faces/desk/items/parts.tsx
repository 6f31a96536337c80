// Desk, item designer: labelled inputs that know their place in the item (a JSON pointer) and show
// what the check found there; the list of problems leads to them.
import { createContext, useContext, useId, type ReactNode } from 'react';
import type { Problem } from '../../../api/items';
import type { Words } from '../../../i18n/lang';
import { useI18n } from '../../../i18n';
import '../../../components/inputs.css';
import './items.css';

const Problems = createContext<readonly Problem[]>([]);
export const ProblemsProvider = Problems.Provider;

/** What the check found at a place (and, with `deep`, below it). */
export function useFaultsAt(at: string | undefined, deep = false): string[] {
  const { lang } = useI18n();
  const problems = useContext(Problems);
  if (!at) return [];
  return problems.filter((p) => p.at === at || (deep && p.at.startsWith(`${at}/`))).map((p) => p.words[lang] || p.words.zh);
}

function Frame({ id, at, label, hint, faults, children, inline }: { id: string; at?: string; label: string; hint?: string; faults: string[]; children: ReactNode; inline?: boolean }) {
  return (
    <div className={inline ? 'd-input inline' : 'd-input'} data-at={at}>
      <label htmlFor={id}>{label}</label>
      {hint ? <p id={`${id}-hint`} className="muted small">{hint}</p> : null}
      {children}
      {faults.length ? <p id={`${id}-fault`} className="error-text small">{faults.join(' ')}</p> : null}
    </div>
  );
}
const described = (id: string, hint: string | undefined, faults: string[]) => [hint ? `${id}-hint` : '', faults.length ? `${id}-fault` : ''].filter(Boolean).join(' ') || undefined;

interface Base { label: string; at?: string; hint?: string }

export function TextIn({ label, at, hint, value, onChange, area, max = 500, placeholder, onBlur, wrong }: Base & { value: string; onChange: (value: string) => void; area?: boolean | number; max?: number; placeholder?: string; onBlur?: () => void; wrong?: string | null }) {
  const id = useId();
  const faults = [...(wrong ? [wrong] : []), ...useFaultsAt(at)];
  const common = { id, value, placeholder, maxLength: max, onBlur, 'aria-invalid': faults.length ? true : undefined, 'aria-describedby': described(id, hint, faults) };
  return <Frame id={id} at={at} label={label} hint={hint} faults={faults}>{area ? <textarea {...common} rows={typeof area === 'number' ? area : 3} onChange={(e) => onChange(e.target.value)} /> : <input {...common} onChange={(e) => onChange(e.target.value)} />}</Frame>;
}

/** Chinese and English side by side. */
export function WordsIn({ label, at, hint, value, onChange, area, max }: Base & { value: Words | null | undefined; onChange: (value: Words) => void; area?: boolean | number; max?: number }) {
  const { t } = useI18n();
  const said = value ?? { zh: '', en: '' };
  return (
    <div className="words-in" data-at={at}>
      <TextIn label={t('design.zh', { label })} at={at} hint={hint} value={said.zh} area={area} max={max} onChange={(zh) => onChange({ ...said, zh })} />
      <TextIn label={t('design.en', { label })} at={at ? `${at}/en` : undefined} value={said.en} area={area} max={max} onChange={(en) => onChange({ ...said, en })} />
    </div>
  );
}

export function NumberIn({ label, at, hint, value, onChange, min, max }: Base & { value: number | null | undefined; onChange: (value: number | null) => void; min?: number; max?: number }) {
  const id = useId();
  const faults = useFaultsAt(at);
  return (
    <Frame id={id} at={at} label={label} hint={hint} faults={faults}>
      <input id={id} type="number" className="short" min={min} max={max} value={value ?? ''} aria-invalid={faults.length ? true : undefined} aria-describedby={described(id, hint, faults)} onChange={(e) => onChange(e.target.value === '' || Number.isNaN(e.target.valueAsNumber) ? null : e.target.valueAsNumber)} />
    </Frame>
  );
}

export interface Option { value: string; text: string }
export function SelectIn({ label, at, hint, value, onChange, options, none }: Base & { value: string | null | undefined; onChange: (value: string) => void; options: readonly Option[]; /** Words of no choice at all; none when one must be chosen. */ none?: string }) {
  const id = useId();
  const faults = useFaultsAt(at);
  const unknown = value && !options.some((o) => o.value === value) ? [{ value, text: value }] : [];
  return (
    <Frame id={id} at={at} label={label} hint={hint} faults={faults}>
      <select id={id} value={value ?? ''} aria-invalid={faults.length ? true : undefined} aria-describedby={described(id, hint, faults)} onChange={(e) => onChange(e.target.value)}>
        {none !== undefined || !value ? <option value="">{none ?? '—'}</option> : null}
        {[...unknown, ...options].map((o) => <option key={o.value} value={o.value}>{o.text}</option>)}
      </select>
    </Frame>
  );
}

export function CheckIn({ label, at, value, onChange, disabled }: { label: string; at?: string; value: boolean; onChange: (value: boolean) => void; disabled?: boolean }) {
  const faults = useFaultsAt(at);
  return <div data-at={at}><label className="d-check"><input type="checkbox" checked={value} disabled={disabled} onChange={(e) => onChange(e.target.checked)} /><span>{label}</span></label>{faults.length ? <p className="error-text small">{faults.join(' ')}</p> : null}</div>;
}

/** Several of some. */
export function ChecksIn<T extends string>({ label, at, value, onChange, options }: { label: string; at?: string; value: readonly T[]; onChange: (value: T[]) => void; options: readonly { value: T; text: string }[] }) {
  const faults = useFaultsAt(at, true);
  const pick = (one: T, on: boolean) => onChange(options.map((o) => o.value).filter((v) => (v === one ? on : value.includes(v))));
  return (
    <fieldset className="plain-fieldset" data-at={at}>
      <legend>{label}</legend>
      <div className="d-checks">{options.map((o) => <label key={o.value} className="d-check"><input type="checkbox" checked={value.includes(o.value)} onChange={(e) => pick(o.value, e.target.checked)} /><span>{o.text}</span></label>)}</div>
      {faults.length ? <p className="error-text small">{faults.join(' ')}</p> : null}
    </fieldset>
  );
}

/** One text a line. */
export function LinesIn({ label, at, hint, value, onChange }: Base & { value: readonly string[]; onChange: (value: string[]) => void }) {
  const id = useId();
  const faults = useFaultsAt(at, true);
  return (
    <Frame id={id} at={at} label={label} hint={hint} faults={faults}>
      <textarea id={id} rows={Math.max(2, value.length + 1)} value={value.join('\n')} aria-invalid={faults.length ? true : undefined} aria-describedby={described(id, hint, faults)} onChange={(e) => onChange(e.target.value.split('\n'))} onBlur={() => onChange(value.map((one) => one.trim()).filter(Boolean))} />
    </Frame>
  );
}

/** A list of things: each in a box with its way up, down and out, and one more at the end. */
export function ListOf<T>({ items, onChange, fresh, title, addText, at, children }: { items: readonly T[]; onChange: (items: T[]) => void; fresh: () => T; title: (item: T, i: number) => string; addText: string; at?: string; children: (item: T, put: (item: T) => void, i: number) => ReactNode }) {
  const { t } = useI18n();
  const swap = (i: number, to: number) => { const next = [...items]; const [one] = next.splice(i, 1); if (one !== undefined) next.splice(to, 0, one); onChange(next); };
  return (
    <div className="stack" data-at={at}>
      {items.map((item, i) => (
        <fieldset key={i} className="plain-fieldset list-of" data-at={at ? `${at}/${i}` : undefined}>
          <legend>{title(item, i)}</legend>
          {children(item, (next) => onChange(items.map((one, n) => (n === i ? next : one))), i)}
          <p className="row">
            <button type="button" className="link" disabled={i === 0} aria-label={t('design.up_of', { title: title(item, i) })} onClick={() => swap(i, i - 1)}>{t('design.up')}</button>
            <button type="button" className="link" disabled={i === items.length - 1} aria-label={t('design.down_of', { title: title(item, i) })} onClick={() => swap(i, i + 1)}>{t('design.down')}</button>
            <button type="button" className="link" aria-label={t('design.remove_of', { title: title(item, i) })} onClick={() => onChange(items.filter((_, n) => n !== i))}>{t('design.remove')}</button>
          </p>
        </fieldset>
      ))}
      <div><button type="button" className="button" onClick={() => onChange([...items, fresh()])}>{addText}</button></div>
    </div>
  );
}

/** Goes to the place of a problem, or the nearest around it that is on the page. */
export function goToPlace(at: string): boolean {
  const parts = at.split('/');
  for (let n = parts.length; n > 1; n--) {
    const place = document.querySelector(`[data-at="${CSS.escape(parts.slice(0, n).join('/'))}"]`);
    if (place instanceof HTMLElement) {
      place.scrollIntoView({ block: 'center' });
      place.querySelector<HTMLElement>('input,select,textarea,button')?.focus();
      return true;
    }
  }
  return false;
}
