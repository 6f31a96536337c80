// Desk: issuing one licence: a form from the fields of its type, checked before it is sent.
import { useState, type FormEvent } from 'react';
import { Link, useSearchParams } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { send, type ApiError } from '../../../api/client';
import { useLicenceTypes, type HolderDocument, type Licence, type LicenceField, type LicenceType, type NewLicence, type Warning } from '../../../api/licences';
import { Answers, FormFault, SelectField, TextField, useAct } from '../../../components/Inputs';
import { useFieldWords } from '../../../components/Licence';
import { PageHead } from '../../../components/PageHead';
import { View } from '../../../components/View';
import { useI18n, type Fill, type Key } from '../../../i18n';
import { documentsOf, valueOf } from '../../../lib/licenceRows';
import { useStepUp } from '../../../shell/StepUp';

type Values = Record<string, string>;
type Wrong = Record<string, { key: Key; fill?: Fill }>;
const FIELD = 'fields/';

/** A licence from what was typed, and what is wrong with it, by the names the server uses. */
export function licenceFrom(type: LicenceType, document: HolderDocument, v: Values): { licence: NewLicence; wrong: Wrong } {
  const wrong: Wrong = {};
  const said = (name: string) => (v[name] ?? '').trim();
  for (const name of ['source', 'holder/number', 'holder/name']) if (!said(name)) wrong[name] = { key: 'lic.bad_required' };
  const fields: Record<string, unknown> = {};
  for (const field of type.fields) {
    const typed = said(FIELD + field.name);
    if (!typed) { if (field.required) wrong[FIELD + field.name] = { key: 'lic.bad_required' }; continue; }
    const found = valueOf(field, typed);
    if ('value' in found) fields[field.name] = found.value;
    else wrong[FIELD + field.name] = found;
  }
  const more = Object.fromEntries((['number', 'serial', 'valid_from', 'valid_to'] as const).filter((name) => said(name)).map((name) => [name, said(name)]));
  if (said('valid_from') && said('valid_to') && said('valid_to') < said('valid_from')) wrong['valid_to'] = { key: 'lic.bad_order' };
  return { licence: { kind: type.name, source: said('source'), holder: { document, number: said('holder/number'), name: said('holder/name') }, fields, ...more }, wrong };
}

export function FieldInput({ field, value, onChange, error, wrong, within = 'rows/0/' }: { field: LicenceField; value: string; onChange: (value: string) => void; error: ApiError | null; wrong: string | null; within?: string }) {
  const { t, w } = useI18n();
  const label = field.required ? w(field.title) : t('lic.issue_optional', { title: w(field.title) });
  const kind = field.kind;
  const name = FIELD + field.name;
  if (kind.type === 'choice' || kind.type === 'boolean') {
    const options = kind.type === 'choice' ? kind.of.map(([word, title]) => ({ value: word, text: w(title) })) : [{ value: 'true', text: t('lic.yes') }, { value: 'false', text: t('lic.no') }];
    return (
      <>
        {wrong ? <p className="error-text">{label}：{wrong}</p> : null}
        <SelectField name={name} at={within + name} label={label} value={value} error={error} onChange={onChange} choices={[{ value: '', text: t('lic.issue_not_said') }, ...options]} />
      </>
    );
  }
  const numeric = kind.type === 'integer' || kind.type === 'number';
  return <TextField name={name} at={within + name} label={label} value={value} error={error} wrong={wrong} type={kind.type === 'date' ? 'date' : 'text'} inputMode={numeric ? 'decimal' : undefined} autoComplete="off" maxLength={numeric ? 40 : field.longest} onChange={(e) => onChange(e.target.value)} />;
}

const BASE = ['source', 'number', 'serial', 'valid_from', 'valid_to'] as const;
const LABELS: Record<(typeof BASE)[number], Key> = { source: 'lic.issue_source', number: 'lic.issue_printed', serial: 'lic.issue_serial', valid_from: 'lic.issue_from', valid_to: 'lic.issue_to' };

