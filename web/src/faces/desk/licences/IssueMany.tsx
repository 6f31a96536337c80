// Desk: issuing many licences from a table: pasted or a file; checked here row by row, then by the
// server; all or none.
import { useState, type FormEvent } from 'react';
import { Link, useSearchParams } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { send, type ApiError } from '../../../api/client';
import { useLicenceTypes, type Licence, type LicenceType } from '../../../api/licences';
import { FormFault, useAct } from '../../../components/Inputs';
import { useFieldWords } from '../../../components/Licence';
import { PageHead } from '../../../components/PageHead';
import { saveRows, SimpleTable, type SimpleColumn } from '../../../components/SimpleTable';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { csv, saveFile } from '../../../lib/csv';
import { headOf, licencesOf, MOST_ROWS, placeOf, type Rows } from '../../../lib/licenceRows';
import { useStepUp } from '../../../shell/StepUp';

const PREVIEW = 10;
interface Shown { line: number | null; column: string; text: string }

/** Every problem of the server at its row of the table; the rest, that is of the whole. */
export function faultsOf(error: ApiError | null, lines: readonly number[], lang: 'zh' | 'en', title: (field: string) => string): Shown[] {
  return (error?.problems ?? []).map((p) => {
    const place = placeOf(p.at);
    return { line: place ? (lines[place.row] ?? null) : null, column: place ? title(place.field) : '', text: p.words[lang] };
  });
}

function Faults({ faults }: { faults: Shown[] }) {
  const { t } = useI18n();
  return (
    <div role="alert" className="error-box">
      <p>{t('lic.batch_faults', { n: faults.length })}</p>
      <SimpleTable quiet caption={t('lic.batch_fault')} rows={faults} rowKey={(_, i) => String(i)} columns={[
        { title: t('lic.batch_row'), cell: (f) => f.line ?? t('lic.batch_whole') },
        { title: t('lic.batch_column'), cell: (f) => f.column || '—' },
        { title: t('lic.batch_fault'), cell: (f) => f.text },
      ]} />
    </div>
  );
}

