// Operator: a process drawn in the browser (bpmn-js, a chunk of its own) or written as XML; published,
// or refused with every fault and its line. The watermark of bpmn.io stays visible (its licence).
import { useRef, useState } from 'react';
import { App, Button, Input, Segmented } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { send } from '../../../api/client';
import type { Process } from '../../../api/cases';
import type { List } from '../../../api/types';
import { FaultTable } from '../../../components/FaultTable';
import { PageHead } from '../../../components/PageHead';
import { XmlText } from '../../../components/XmlText';
import { useI18n } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';
import { saveFile } from '../../../lib/csv';
import { BpmnCanvas, type BpmnHandle } from './BpmnCanvas';
import '../../desk/cases/cases.css';

interface Props { name: string; xml: string; mayPublish: boolean; onClose: () => void }

export default function ProcessEditor({ name: given, xml: begun, mayPublish, onClose }: Props) {
  const { t } = useI18n();
  const { message, modal } = App.useApp();
  const client = useQueryClient();
  const { error, busy, attempt, clear } = useAttempt();
  const [name, setName] = useState(given);
  const [xml, setXml] = useState(begun);
  const [sent, setSent] = useState('');
  const [mode, setMode] = useState<'drawing' | 'xml'>('drawing');
  const [notDrawn, setNotDrawn] = useState<string | null>(null);
  const [line, setLine] = useState<{ n: number } | null>(null);
  const canvas = useRef<BpmnHandle>(null);
  const current = async () => (mode === 'drawing' && canvas.current && notDrawn === null ? canvas.current.xml() : xml);
  const turn = async (to: 'drawing' | 'xml') => {
    setXml(await current());
    if (to === 'drawing') setNotDrawn(null);
    setMode(to);
  };
  const publish = async () => {
    const text = await current();
    setSent(text);
    await attempt(async () => {
      const { items } = await send<List<Process>>('POST', '/processes', { name: name.trim() || given, xml: text });
      void message.success(t('proc.published_ok', { names: items.map((p) => `${p.name || p.process} ${t('cases.version', { n: p.version })}`).join(', ') }));
      await client.invalidateQueries({ predicate: (q) => String(q.queryKey[0]).startsWith('/processes') });
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
      <PageHead title={`${t('proc.editor')} · ${name}`} sub={t('proc.modeler_keys')}>
        <Button onClick={() => { void close(); }}>{t('proc.leave')}</Button>
        <Button onClick={() => { void current().then((text) => saveFile(name, text, 'application/xml')); }}>{t('proc.download')}</Button>
        <Button type="primary" loading={busy} disabled={!mayPublish} onClick={() => { void publish(); }}>{t('proc.publish')}</Button>
      </PageHead>
      {mayPublish ? null : <p className="muted">{t('proc.no_may')}</p>}
      <FaultTable error={error} xml={sent} title="proc.faults" onLine={(n) => { void turn('xml').then(() => setLine({ n })); }} />
      <div className="filters">
        <label>{t('proc.file_name')}<Input value={name} maxLength={100} onChange={(e) => setName(e.target.value)} /></label>
        <Segmented<'drawing' | 'xml'> aria-label={t('proc.editor')} value={mode} onChange={(to) => { void turn(to); }} options={[{ value: 'drawing', label: t('proc.as_drawing') }, { value: 'xml', label: t('proc.as_xml') }]} />
      </div>
      {notDrawn !== null && mode === 'drawing' ? <p className="error-box" role="alert">{t('proc.not_drawn', { why: notDrawn })}</p> : null}
      {mode === 'drawing' ? <BpmnCanvas ref={canvas} xml={xml} onFail={setNotDrawn} onChange={clear} /> : <XmlText label={t('proc.xml')} value={xml} line={line} onChange={(text) => { setXml(text); clear(); }} />}
    </>
  );
}
