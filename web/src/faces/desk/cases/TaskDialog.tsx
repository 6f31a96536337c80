// Desk, tasks: the words an act at a task needs: to whom, to which step, why. What the server refuses
// is said here, nothing typed is lost.
import { useState } from 'react';
import { Input, Modal, Select } from 'antd';
import type { Task, TaskVerb, TaskVerbName } from '../../../api/cases';
import { Faults } from '../../../components/Faults';
import { useI18n, type Key } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';
import { accounts } from '../../../lib/cases';
import { actAtTask, late, useRefresh, useSaid } from './ask';

type Asked = Exclude<TaskVerbName, 'claim' | 'release' | 'complete'>;
interface Props { task: Task; verb: Asked; signers: readonly Task[]; steps: readonly { id: string; name: string }[]; onClose: () => void }

interface Said { to: string; reason: string }
const NEEDS_REASON: readonly Asked[] = ['send_back', 'return_to_starter'];

/** The act as it is sent, or what is still missing. */
export function taskVerb(verb: Asked, { to, reason }: Said): TaskVerb | Key {
  const why = reason.trim();
  if (NEEDS_REASON.includes(verb) && !why) return 'task.need_reason';
  switch (verb) {
    case 'transfer': case 'delegate': case 'add_signer': return to.trim() ? { verb, to: to.trim(), reason: why } : 'task.need_to';
    case 'circulate': return accounts(to).length ? { verb, to: accounts(to), reason: why } : 'task.need_to';
    case 'send_back': return to ? { verb, to, reason: why } : 'task.need_node';
    case 'remove_signer': return to ? { verb, signer: to } : 'task.need_signer';
    case 'return_to_starter': case 'withdraw': return { verb, reason: why };
    case 'urge': return { verb, words: why };
  }
}

export function TaskDialog({ task, verb, signers, steps, onClose }: Props) {
  const { t } = useI18n();
  const { error, busy, attempt } = useAttempt();
  const refresh = useRefresh();
  const said = useSaid();
  const [to, setTo] = useState(verb === 'remove_signer' && signers.length === 1 ? (signers[0]?.id ?? '') : '');
  const [reason, setReason] = useState('');
  const [missing, setMissing] = useState<Key | null>(null);
  const finish = async () => {
    const made = taskVerb(verb, { to, reason });
    setMissing(typeof made === 'string' ? made : null);
    if (typeof made === 'string') return;
    const done = await attempt(async () => said(await actAtTask(task, made), verb));
    await refresh();
    if (done) onClose();
  };
  const person = verb === 'transfer' || verb === 'delegate' || verb === 'add_signer' || verb === 'circulate';
  const reasonLabel = verb === 'urge' ? t('task.words') : verb === 'add_signer' ? t('task.asked') : t('task.reason');
  return (
    <Modal open title={`${t(`task.${verb}`)} · ${task.number}`} onCancel={onClose} onOk={() => { void finish(); }} confirmLoading={busy} okText={t('verb.confirm')} cancelText={t('verb.cancel')} destroyOnHidden closable={{ 'aria-label': t('verb.close_dialog') }}>
      <div className="stack">
        <p className="muted">{t(`task.help.${verb}`)}</p>
        {person ? <label className="stack">{t(verb === 'circulate' ? 'task.to_many' : 'task.to')}<Input autoFocus name="to" autoComplete="off" value={to} onChange={(e) => setTo(e.target.value)} status={missing === 'task.need_to' ? 'error' : undefined} /></label> : null}
        {verb === 'send_back' ? (
          steps.length ? <label className="stack">{t('task.to_node')}<Select aria-label={t('task.to_node')} value={to || undefined} onChange={setTo} status={missing === 'task.need_node' ? 'error' : undefined} options={steps.map((s) => ({ value: s.id, label: s.name }))} /></label>
            : <label className="stack">{t('task.to_node')}<Input autoFocus name="to" value={to} onChange={(e) => setTo(e.target.value)} /><span className="muted small">{t('task.no_passed')}</span></label>
        ) : null}
        {verb === 'remove_signer' ? <label className="stack">{t('task.signer')}<Select aria-label={t('task.signer')} value={to || undefined} onChange={setTo} options={signers.map((s) => ({ value: s.id, label: s.assignee ?? s.name }))} /></label> : null}
        {verb === 'remove_signer' ? null : <label className="stack">{reasonLabel}{NEEDS_REASON.includes(verb) ? null : <span className="muted small"> {t('task.optional')}</span>}<Input.TextArea autoFocus={!person && verb !== 'send_back'} rows={3} maxLength={500} value={reason} onChange={(e) => setReason(e.target.value)} status={missing === 'task.need_reason' ? 'error' : undefined} /></label>}
        {missing ? <p className="error-text" role="alert">{t(missing)}</p> : null}
        <Faults error={error} />
        {late(error) ? <p className="muted">{t('task.late_help')}</p> : null}
      </div>
    </Modal>
  );
}