function IssueForm({ type }: { type: LicenceType }) {
  const { t, w } = useI18n();
  const words = useFieldWords(type);
  const client = useQueryClient();
  const act = useAct();
  const stepUp = useStepUp();
  const documents = documentsOf(type.holder);
  const [document, setDocument] = useState<HolderDocument>(documents[0] ?? 'citizen_number');
  const [values, setValues] = useState<Values>({});
  const [wrong, setWrong] = useState<Wrong>({});
  const [checking, setChecking] = useState<NewLicence | null>(null);
  const [done, setDone] = useState<Licence | null>(null);
  const [warned, setWarned] = useState<Warning[]>([]);
  const put = (name: string) => (value: string) => setValues((before) => ({ ...before, [name]: value }));
  const say = (name: string) => { const fault = wrong[name]; return fault ? t(fault.key, fault.fill) : null; };
  const text = (name: string) => ({ name, at: `rows/0/${name}`, value: values[name] ?? '', wrong: say(name), error: act.error, autoComplete: 'off', onChange: (e: { target: { value: string } }) => put(name)(e.target.value) });
  const documentWords = (d: HolderDocument) => (d === 'credit_code' ? t('lic.issue_legal') : t(`proof.${d}`));
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    act.clear();
    if (!checking) {
      const { licence, wrong: found } = licenceFrom(type, document, values);
      setWrong(found);
      return setChecking(Object.keys(found).length ? null : licence);
    }
    const answer = await act.run(() => stepUp.attempt(() => send<{ items: Licence[]; warnings: Warning[] }>('POST', '/licences', { licences: [checking] })));
    setChecking(null);
    const [licence] = answer?.items ?? [];
    if (!licence) return;
    setDone(licence);
    setWarned(answer?.warnings ?? []);
    setValues({});
    void client.invalidateQueries({ queryKey: ['/licences'] });
  };
  if (done) {
    return (
      <section className="card stack">
        <div className="confirmed" role="status"><p><strong>{t('lic.issue_done')}</strong></p><p>{w(done.title)} · {done.holder.name}</p><p><code data-identifier>{done.identifier}</code></p></div>
        {warned.map((warning) => <p key={warning.at} className="stale">{w(warning.words)}</p>)}
        <p className="row"><Link className="button" to={`/desk/licences/${encodeURIComponent(done.identifier)}`}>{t('verb.open')}</Link><button type="button" className="button strong" onClick={() => setDone(null)}>{t('lic.issue_one_more')}</button></p>
      </section>
    );
  }
  const shown = [...BASE, 'holder/document', 'holder/number', 'holder/name', ...type.fields.map((f) => FIELD + f.name)].map((name) => `rows/0/${name}`);
  const edit = () => setChecking(null);
  return (
    <>
      <form className="card stack" noValidate onSubmit={(e) => { void submit(e); }}>
        <FormFault error={act.error} shown={shown} />
        {checking ? (
          <>
            <p>{t('lic.issue_check_help')}</p>
            <Answers rows={[
              { label: t('lic.issue_document'), value: documentWords(checking.holder.document), onChange: edit },
              { label: t('lic.issue_number'), value: checking.holder.number, onChange: edit },
              { label: t('lic.issue_name'), value: checking.holder.name, onChange: edit },
              ...Object.keys(checking.fields).map((name) => ({ label: words.title(name), value: words.value(name, checking.fields[name]), onChange: edit })),
              ...BASE.filter((name) => checking[name]).map((name) => ({ label: t(LABELS[name]), value: checking[name], onChange: edit })),
            ]} />
          </>
        ) : (
          <>
            <h2>{t('lic.issue_holder')}</h2>
            <SelectField name="holder/document" at="rows/0/holder/document" label={t('lic.issue_document')} value={document} error={act.error} onChange={(d) => setDocument(d as HolderDocument)} choices={documents.map((d) => ({ value: d, text: documentWords(d) }))} />
            <TextField {...text('holder/number')} label={t('lic.issue_number')} autoCapitalize="characters" spellCheck={false} maxLength={40} />
            <TextField {...text('holder/name')} label={t('lic.issue_name')} maxLength={100} />
            {type.fields.length ? <h2>{w(type.title)}</h2> : null}
            {type.fields.map((field) => <FieldInput key={field.name} field={field} value={values[FIELD + field.name] ?? ''} onChange={put(FIELD + field.name)} error={act.error} wrong={say(FIELD + field.name)} />)}
            <h2>{t('lic.one')}</h2>
            <TextField {...text('source')} label={t('lic.issue_source')} hint={t('lic.issue_source_help')} maxLength={200} />
            <TextField {...text('valid_from')} label={t('lic.issue_from')} type="date" />
            <TextField {...text('valid_to')} label={t('lic.issue_to')} type="date" />
            <TextField {...text('number')} label={t('lic.issue_printed')} maxLength={60} />
            <TextField {...text('serial')} label={t('lic.issue_serial')} hint={t('lic.issue_serial_help')} maxLength={40} />
          </>
        )}
        <p className="row">
          <button type="submit" className="button strong" disabled={act.busy}>{t(checking ? 'lic.issue_go' : 'lic.issue_check')}</button>
          {checking ? <button type="button" className="button" onClick={edit}>{t('lic.issue_edit')}</button> : null}
        </p>
      </form>
      {stepUp.dialog}
    </>
  );
}

export default function Issue() {
  const { t, w } = useI18n();
  const [params] = useSearchParams();
  const name = params.get('type') ?? '';
  const { types, query } = useLicenceTypes();
  const type = types.get(name);
  return (
    <div className="one-thing">
      <PageHead title={type ? t('lic.issue_title', { title: w(type.title) }) : t('lic.desk_issue')} back={{ to: `/desk/licences?type=${encodeURIComponent(name)}`, text: t('lic.desk') }} />
      <View query={query}>{() => (type ? <IssueForm key={type.name} type={type} /> : <p className="card">{t('lic.desk_choose')} <Link to="/desk/licences">{t('lic.desk')}</Link></p>)}</View>
    </div>
  );
}
