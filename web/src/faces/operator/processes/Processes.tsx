// Operator: published processes with their versions and drawings; a BPMN file uploaded or drawn here,
// published with every fault said.
import { lazy, Suspense, useRef, useState } from 'react';
import { App, Button, Drawer } from 'antd';
import { get } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import type { Process, ProcessDrawing } from '../../../api/cases';
import type { List } from '../../../api/types';
import { Faults } from '../../../components/Faults';
import { PageHead } from '../../../components/PageHead';
import { Provenance } from '../../../components/Provenance';
import { saveRows, SimpleTable, type SimpleColumn } from '../../../components/SimpleTable';
import { Skeleton } from '../../../components/Skeleton';
import { TabNav } from '../../../components/TabNav';
import { View } from '../../../components/View';
import { fileText } from '../../../components/XmlText';
import { useI18n } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';
import { saveFile } from '../../../lib/csv';
import { number } from '../../../lib/format';
import { dateTime } from '../../../lib/time';
import { useSession } from '../../../shell/session';
import '../../desk/cases/cases.css';

const Drawing = lazy(() => import('../../../components/Drawing'));
const ProcessEditor = lazy(() => import('./ProcessEditor'));
const Simulation = lazy(() => import('./Simulation'));
const Migration = lazy(() => import('./Migration').then((m) => ({ default: m.Migration })));

