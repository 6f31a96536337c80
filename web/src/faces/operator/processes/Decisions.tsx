// Operator: decision models with their versions, tried out; edited or uploaded; evaluations that were
// kept and why they came out so.
import { lazy, Suspense, useRef, useState } from 'react';
import { App, Button, Drawer, Input, Select } from 'antd';
import { useApi } from '../../../api/hooks';
import type { List } from '../../../api/types';
import type { Evaluation, ModelVersion, ModelXml } from '../../../api/decisions';
import { DataFacts } from '../../../components/DataFacts';
import { PageHead } from '../../../components/PageHead';
import { Provenance } from '../../../components/Provenance';
import { saveRows, SimpleTable, type SimpleColumn } from '../../../components/SimpleTable';
import { Skeleton } from '../../../components/Skeleton';
import { Empty, View } from '../../../components/View';
import { fileText } from '../../../components/XmlText';
import { useI18n } from '../../../i18n';
import { useFilters } from '../../../lib/at';
import { plainValue } from '../../../lib/cases';
import { saveFile } from '../../../lib/csv';
import { number } from '../../../lib/format';
import { dateTime, dateTimeSeconds } from '../../../lib/time';
import { useSession } from '../../../shell/session';
import { Outcome } from './Outcome';
import { Shape } from './Shape';
import { TryOut } from './TryOut';
import '../../desk/cases/cases.css';

const DecisionEditor = lazy(() => import('./DecisionEditor'));

/** A model to begin with: one decision with a table. */
const fresh = () => `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" xmlns:dmndi="https://www.omg.org/spec/DMN/20191111/DMNDI/" xmlns:dc="http://www.omg.org/spec/DMN/20180521/DC/" id="model_${Date.now().toString(36)}" name="model" namespace="urn:jicheng:decisions">
  <inputData id="input_data" name="area"><variable id="input_variable" name="area" typeRef="number" /></inputData>
  <decision id="decision" name="fee">
    <variable id="variable" name="fee" typeRef="number" />
    <informationRequirement id="requires"><requiredInput href="#input_data" /></informationRequirement>
    <decisionTable id="table" hitPolicy="UNIQUE">
      <input id="input" label="area"><inputExpression id="expression" typeRef="number"><text>area</text></inputExpression></input>
      <output id="output" name="fee" typeRef="number" />
      <rule id="rule"><inputEntry id="condition"><text>&gt;= 0</text></inputEntry><outputEntry id="result"><text>0</text></outputEntry></rule>
    </decisionTable>
  </decision>
  <dmndi:DMNDI><dmndi:DMNDiagram id="diagram">
    <dmndi:DMNShape id="shape" dmnElementRef="decision"><dc:Bounds height="80" width="180" x="160" y="80" /></dmndi:DMNShape>
    <dmndi:DMNShape id="input_shape" dmnElementRef="input_data"><dc:Bounds height="45" width="125" x="187" y="240" /></dmndi:DMNShape>
  </dmndi:DMNDiagram></dmndi:DMNDI>
</definitions>
`;

interface Editing { model: string; version: number; xml: string }

