// Operator: a decision model edited in the browser (dmn-js, a chunk of its own) or written as XML;
// checked, tried out, published. The watermark of bpmn.io stays visible (its licence).
import { useEffect, useImperativeHandle, useRef, useState, type Ref } from 'react';
import { App, Button, Input, Segmented } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import Modeler, { type DmnView } from 'dmn-js/lib/Modeler';
import 'dmn-js/dist/assets/diagram-js.css';
import 'dmn-js/dist/assets/dmn-js-shared.css';
import 'dmn-js/dist/assets/dmn-js-drd.css';
import 'dmn-js/dist/assets/dmn-js-decision-table.css';
import 'dmn-js/dist/assets/dmn-js-decision-table-controls.css';
import 'dmn-js/dist/assets/dmn-js-literal-expression.css';
import 'dmn-js/dist/assets/dmn-js-boxed-expression.css';
import 'dmn-js/dist/assets/dmn-js-boxed-expression-controls.css';
import './dmn-font.css';
import { send } from '../../../api/client';
import type { ModelShape, ModelVersion } from '../../../api/decisions';
import { FaultTable } from '../../../components/FaultTable';
import { PageHead } from '../../../components/PageHead';
import { XmlText } from '../../../components/XmlText';
import { useI18n } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';
import { saveFile } from '../../../lib/csv';
import { Shape } from './Shape';
import { TryOut } from './TryOut';
import '../../desk/cases/cases.css';

interface Handle { xml: () => Promise<string> }

function DmnCanvas({ ref, xml, onFail }: { ref: Ref<Handle>; xml: string; onFail: (why: string) => void }) {
  const { t } = useI18n();
  const box = useRef<HTMLDivElement>(null);
  const modeler = useRef<Modeler | null>(null);
  const fail = useRef(onFail);
  fail.current = onFail;
  const [views, setViews] = useState<DmnView[]>([]);
  const [now, setNow] = useState('');
  const imported = useRef<string | null>(null);
  useImperativeHandle(ref, () => ({
    // What was not changed in the editor is handed back as it was written.
    xml: async () => {
      const saved = (await modeler.current?.saveXML({ format: true }))?.xml ?? xml;
      return saved === imported.current ? xml : saved;
    },
  }), [xml]);
  useEffect(() => {
    if (!box.current) return undefined;
    const made = new Modeler({ container: box.current });
    modeler.current = made;
    let gone = false;
    made.on('views.changed', () => {
      if (gone) return;
      setViews(made.getViews());
      setNow(keyOf(made.getActiveView()));
    });
    imported.current = null;
    made.importXML(xml).then(async () => { imported.current = gone ? null : (await made.saveXML({ format: true })).xml; }).catch((e: unknown) => { if (!gone) fail.current(e instanceof Error ? e.message : String(e)); });
    return () => { gone = true; modeler.current = null; made.destroy(); };
  }, [xml]);
  return (
    <>
      {views.length > 1 ? <Segmented aria-label={t('dec.open_view')} value={now} onChange={(key) => { const view = views.find((v) => keyOf(v) === key); if (view) void modeler.current?.open(view); }} options={views.map((v) => ({ value: keyOf(v), label: v.type === 'drd' ? t('proc.as_drawing') : (v.element.name ?? v.element.id) }))} /> : null}
      <div ref={box} className="drawing tall paper dmn" role="region" aria-label={t('dec.editor')} />
    </>
  );
}

const keyOf = (view: DmnView | undefined): string => (view ? `${view.type}:${view.element.id}` : '');

interface Props { model: string; version: number; known: readonly ModelVersion[]; xml: string; mayPublish: boolean; onClose: () => void }

