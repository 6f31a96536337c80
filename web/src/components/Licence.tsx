// Component: parts of licences that the wallet, the desk and the verification share: the mark of
// where one stands, its content, history and uses, and the watermark across what is shown.
import { useId, type ReactNode } from 'react';
import type { Grade, Licence, LicenceField, LicenceState, LicenceStep, LicenceType, LicenceUse, Verdict } from '../api/licences';
import { useI18n, type Key } from '../i18n';
import { HOLDER_NAME, HOLDER_NUMBER, isVerdict, lastDay, verdictLook } from '../lib/licences';
import { date, dateTime } from '../lib/time';
import { Mark } from './Marks';
import './licences.css';

export function VerdictTag({ verdict }: { verdict: Verdict }) {
  const { t } = useI18n();
  const look = verdictLook[verdict];
  return <span className="tag" data-verdict={verdict}><Mark shape={look.shape} fill={look.colour} /><strong>{t(`lic.verdict_${verdict}`)}</strong></span>;
}

const STATE_LOOK: Record<LicenceState, Verdict> = { in_force: 'valid', suspended: 'suspended', withdrawn: 'revoked', cancelled: 'revoked', penalty: 'revoked', replaced: 'revoked' };
/** Where a licence stands by decision, apart from its dates. */
export function LicenceStateTag({ state }: { state: LicenceState }) {
  const { t } = useI18n();
  const look = verdictLook[STATE_LOOK[state]];
  return <span className="tag" data-state={state}><Mark shape={look.shape} fill={look.colour} />{t(`lic.state_${state}`)}</span>;
}

export function useValidity(): (from: string | null, to: string | null) => string {
  const { t } = useI18n();
  return (from, to) => (to === null ? t('lic.valid_ever', { from: date(from) }) : t('lic.valid_days', { from: date(from), to: lastDay(to) ?? '' }));
}

export function useGrade(): (grade: Grade) => string {
  const { t } = useI18n();
  return (grade) => t(`lic.grade_${grade}`);
}

/** A value of a field for people: words of a choice, yes or no, else as it is. */
export function useFieldWords(type: LicenceType | undefined): { title: (name: string) => string; value: (name: string, value: unknown) => string } {
  const { t, w } = useI18n();
  const field = (name: string): LicenceField | undefined => type?.fields.find((f) => f.name === name);
  return {
    title: (name) => (name === HOLDER_NAME ? t('lic.holder') : name === HOLDER_NUMBER ? t('lic.holder_number') : w(field(name)?.title) || name),
    value: (name, value) => {
      if (value === null || value === undefined || value === '') return '—';
      if (typeof value === 'boolean') return t(value ? 'lic.yes' : 'lic.no');
      const kind = field(name)?.kind;
      const chosen = kind?.type === 'choice' ? kind.of.find(([word]) => word === value)?.[1] : undefined;
      return chosen ? w(chosen) : typeof value === 'object' ? JSON.stringify(value) : String(value);
    },
  };
}

/** Names of the fields of a licence in the order of its type; what the type no longer knows comes last. */
export function fieldNames(licence: Licence, type: LicenceType | undefined): string[] {
  const known = (type?.fields ?? []).map((f) => f.name).filter((name) => name in licence.fields);
  return [...known, ...Object.keys(licence.fields).filter((name) => !known.includes(name))];
}

/** Everything of a licence. */
export function LicenceContent({ licence, type, link }: { licence: Licence; type: LicenceType | undefined; link: (identifier: string) => ReactNode }) {
  const { t, w } = useI18n();
  const words = useFieldWords(type);
  const validity = useValidity();
  const grade = useGrade();
  const row = (label: string, value: ReactNode) => <><dt>{label}</dt><dd>{value}</dd></>;
  return (
    <dl className="facts">
      {row(t('lic.state_label'), <LicenceStateTag state={licence.state} />)}
      {licence.reason && licence.state !== 'in_force' ? row(t('lic.reason'), licence.reason) : null}
      {row(t('lic.validity'), validity(licence.valid_from, licence.valid_to))}
      {row(t('lic.holder'), licence.holder.name)}
      {row(t('lic.holder_number'), licence.holder.number)}
      {fieldNames(licence, type).map((name) => <Fact key={name} label={words.title(name)} value={words.value(name, licence.fields[name])} />)}
      {row(t('lic.issuer'), w(licence.issuer))}
      {row(t('lic.issuer_code'), <code>{licence.issuer_code}</code>)}
      {row(t('lic.issued_at'), dateTime(licence.issued_at))}
      {row(t('lic.number'), licence.number)}
      {row(t('lic.identifier'), <code className="licence-code">{licence.identifier}</code>)}
      {row(t('lic.grade'), grade(licence.grade))}
      {licence.replaces ? row(t('lic.replaces'), link(licence.replaces)) : null}
      {licence.replaced_by ? row(t('lic.replaced_by'), link(licence.replaced_by)) : null}
    </dl>
  );
}

function Fact({ label, value }: { label: string; value: string }) {
  return <><dt>{label}</dt><dd>{value}</dd></>;
}