export default function Decisions() {
  const { t } = useI18n();
  const { may } = useSession();
  const { message } = App.useApp();
  const query = useApi<List<ModelVersion>>('/decisions', undefined, { keep: true });
  const [open, setOpen] = useState<string | null>(null);
  const [editing, setEditing] = useState<Editing | null>(null);
  const picker = useRef<HTMLInputElement>(null);
  const operates = may('operate', 'decisions');
  const upload = async (file: File | undefined) => {
    if (picker.current) picker.current.value = '';
    if (!file) return;
    const xml = await fileText(file);
    if (xml === null) void message.error(t('proc.too_large'));
    else setEditing({ model: file.name.replace(/\.(dmn|xml)$/i, '').toLowerCase().replace(/[^a-z0-9._-]+/g, '-'), version: 0, xml });
  };
  const columns: SimpleColumn<ModelVersion>[] = [
    { title: t('dec.model'), cell: (m) => <button type="button" className="link" onClick={() => setOpen(m.model)}>{m.model}</button>, file: (m) => m.model },
    { title: t('word.name'), cell: (m) => m.title },
    { title: t('proc.version'), cell: (m) => number(m.version, 0), file: (m) => m.version, right: true },
    { title: t('dec.note'), cell: (m) => m.note || '—', file: (m) => m.note },
    { title: t('proc.published'), cell: (m) => dateTime(m.published_at) },
    { title: t('proc.by'), cell: (m) => m.published_by },
  ];
  if (editing) return <Suspense fallback={<Skeleton />}><DecisionEditor model={editing.model} version={editing.version} known={query.data?.items ?? []} xml={editing.xml} mayPublish={operates} onClose={() => setEditing(null)} /></Suspense>;
  return (
    <>
      <PageHead title={t('dec.title')} sub={t('dec.sub')}>
        <input ref={picker} type="file" accept=".dmn,.xml,application/xml,text/xml" hidden aria-label={t('dec.upload')} onChange={(e) => { void upload(e.target.files?.[0]); }} />
        <Button disabled={!operates} onClick={() => picker.current?.click()}>{t('dec.upload')}</Button>
        <Button type="primary" disabled={!operates} onClick={() => setEditing({ model: '', version: 0, xml: fresh() })}>{t('dec.new')}</Button>
      </PageHead>
      {operates ? null : <p className="muted">{t('dec.no_may')}</p>}
      <section className="card">
        <View query={query} empty={(d) => d.items.length === 0} emptyText={t('dec.empty')}>
          {(d) => <><p>{t('table.total', { n: number(d.items.length, 0) })}</p><SimpleTable<ModelVersion> quiet caption={t('dec.caption')} rows={d.items} rowKey={(m) => m.model} columns={columns} /></>}
        </View>
      </section>
      <Kept models={query.data?.items ?? []} />
      <Drawer open={open !== null} onClose={() => setOpen(null)} destroyOnHidden size={900} title={open ?? ''} closable={{ 'aria-label': t('verb.close_dialog') }}>
        {open ? <Model key={open} model={open} operates={operates} onEdit={(e) => { setOpen(null); setEditing(e); }} /> : null}
      </Drawer>
      <Provenance asOf={query.dataUpdatedAt} source="decisions" path="/decisions" downloads={[{ text: 'CSV', save: () => saveRows('decisions.csv', columns, query.data?.items ?? []) }]} />
    </>
  );
}

function Model({ model, operates, onEdit }: { model: string; operates: boolean; onEdit: (editing: Editing) => void }) {
  const { t } = useI18n();
  const base = `/decisions/${encodeURIComponent(model)}`;
  const [version, setVersion] = useState<number | null>(null);
  const versions = useApi<List<ModelVersion>>(`${base}/versions`);
  const shown = useApi<ModelXml>(`${base}/xml`, { version }, { keep: true });
  const newest = versions.data?.items[0]?.version ?? 0;
  return (
    <div className="stack">
      <View query={shown}>{(d) => (
        <>
          <h3>{d.version.title} · {t('cases.version', { n: d.version.version })}</h3>
          <div className="row">
            <Button onClick={() => saveFile(`${model}-${d.version.version}.dmn`, d.xml, 'application/xml')}>{t('dec.download')}</Button>
            <Button type="primary" disabled={!operates} onClick={() => onEdit({ model, version: newest || d.version.version, xml: d.xml })}>{t('proc.edit')}</Button>
          </div>
          <Shape shape={d.shape} />
          <h3>{t('dec.try')}</h3>
          <TryOut key={d.version.version} shape={d.shape} xml={() => Promise.resolve(d.xml)} />
        </>
      )}</View>
      <h3>{t('proc.versions')}</h3>
      <View query={versions}>{(d) => (
        <SimpleTable<ModelVersion> quiet caption={t('proc.versions_caption')} rows={d.items} rowKey={(m) => String(m.version)} columns={[
          { title: t('proc.version'), cell: (m) => <button type="button" className="link" onClick={() => setVersion(m.version)}>{t('cases.version', { n: m.version })}</button> },
          { title: t('dec.note'), cell: (m) => m.note || '—' },
          { title: t('proc.published'), cell: (m) => dateTime(m.published_at) },
          { title: t('proc.by'), cell: (m) => m.published_by },
          { title: t('proc.digest'), cell: (m) => <code title={m.digest}>{m.digest.slice(0, 12)}</code> }]} />
      )}</View>
    </div>
  );
}

const AT_ONCE = 50;

