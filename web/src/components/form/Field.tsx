// Form: one field: question, help, where the value comes from, what is wrong with it, and the
// control that fits its type. Plain HTML, so that a phone loads nothing more and a keyboard knows it.
import { lazy, Suspense, useId, useState, type ReactNode } from 'react';
import type { Json } from '../../api/cases';
import type { Prefilled } from '../../api/applications';
import { useI18n } from '../../i18n';
import { answerOf, sayAnswer, typedOf } from './say';
import { same, type FormField } from './schema';
import '../inputs.css';
import './form.css';

const PlacePick = lazy(() => import('./PlacePick'));

/** Options up to this many are shown as buttons, more in a list. */
const SHOWN_OPTIONS = 8;

export interface FieldProps {
  field: FormField;
  value: Json | undefined;
  /** `settled` is false while somebody is still typing. */
  onChange: (value: Json, settled: boolean) => void;
  onBlur?: () => void;
  faults?: readonly string[];
  /** What the city knew already. */
  prefilled?: Prefilled;
  disabled?: boolean;
  /** Days a date may be at. */
  span?: { from: string | null; to: string | null };
  /** The question stands above already, as the heading of the page. */
  asked?: boolean;
  /** Identification of the control; `field-<name>` unless two forms are on one page. */
  id?: string;
}

/** Identification of the control of a field, which the summary of faults leads to. */
export const controlId = (name: string, prefix = 'field'): string => `${prefix}-${name}`;

export function Field(props: FieldProps) {
  const { field, value, faults = [], prefilled, asked } = props;
  const { w, t } = useI18n();
  const id = props.id ?? controlId(field.name);
  const grouped = field.type === 'boolean' || field.type === 'array' || (field.options !== null && field.options.length <= SHOWN_OPTIONS);
  const hint = useHint(field);
  const described = [field.help ? `${id}-help` : '', hint ? `${id}-hint` : '', prefilled ? `${id}-source` : '', faults.length ? `${id}-fault` : ''].filter(Boolean).join(' ') || undefined;
  const label = <>{w(field.title)}{field.required ? null : <span className="muted">{t('form.optional')}</span>}</>;
  const notes = (
    <>
      {field.help ? <p id={`${id}-help`} className="muted small">{w(field.help)}</p> : null}
      {hint ? <p id={`${id}-hint`} className={field.unit && field.format === null ? 'hidden' : 'muted small'}>{hint}</p> : null}
      {prefilled ? <SourceNote {...props} prefilled={prefilled} id={`${id}-source`} /> : null}
      {faults.length ? <div id={`${id}-fault`} className="error-text">{faults.map((f, i) => <p key={i}>{f}</p>)}</div> : null}
    </>
  );
  const look = faults.length ? 'input form-field faulty' : 'input form-field';
  if (grouped) {
    return (
      <fieldset className={look} aria-describedby={described} disabled={props.disabled} data-field={field.name}>
        <legend className={asked ? 'hidden' : undefined}>{label}</legend>
        {notes}
        <Group {...props} id={id} invalid={faults.length > 0} />
      </fieldset>
    );
  }
  return (
    <div className={look} data-field={field.name}>
      <label htmlFor={id} className={asked ? 'hidden' : undefined}>{label}</label>
      {notes}
      {field.options ? <List {...props} id={id} described={described} /> : <Typed key={`${field.format}`} {...props} id={id} described={described} />}
      {field.longest !== null && field.longest > 60 && typeof value === 'string' ? <p className="muted small" aria-hidden="true">{t('form.count', { n: [...value].length, most: field.longest })}</p> : null}
    </div>
  );
}

function useHint(field: FormField): string | null {
  const { t, w } = useI18n();
  if (field.format === 'money-fen') return t('form.money_hint');
  if (field.format === 'place' && !field.help) return t('form.place_hint');
  if (field.type === 'array' && field.options) return t('form.several');
  if (field.unit) return t('form.unit', { unit: w(field.unit) });
  return null;
}

/** Where the value comes from; once it was changed, what it was, with the way back. */
function SourceNote({ field, value, prefilled, onChange, id }: FieldProps & { prefilled: Prefilled; id: string }) {
  const { t, w, lang } = useI18n();
  const words = { yes: t('word.yes'), no: t('word.no'), none: '—' };
  const source = w(prefilled.source);
  if (same(value ?? null, prefilled.value)) return <p id={id} className="source-note small">{t('form.from_city', { source })}</p>;
  return (
    <p id={id} className="source-note small">
      {t('form.changed', { source, value: sayAnswer(field, prefilled.value, lang, words) })}{' '}
      <button type="button" className="link" onClick={() => onChange(prefilled.value, true)}>{t('form.take_back')}</button>
    </p>
  );
}

interface ControlProps extends FieldProps { id: string; described?: string | undefined }