const STEPS: Record<string, Key> = Object.fromEntries((['issue', 'reissue', 'replace', 'suspend', 'resume', 'revoke', 'expire'] as const).map((what) => [what, `lic.step_${what}` as const]));
const WAYS: Record<string, Key> = Object.fromEntries((['token', 'identifier', 'document', 'wallet', 'office', 'material', 'print', 'office_print', 'guesses'] as const).map((way) => [way, `lic.way_${way}` as const]));
const STATES: readonly string[] = Object.keys(STATE_LOOK);

export function LicenceSteps({ steps }: { steps: readonly LicenceStep[] }) {
  const { t } = useI18n();
  const say = (s: LicenceStep) => {
    const word = STEPS[s.what];
    // A revocation says which: withdrawn, cancelled or taken away.
    if (s.what === 'revoke' && STATES.includes(s.state)) return t(`lic.state_${s.state}` as Key);
    return word ? t(word) : s.what;
  };
  return (
    <ul className="timeline">
      {steps.map((s, i) => <li key={i}>{dateTime(s.at)} <strong>{say(s)}</strong>{s.reason ? ` · ${s.reason}` : ''}</li>)}
    </ul>
  );
}

export function LicenceUses({ uses, type }: { uses: readonly LicenceUse[]; type: LicenceType | undefined }) {
  const { t } = useI18n();
  const words = useFieldWords(type);
  if (uses.length === 0) return <p className="muted">{t('lic.uses_none')}</p>;
  return (
    <ul className="tie-list">
      {uses.map((use) => {
        const way = WAYS[use.way];
        return (
          <li key={use.id}>
            <div><strong>{dateTime(use.at)} · {use.verifier}</strong></div>
            <dl className="facts">
              <dt>{t('lic.use_purpose')}</dt><dd>{use.purpose || '—'}</dd>
              {use.basis ? <><dt>{t('lic.use_basis')}</dt><dd>{use.basis}</dd></> : null}
              {use.matter ? <><dt>{t('lic.use_matter')}</dt><dd><code>{use.matter}</code></dd></> : null}
              <dt>{t('lic.use_way')}</dt><dd>{way ? t(way) : use.way}</dd>
              <dt>{t('lic.use_fields')}</dt><dd>{use.fields.length ? use.fields.map(words.title).join('、') : t('lic.use_nothing')}</dd>
              <dt>{t('lic.use_told')}</dt><dd>{isVerdict(use.verdict) ? <VerdictTag verdict={use.verdict} /> : use.verdict}</dd>
            </dl>
          </li>
        );
      })}
    </ul>
  );
}

/** The purpose written across what is shown, on screen and on paper; the words themselves stand below. */
export function Watermarked({ text, children }: { text: string; children: ReactNode }) {
  const id = useId();
  const width = Math.max(260, [...text].reduce((sum, c) => sum + (c.charCodeAt(0) > 255 ? 13 : 7), 0) + 30);
  return (
    <div className="watermarked">
      {children}
      <svg className="across" aria-hidden="true">
        <defs>
          <pattern id={id} width={width} height="64" patternUnits="userSpaceOnUse" patternTransform="rotate(-18)"><text x="8" y="40">{text}</text></pattern>
        </defs>
        <rect width="100%" height="100%" fill={`url(#${id})`} />
      </svg>
    </div>
  );
}

interface Ticking { type: LicenceType | undefined; chosen: readonly string[]; onChange: (names: string[]) => void; legend: string; fault: string | null }

function Ticks({ names, type, chosen, onChange, legend, fault }: Ticking & { names: readonly string[] }) {
  const words = useFieldWords(type);
  const id = useId();
  return (
    <fieldset className="checks" aria-describedby={fault ? id : undefined}>
      <legend>{legend}</legend>
      {fault ? <p id={id} role="alert" className="error-text">{fault}</p> : null}
      {names.map((name) => (
        <label key={name}>
          <input type="checkbox" name={`field-${name}`} checked={chosen.includes(name)} onChange={(e) => onChange(e.target.checked ? [...chosen, name] : chosen.filter((n) => n !== name))} />
          <span>{words.title(name)}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** Ticks for the fields of a licence: name and number of the holder first. */
export function FieldTicks({ licence, ...rest }: Ticking & { licence: Licence }) {
  return <Ticks names={[HOLDER_NAME, HOLDER_NUMBER, ...fieldNames(licence, rest.type)]} {...rest} />;
}

/** Ticks for the fields of a type, where no licence is known yet. */
export function TypeTicks({ type, ...rest }: Ticking & { type: LicenceType }) {
  return <Ticks names={[HOLDER_NAME, HOLDER_NUMBER, ...type.fields.map((f) => f.name)]} type={type} {...rest} />;
}

/** A few choices of which one holds, as buttons a thumb can hit. */
export function Choices<T extends string>({ name, legend, value, options, onChange }: { name: string; legend: string; value: T; options: readonly { value: T; text: string }[]; onChange: (value: T) => void }) {
  return (
    <fieldset className="choices">
      <legend>{legend}</legend>
      {options.map((o) => <label key={o.value}><input type="radio" name={name} value={o.value} checked={value === o.value} onChange={() => onChange(o.value)} /><span>{o.text}</span></label>)}
    </fieldset>
  );
}
