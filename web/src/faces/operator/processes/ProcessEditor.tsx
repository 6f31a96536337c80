// Operator: a process drawn in the browser (bpmn-js, a chunk of its own) or written as XML; tried on
// past cases; published, or refused with every fault and its line. The watermark of bpmn.io stays
// visible (its licence).
import { useRef, useState } from 'react';
import { App, Button, Input } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { send } from '../../../api/client';
import type { Process } from '../../../api/cases';
import type { List } from '../../../api/types';
import { FaultTable } from '../../../components/FaultTable';
import { PageHead } from '../../../components/PageHead';
import { useI18n } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';
import { saveFile } from '../../../lib/csv';
import BpmnEdit, { type BpmnEditHandle } from './BpmnEdit';

/** `begun` is what there was before anything was changed, when it comes back from a simulation. */
interface Props { name: string; xml: string; begun?: string; mayPublish: boolean; onClose: () => void; onSimulate: (name: string, xml: string) => void }

export default function ProcessEditor({ name: given, xml, begun = xml, mayPublish, onClose, onSimulate }: Props) {
  const { t } = useI18n();
  const { message, modal } = App.useApp();
  const client = useQueryClient();
  const { error, busy, attempt, clear } = useAttempt();
  const [name, setName] = useState(given);
  const [sent, setSent] = useState('');
  const edit = useRef<BpmnEditHandle>(null);
  const current = async () => (await edit.current?.xml()) ?? xml;
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
        <Button disabled={!mayPublish} onClick={() => { void current().then((text) => onSimulate(name, text)); }}>{t('sim.title')}</Button>
        <Button type="primary" loading={busy} disabled={!mayPublish} onClick={() => { void publish(); }}>{t('proc.publish')}</Button>
      </PageHead>
      {mayPublish ? null : <p className="muted">{t('proc.no_may')}</p>}
      <FaultTable error={error} xml={sent} title="proc.faults" onLine={(n) => edit.current?.toLine(n)} />
      <BpmnEdit ref={edit} xml={xml} onChange={clear}>
        <label>{t('proc.file_name')}<Input value={name} maxLength={100} onChange={(e) => setName(e.target.value)} /></label>
      </BpmnEdit>
    </>
  );
}