/** A control one types in. The text is kept as typed, so that `12.` does not lose its point. */
function Typed({ field, value, onChange, onBlur, faults = [], disabled, id, described, span }: ControlProps) {
  const [typed, setTyped] = useState<{ text: string; of: Json } | null>(null);
  const shown = typed && same(typed.of, value ?? null) ? typed.text : typedOf(field, value);
  const put = (text: string, settled: boolean) => {
    const answer = answerOf(field, text);
    setTyped({ text, of: answer });
    onChange(answer, settled);
  };
  const common = {
    id, name: field.name, disabled, value: shown, 'aria-describedby': described, 'aria-invalid': faults.length ? true : undefined, 'aria-required': field.required || undefined,
    onBlur: () => { setTyped(null); onBlur?.(); },
  };
  if (field.format === 'textarea' || (field.type === 'string' && field.format === null && field.longest !== null && field.longest > 200)) {
    return <textarea {...common} rows={5} onChange={(e) => put(e.target.value, false)} />;
  }
  if (field.format === 'date') return <input {...common} type="date" min={span?.from ?? undefined} max={span?.to ?? '9999-12-31'} onChange={(e) => put(e.target.value, true)} />;
  const numeric = field.type === 'integer' || field.type === 'number' || field.format === 'money-fen';
  const wide = !numeric && field.format === null;
  return (
    <span className={numeric || field.format === 'place' ? 'with-unit' : undefined}>
      <input {...common} type={field.format === 'mobile' ? 'tel' : 'text'} className={wide ? undefined : 'short'} autoComplete={completeOf(field)} spellCheck={wide ? undefined : false}
        inputMode={field.type === 'integer' && field.format === null ? 'numeric' : numeric ? 'decimal' : field.format === 'mobile' ? 'tel' : undefined}
        autoCapitalize={field.format === 'citizen-number' || field.format === 'credit-code' ? 'characters' : undefined} onChange={(e) => put(e.target.value, false)} />
      {numeric ? <Unit field={field} /> : null}
      {field.format === 'place' && !disabled ? <Here value={shown} onTake={(place) => put(place, true)} /> : null}
    </span>
  );
}

/** Takes the position of the phone, when its owner allows it, or a point of the map. */
function Here({ value, onTake }: { value: string; onTake: (place: string) => void }) {
  const { t } = useI18n();
  const [failed, setFailed] = useState(false);
  const [map, setMap] = useState(false);
  const take = () => {
    setFailed(false);
    if (!('geolocation' in navigator)) return setFailed(true);
    navigator.geolocation.getCurrentPosition((p) => onTake(`${p.coords.longitude.toFixed(6)},${p.coords.latitude.toFixed(6)}`), () => setFailed(true), { enableHighAccuracy: true, timeout: 15_000 });
  };
  return (
    <>
      <button type="button" className="button" onClick={take}>{t('form.place_here')}</button>
      <button type="button" className="button" aria-expanded={map} onClick={() => setMap(!map)}>{t(map ? 'form.place_map_close' : 'form.place_map')}</button>
      {failed ? <span role="alert" className="error-text small">{t('form.place_denied')}</span> : null}
      {map ? <Suspense fallback={<span className="muted small" role="status">{t('state.loading')}</span>}><PlacePick value={value} onPick={onTake} /></Suspense> : null}
    </>
  );
}

function Unit({ field }: { field: FormField }): ReactNode {
  const { w, lang } = useI18n();
  const unit = field.format === 'money-fen' ? (lang === 'zh' ? '元' : 'yuan') : field.unit ? w(field.unit) : null;
  return unit ? <span aria-hidden="true" className="muted">{unit}</span> : null;
}

/** What a browser may fill in by itself: only what is the applicant's own. */
function completeOf(field: FormField): string {
  if (field.prefill === 'person.name') return 'name';
  if (field.prefill === 'person.mobile') return 'tel';
  return 'off';
}

function List({ field, value, onChange, onBlur, faults = [], disabled, id, described }: ControlProps) {
  const { t, w } = useI18n();
  const options = field.options ?? [];
  const at = options.findIndex((o) => same(o.value, value ?? null));
  return (
    <select id={id} name={field.name} disabled={disabled} value={at < 0 ? '' : String(at)} aria-describedby={described} aria-invalid={faults.length ? true : undefined} aria-required={field.required || undefined} onBlur={onBlur}
      onChange={(e) => onChange(e.target.value === '' ? null : (options[Number(e.target.value)]?.value ?? null), true)}>
      <option value="">{t('form.choose_one')}</option>
      {options.map((o, i) => <option key={i} value={i}>{w(o.words)}</option>)}
    </select>
  );
}

/** Radio buttons or boxes to tick; the first carries the identification the summary leads to. */
function Group({ field, value, onChange, id, invalid }: ControlProps & { invalid: boolean }) {
  const { t, w } = useI18n();
  const own = useId();
  const several = field.type === 'array';
  const options = field.type === 'boolean' && !field.options ? [{ value: true as Json, words: { zh: '是', en: 'Yes' } }, { value: false as Json, words: { zh: '否', en: 'No' } }] : (field.options ?? []);
  const chosen = Array.isArray(value) ? value : [];
  const has = (one: Json) => (several ? chosen.some((c) => same(c, one)) : same(one, value ?? null));
  const pick = (one: Json, on: boolean) => {
    if (!several) return onChange(one, true);
    // In the order of the options, so that the same choice is the same answer.
    const next = options.map((o) => o.value).filter((v) => (same(v, one) ? on : has(v)));
    onChange(next.length ? next : null, true);
  };
  return (
    <>
      <div className="pick">
        {options.map((o, i) => (
          <label key={i} className={has(o.value) ? 'chosen' : undefined}>
            <input id={i === 0 ? id : `${id}-${i}`} type={several ? 'checkbox' : 'radio'} name={several ? `${field.name}-${i}` : `${field.name}${own}`} data-name={field.name} value={String(o.value)} checked={has(o.value)} aria-invalid={invalid || undefined} onChange={(e) => pick(o.value, e.target.checked)} />
            <span>{w(o.words)}</span>
          </label>
        ))}
      </div>
      {!several && !field.required && value !== undefined && value !== null ? <p><button type="button" className="link" onClick={() => onChange(null, true)}>{t('form.clear')}</button></p> : null}
    </>
  );
}