function Batch({ type }: { type: LicenceType }) {
  const { t, w, lang } = useI18n();
  const words = useFieldWords(type);
  const client = useQueryClient();
  const act = useAct();
  const stepUp = useStepUp();
  const [text, setText] = useState('');
  const [rows, setRows] = useState<Rows | null>(null);
  const [done, setDone] = useState<{ line: number; source: string; licence: Licence }[] | null>(null);
  const typed = (next: string) => { setText(next); setRows(null); act.clear(); };
  const BASE: Record<string, string> = { 'holder/number': t('lic.holder_number'), 'holder/name': t('lic.holder'), 'holder/document': t('lic.issue_document'), source: t('lic.issue_source'), number: t('lic.number'), serial: t('lic.issue_serial'), valid_from: t('lic.issue_from'), valid_to: t('lic.issue_to') };
  const title = (field: string) => (field.startsWith('fields/') ? words.title(field.slice('fields/'.length)) : (BASE[field] ?? field));
  const check = (event: FormEvent) => {
    event.preventDefault();
    act.clear();
    setRows(licencesOf(text, type));
  };
  const issue = async () => {
    if (!rows) return;
    const answer = await act.run(() => stepUp.attempt(() => send<{ items: Licence[] }>('POST', '/licences', { licences: rows.licences })));
    if (!answer) return;
    setDone(answer.items.map((licence, i) => ({ line: rows.lines[i] ?? 0, source: rows.licences[i]?.source ?? '', licence })));
    typed('');
    void client.invalidateQueries({ queryKey: ['/licences'] });
  };
  const results: SimpleColumn<{ line: number; source: string; licence: Licence }>[] = [
    { title: t('lic.batch_row'), cell: (d) => d.line },
    { title: t('lic.issue_source'), cell: (d) => d.source },
    { title: t('lic.identifier'), cell: (d) => <Link className="licence-code" to={`/desk/licences/${encodeURIComponent(d.licence.identifier)}`}>{d.licence.identifier}</Link>, file: (d) => d.licence.identifier },
  ];
  if (done) {
    return (
      <section className="card stack">
        <p className="confirmed" role="status">{t('lic.batch_done', { n: done.length })}</p>
        <SimpleTable caption={t('lic.batch_done', { n: done.length })} quiet columns={results} rows={done} rowKey={(d) => d.licence.identifier} />
        <p className="row"><button type="button" className="button strong" onClick={() => saveRows(`${type.name}-issued.csv`, results, done)}>{t('lic.batch_result')}</button><button type="button" className="button" onClick={() => setDone(null)}>{t('lic.issue_one_more')}</button></p>
      </section>
    );
  }
  const local: Shown[] = (rows?.faults ?? []).map((f) => ({ line: f.line, column: f.column, text: t(f.key, f.fill) }));
  const server = faultsOf(act.error, rows?.lines ?? [], lang, title);
  return (
    <>
      <form className="card stack" noValidate onSubmit={check}>
        <p>{t('lic.batch_help', { n: MOST_ROWS })}</p>
        <p><button type="button" className="button" onClick={() => saveFile(t('lic.batch_template_name', { title: w(type.title) }), csv(headOf(type), []))}>{t('lic.batch_template')}</button></p>
        <div className="input">
          <label htmlFor="batch-file">{t('lic.batch_file')}</label>
          <input id="batch-file" type="file" accept=".csv,.tsv,.txt,text/csv" onChange={(e) => { void e.target.files?.[0]?.text().then(typed); e.target.value = ''; }} />
          <label htmlFor="batch-text">{t('lic.batch_text')}</label>
          <textarea id="batch-text" name="rows" className="table-text" rows={10} value={text} spellCheck={false} wrap="off" onChange={(e) => typed(e.target.value)} />
        </div>
        <p><button type="submit" className={rows?.licences.length ? 'button' : 'button strong'}>{t('lic.batch_check')}</button></p>
        {local.length ? <Faults faults={local} /> : null}
        {act.error ? <FormFault error={act.error} shown={act.error.problems.map((p) => p.at)} /> : null}
        {server.length ? <Faults faults={server} /> : null}
        {rows?.licences.length ? (
          <>
            <p role="status" className="confirmed">{t('lic.batch_ready', { n: rows.licences.length })}</p>
            <SimpleTable caption={t('lic.batch_shown', { n: Math.min(PREVIEW, rows.licences.length) })} rows={rows.licences.slice(0, PREVIEW)} rowKey={(l) => l.source} columns={[
              { title: t('lic.issue_source'), cell: (l) => l.source },
              { title: t('lic.holder'), cell: (l) => l.holder.name },
              { title: t('lic.holder_number'), cell: (l) => l.holder.number },
              ...type.fields.map((f) => ({ title: w(f.title), cell: (l: Rows['licences'][number]) => words.value(f.name, l.fields[f.name]) })),
            ]} />
            <p><button type="button" className="button strong" disabled={act.busy} onClick={() => { void issue(); }}>{t('lic.batch_go', { n: rows.licences.length })}</button></p>
          </>
        ) : null}
      </form>
      {stepUp.dialog}
    </>
  );
}

export default function IssueMany() {
  const { t, w } = useI18n();
  const [params] = useSearchParams();
  const name = params.get('type') ?? '';
  const { types, query } = useLicenceTypes();
  const type = types.get(name);
  return (
    <>
      <PageHead title={type ? t('lic.batch_title', { title: w(type.title) }) : t('lic.desk_batch')} back={{ to: `/desk/licences?type=${encodeURIComponent(name)}`, text: t('lic.desk') }} />
      <View query={query}>{() => (type ? <Batch key={type.name} type={type} /> : <p className="card">{t('lic.desk_choose')} <Link to="/desk/licences">{t('lic.desk')}</Link></p>)}</View>
    </>
  );
}