/** A process to begin with: one task between a start and an end. */
function fresh(name: string): string {
  const id = `process_${Date.now().toString(36)}`;
  const safe = name.replace(/[<&"]/g, '');
  return `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI" xmlns:jicheng="urn:jicheng:bpmn:1" id="definitions" targetNamespace="urn:jicheng:processes">
  <bpmn:process id="${id}" name="${safe}" isExecutable="true">
    <bpmn:startEvent id="start" />
    <bpmn:userTask id="task" />
    <bpmn:endEvent id="end" />
    <bpmn:sequenceFlow id="flow_1" sourceRef="start" targetRef="task" />
    <bpmn:sequenceFlow id="flow_2" sourceRef="task" targetRef="end" />
  </bpmn:process>
  <bpmndi:BPMNDiagram id="diagram"><bpmndi:BPMNPlane id="plane" bpmnElement="${id}">
    <bpmndi:BPMNShape id="start_di" bpmnElement="start"><dc:Bounds x="160" y="162" width="36" height="36" /></bpmndi:BPMNShape>
    <bpmndi:BPMNShape id="task_di" bpmnElement="task"><dc:Bounds x="260" y="140" width="100" height="80" /></bpmndi:BPMNShape>
    <bpmndi:BPMNShape id="end_di" bpmnElement="end"><dc:Bounds x="430" y="162" width="36" height="36" /></bpmndi:BPMNShape>
    <bpmndi:BPMNEdge id="flow_1_di" bpmnElement="flow_1"><di:waypoint x="196" y="180" /><di:waypoint x="260" y="180" /></bpmndi:BPMNEdge>
    <bpmndi:BPMNEdge id="flow_2_di" bpmnElement="flow_2"><di:waypoint x="360" y="180" /><di:waypoint x="430" y="180" /></bpmndi:BPMNEdge>
  </bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
</bpmn:definitions>
`;
}

interface Editing { name: string; xml: string; begun?: string }

/** Processes, and what would come of changing one. */
export function ProcessTabs({ now }: { now: 'processes' | 'simulation' }) {
  const { t } = useI18n();
  return <TabNav label={t('sim.tabs')} now={now} items={[{ key: 'processes', title: t('proc.title'), to: '/operator/processes' }, { key: 'simulation', title: t('sim.title'), to: '/operator/processes/simulation' }]} />;
}

export default function Processes() {
  const { t } = useI18n();
  const { may } = useSession();
  const { message } = App.useApp();
  const query = useApi<List<Process>>('/processes', undefined, { keep: true });
  const [open, setOpen] = useState<Process | null>(null);
  const [editing, setEditing] = useState<Editing | null>(null);
  const [trying, setTrying] = useState<Editing | null>(null);
  const { error, busy, attempt } = useAttempt();
  const picker = useRef<HTMLInputElement>(null);
  const operates = may('operate', 'processes');
  const edit = (p: Process) => attempt(async () => {
    const { xml } = await get<ProcessDrawing>(`/processes/${encodeURIComponent(p.process)}/drawing`, { version: p.version });
    setOpen(null);
    setEditing({ name: `${p.process}.bpmn`, xml });
  });
  const upload = async (file: File | undefined) => {
    if (picker.current) picker.current.value = '';
    if (!file) return;
    const xml = await fileText(file);
    if (xml === null) void message.error(t('proc.too_large'));
    else setEditing({ name: file.name, xml });
  };
  const columns: SimpleColumn<Process>[] = [
    { title: t('word.name'), cell: (p) => <button type="button" className="link" onClick={() => setOpen(p)}>{p.name || p.process}</button>, file: (p) => p.name },
    { title: t('proc.id'), cell: (p) => <code>{p.process}</code>, file: (p) => p.process },
    { title: t('proc.version'), cell: (p) => number(p.version, 0), file: (p) => p.version, right: true },
    { title: t('proc.open'), cell: (p) => number(p.open, 0), file: (p) => p.open, right: true },
    { title: t('proc.begins'), cell: (p) => (p.begins_at ? dateTime(p.begins_at) : '—'), file: (p) => p.begins_at ?? '' },
    { title: t('proc.published'), cell: (p) => dateTime(p.published_at) },
    { title: t('proc.by'), cell: (p) => p.published_by },
  ];
  if (trying) return <Suspense fallback={<Skeleton />}><Simulation given={trying} onBack={(xml) => { setTrying(null); setEditing({ ...trying, xml }); }} /></Suspense>;
  if (editing) return <Suspense fallback={<Skeleton />}><ProcessEditor key={editing.name} {...editing} mayPublish={operates} onClose={() => setEditing(null)} onSimulate={(name, xml) => setTrying({ name, xml, begun: editing.begun ?? editing.xml })} /></Suspense>;
  return (
    <>
      <PageHead title={t('proc.title')} sub={t('proc.sub')}>
        <input ref={picker} type="file" accept=".bpmn,.xml,application/xml,text/xml" hidden aria-label={t('proc.upload')} onChange={(e) => { void upload(e.target.files?.[0]); }} />
        <Button disabled={!operates} onClick={() => picker.current?.click()}>{t('proc.upload')}</Button>
        <Button type="primary" disabled={!operates} onClick={() => setEditing({ name: 'process.bpmn', xml: fresh(t('proc.new_name')) })}>{t('proc.new')}</Button>
      </PageHead>
      <ProcessTabs now="processes" />
      {operates ? null : <p className="muted">{t('proc.no_may')}</p>}
      <Faults error={error} />
      <section className="card">
        <View query={query} empty={(d) => d.items.length === 0} emptyText={t('proc.empty')}>
          {(d) => <><p>{t('table.total', { n: number(d.items.length, 0) })}</p><SimpleTable<Process> quiet caption={t('proc.caption')} rows={d.items} rowKey={(p) => p.process} columns={columns} /></>}
        </View>
      </section>
      <Drawer open={open !== null} onClose={() => setOpen(null)} destroyOnHidden size={860} title={open ? open.name || open.process : ''} closable={{ 'aria-label': t('verb.close_dialog') }}>
        {open ? <Versions process={open} operates={operates} busy={busy} onEdit={(p) => { void edit(p); }} /> : null}
      </Drawer>
      <Provenance asOf={query.dataUpdatedAt} source="cases" path="/processes" downloads={[{ text: 'CSV', save: () => saveRows('processes.csv', columns, query.data?.items ?? []) }]} />
    </>
  );
}

function Versions({ process, operates, busy, onEdit }: { process: Process; operates: boolean; busy: boolean; onEdit: (p: Process) => void }) {
  const { t } = useI18n();
  const base = `/processes/${encodeURIComponent(process.process)}`;
  const [version, setVersion] = useState(process.version);
  const [moving, setMoving] = useState(false);
  const versions = useApi<List<Process>>(`${base}/versions`);
  const drawing = useApi<ProcessDrawing>(`${base}/drawing`, { version }, { keep: true });
  const shown = versions.data?.items.find((p) => p.version === version) ?? process;
  return (
    <div className="stack">
      <h3>{t('cases.version', { n: version })}</h3>
      {shown.begins_at ? <p>{t('proc.begins_next', { at: dateTime(shown.begins_at) })}</p> : null}
      <View query={drawing}>{(d) => (
        <>
          <Suspense fallback={<Skeleton lines={6} />}><Drawing xml={d.xml} /></Suspense>
          <div className="row">
            <Button onClick={() => saveFile(`${d.process}-${version}.bpmn`, d.xml, 'application/xml')}>{t('proc.download')}</Button>
            <Button type="primary" loading={busy} disabled={!operates} onClick={() => onEdit(shown)}>{t('proc.edit')}</Button>
            <Button disabled={!operates || (versions.data?.items.length ?? 0) < 2} onClick={() => setMoving(true)}>{t('mig.open')}</Button>
          </div>
        </>
      )}</View>
      <h3>{t('proc.versions')}</h3>
      <View query={versions}>{(d) => (
        <SimpleTable<Process> quiet caption={t('proc.versions_caption')} rows={d.items} rowKey={(p) => String(p.version)} columns={[
          { title: t('proc.version'), cell: (p) => <button type="button" className="link" aria-pressed={p.version === version} onClick={() => setVersion(p.version)}>{t('cases.version', { n: p.version })}</button> },
          { title: t('proc.open'), cell: (p) => number(p.open, 0), right: true },
          { title: t('proc.published'), cell: (p) => dateTime(p.published_at) },
          { title: t('proc.by'), cell: (p) => p.published_by },
          { title: t('proc.digest'), cell: (p) => <code title={p.digest}>{p.digest.slice(0, 12)}</code> }]} />
      )}</View>
      {moving && versions.data ? <Suspense fallback={<Skeleton lines={4} />}><Migration versions={versions.data.items} onClose={() => setMoving(false)} /></Suspense> : null}
    </div>
  );
}