export default function DecisionEditor({ model: given, version, known, xml: begun, mayPublish, onClose }: Props) {
  const { t } = useI18n();
  const { message, modal } = App.useApp();
  const client = useQueryClient();
  const { error, busy, attempt, clear } = useAttempt();
  const [model, setModel] = useState(given);
  const [note, setNote] = useState('');
  const [xml, setXml] = useState(begun);
  const [sent, setSent] = useState('');
  const [mode, setMode] = useState<'drawing' | 'xml'>('drawing');
  const [notDrawn, setNotDrawn] = useState<string | null>(null);
  const [line, setLine] = useState<{ n: number } | null>(null);
  const [checked, setChecked] = useState<{ shape: ModelShape; n: number } | null>(null);
  const canvas = useRef<Handle>(null);
  const current = async () => (mode === 'drawing' && canvas.current && notDrawn === null ? canvas.current.xml() : xml);
  const turn = async (to: 'drawing' | 'xml') => {
    setXml(await current());
    if (to === 'drawing') setNotDrawn(null);
    setMode(to);
  };
  const check = async () => {
    const text = await current();
    setSent(text);
    setChecked(null);
    await attempt(async () => {
      const shape = await send<ModelShape>('POST', '/decisions/check', { xml: text });
      setChecked((before) => ({ shape, n: (before?.n ?? 0) + 1 }));
      void message.success(t('dec.checked'));
    });
  };
  const publish = async () => {
    const text = await current();
    setSent(text);
    const code = model.trim();
    const after = code === given ? version : (known.find((m) => m.model === code)?.version ?? 0);
    await attempt(async () => {
      const made = await send<ModelVersion>('POST', '/decisions', { model: code, xml: text, note: note.trim(), after_version: after });
      void message.success(t('dec.published_ok', { model: made.model, version: made.version }));
      await client.invalidateQueries({ predicate: (q) => String(q.queryKey[0]).startsWith('/decisions') });
      onClose();
    });
  };
  const close = async () => {
    const text = await current().catch(() => xml);
    if (text.replace(/\s+/g, '') === begun.replace(/\s+/g, '')) onClose();
    else modal.confirm({ title: t('proc.leave_title'), content: t('proc.leave_help'), okText: t('verb.confirm'), cancelText: t('verb.cancel'), onOk: onClose });
  };
  return (
    <>
      <PageHead title={`${t('dec.editor')}${model ? ` · ${model}` : ''}`} sub={t('proc.modeler_keys')}>
        <Button onClick={() => { void close(); }}>{t('proc.leave')}</Button>
        <Button onClick={() => { void current().then((text) => saveFile(`${model || 'model'}.dmn`, text, 'application/xml')); }}>{t('dec.download')}</Button>
        <Button loading={busy} onClick={() => { void check(); }}>{t('dec.check')}</Button>
        <Button type="primary" loading={busy} disabled={!mayPublish || !model.trim()} onClick={() => { void publish(); }}>{t('dec.publish')}</Button>
      </PageHead>
      {mayPublish ? null : <p className="muted">{t('dec.no_may')}</p>}
      <FaultTable error={error} xml={sent} title="dec.faults" onLine={(n) => { void turn('xml').then(() => setLine({ n })); }} />
      <div className="filters">
        <label>{t('dec.model')}<Input name="model" value={model} disabled={given !== '' && version > 0} maxLength={64} autoComplete="off" onChange={(e) => setModel(e.target.value)} /><span className="small">{t('dec.code_help')}</span></label>
        <label>{t('dec.note')}<Input name="note" value={note} maxLength={200} onChange={(e) => setNote(e.target.value)} /></label>
        <Segmented<'drawing' | 'xml'> aria-label={t('dec.editor')} value={mode} onChange={(to) => { void turn(to); }} options={[{ value: 'drawing', label: t('proc.as_drawing') }, { value: 'xml', label: t('proc.as_xml') }]} />
      </div>
      {notDrawn !== null && mode === 'drawing' ? <p className="error-box" role="alert">{t('proc.not_drawn', { why: notDrawn })}</p> : null}
      {mode === 'drawing' ? <DmnCanvas ref={canvas} xml={xml} onFail={setNotDrawn} /> : <XmlText label={t('dec.xml')} value={xml} line={line} onChange={(text) => { setXml(text); clear(); }} />}
      {checked ? (
        <section className="card" style={{ marginTop: 16 }}><h2>{t('dec.shape')}</h2><Shape shape={checked.shape} /><h2>{t('dec.try')}</h2><TryOut key={checked.n} shape={checked.shape} xml={current} /></section>
      ) : null}
    </>
  );
}
