// Desk, tasks: the words an act at several tasks needs: to whom and why, or the opinion they are all done
// with. Each task has an outcome of its own; what failed stays selected.
import { useState } from 'react';
import { Input, Modal } from 'antd';
import type { Data, Task, TaskVerb } from '../../../api/cases';
import { Faults } from '../../../components/Faults';
import { useI18n, type Key } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';
import { actAtTasks, type BatchDone } from './ask';

export type BatchVerb = 'complete' | 'transfer';

/** The act as it is sent, or what is still missing. */
export function batchVerb(verb: BatchVerb, to: string, words: string): TaskVerb | Key {
  const said = words.trim();
  if (verb === 'transfer') return to.trim() ? { verb, to: to.trim(), reason: said } : 'task.need_to';
  const data: Data = said ? { opinion: said } : {};
  return { verb, data };
}

interface Props { tasks: readonly Task[]; verb: BatchVerb; onClose: () => void; onDone: (done: BatchDone) => void }

export function BatchDialog({ tasks, verb, onClose, onDone }: Props) {
  const { t } = useI18n();
  const { error, busy, attempt } = useAttempt();
  const [to, setTo] = useState('');
  const [words, setWords] = useState('');
  const [missing, setMissing] = useState<Key | null>(null);
  const finish = async () => {
    const made = batchVerb(verb, to, words);
    setMissing(typeof made === 'string' ? made : null);
    if (typeof made === 'string') return;
    if (await attempt(async () => onDone(await actAtTasks(tasks, made)))) onClose();
  };
  return (
    <Modal open title={`${t(`task.${verb}`)} · ${t('tasks.batch', { n: tasks.length })}`} onCancel={onClose} onOk={() => { void finish(); }} confirmLoading={busy} okText={t('verb.confirm')} cancelText={t('verb.cancel')} destroyOnHidden closable={{ 'aria-label': t('verb.close_dialog') }}>
      <div className="stack">
        <p className="muted">{t(verb === 'complete' ? 'tasks.help_complete' : 'task.help.transfer')}</p>
        {verb === 'transfer' ? <label className="stack">{t('task.to')}<Input autoFocus name="to" autoComplete="off" value={to} onChange={(e) => setTo(e.target.value)} status={missing ? 'error' : undefined} /></label> : null}
        <label className="stack">{t(verb === 'complete' ? 'tasks.opinion' : 'task.reason')}<span className="muted small"> {t('task.optional')}</span><Input.TextArea autoFocus={verb === 'complete'} rows={3} maxLength={500} value={words} onChange={(e) => setWords(e.target.value)} /></label>
        {missing ? <p className="error-text" role="alert">{t(missing)}</p> : null}
        <Faults error={error} />
      </div>
    </Modal>
  );
}