/** Evaluations that were kept: asked for by model, case or person. */
function Kept({ models }: { models: ModelVersion[] }) {
  const { t } = useI18n();
  const filters = useFilters();
  const [open, setOpen] = useState<string | null>(null);
  const model = filters.get('model') || models[0]?.model || '';
  const params = { model: filters.get('case') ? filters.get('model') : model, case: filters.get('case'), before: filters.get('before'), limit: AT_ONCE };
  const asks = Boolean(params.model || params.case);
  const query = useApi<List<Evaluation>>(asks ? '/decisions/evaluations' : null, params, { keep: true });
  const plain = (value: Parameters<typeof plainValue>[0]) => plainValue(value, t('word.yes'), t('word.no'));
  const columns: SimpleColumn<Evaluation>[] = [
    { title: t('word.time'), cell: (e) => <button type="button" className="link" onClick={() => setOpen(e.id)}>{dateTimeSeconds(e.at)}</button>, file: (e) => dateTimeSeconds(e.at) },
    { title: t('dec.model'), cell: (e) => `${e.outcome.model} ${e.outcome.version}` },
    { title: t('dec.decision'), cell: (e) => e.outcome.decision },
    { title: t('dec.result'), cell: (e) => plain(e.outcome.result) },
    { title: t('dec.purpose'), cell: (e) => e.keeping.purpose },
    { title: t('dec.case'), cell: (e) => e.keeping.case ?? '—' },
    { title: t('dec.account'), cell: (e) => e.account },
  ];
  return (
    <section className="card" aria-label={t('dec.kept')}>
      <h2>{t('dec.kept')}</h2>
      <div className="filters">
        <label>{t('dec.model')}<Select aria-label={t('dec.model')} style={{ width: 200 }} value={model || undefined} onChange={(v) => filters.set({ model: v, before: null })} options={models.map((m) => ({ value: m.model, label: m.model }))} /></label>
        <label>{t('dec.case')}<Input.Search key={filters.get('case')} defaultValue={filters.get('case')} allowClear onSearch={(v) => filters.set({ case: v.trim() || null, before: null })} /></label>
      </div>
      {asks ? (
        <View query={query} empty={(d) => d.items.length === 0} emptyText={t('dec.kept_empty')}>
          {(d) => (
            <>
              <SimpleTable<Evaluation> quiet caption={t('dec.kept_caption')} rows={d.items} rowKey={(e) => e.id} columns={columns} />
              <div className="row" style={{ marginTop: 8 }}>
                <Button onClick={() => saveRows('evaluations.csv', columns, d.items)}>{t('verb.export_csv')}</Button>
                {filters.get('before') ? <Button onClick={() => filters.set({ before: null })}>{t('verb.back')}</Button> : null}
                {d.items.length === AT_ONCE ? <Button onClick={() => filters.set({ before: d.items[d.items.length - 1]?.id ?? null })}>{t('dec.more')}</Button> : null}
              </div>
            </>
          )}
        </View>
      ) : <Empty text={t('dec.kept_empty')} />}
      <Drawer open={open !== null} onClose={() => setOpen(null)} destroyOnHidden size={860} title={t('dec.kept')} closable={{ 'aria-label': t('verb.close_dialog') }}>
        {open ? <One id={open} /> : null}
      </Drawer>
    </section>
  );
}

function One({ id }: { id: string }) {
  const { t } = useI18n();
  const query = useApi<Evaluation>(`/decisions/evaluations/${encodeURIComponent(id)}`);
  const outcome = query.data?.outcome;
  const xml = useApi<ModelXml>(outcome ? `/decisions/${encodeURIComponent(outcome.model)}/xml` : null, { version: outcome?.version });
  return (
    <View query={query}>{(e) => (
      <div className="stack">
        <dl className="facts">
          <dt>{t('word.time')}</dt><dd>{dateTimeSeconds(e.at)} · {e.account}</dd>
          <dt>{t('dec.purpose')}</dt><dd>{e.keeping.purpose}</dd>
          <dt>{t('dec.basis')}</dt><dd>{e.keeping.basis || '—'}</dd>
          <dt>{t('dec.case')}</dt><dd>{e.keeping.case ?? '—'}</dd>
        </dl>
        <h3>{t('dec.input')}</h3>
        <DataFacts data={e.outcome.input} empty="—" />
        <Outcome outcome={e.outcome} xml={xml.data?.xml ?? ''} />
      </div>
    )}</View>
  );
}
