// Desk, tasks: the words an act at a task needs: to whom, to which step, why. What the server refuses
// is said here, nothing typed is lost.
import { useState } from 'react';
import { Input, Modal, Radio, Select } from 'antd';
import type { Countersign, Countersigner, Task, TaskTarget, TaskVerb, TaskVerbName } from '../../../api/cases';
import { Faults } from '../../../components/Faults';
import { useI18n, type Key } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';
import { accounts } from '../../../lib/cases';
import { useOrganisations } from '../../../lib/organisations';
import { actAtTask, late, useRefresh, useSaid } from './ask';

type Asked = Exclude<TaskVerbName, 'claim' | 'release' | 'complete'>;
interface Props { task: Task; verb: Asked; signers: readonly Task[]; countersign: Countersign | null; targets: readonly TaskTarget[]; onClose: () => void }

/** How a signer is added: for an opinion, or as one more countersigner at this place. */
export type Joins = 'opinion' | 'next' | 'last';
interface Said { to: string; reason: string; joins?: Joins; of?: string }
const NEEDS_REASON: readonly Asked[] = ['send_back', 'return_to_starter'];

/** The act as it is sent, or what is still missing. */
export function taskVerb(verb: Asked, { to, reason, joins = 'opinion', of }: Said): TaskVerb | Key {
  const why = reason.trim();
  if (NEEDS_REASON.includes(verb) && !why) return 'task.need_reason';
  switch (verb) {
    case 'transfer': case 'delegate': return to.trim() ? { verb, to: to.trim(), reason: why } : 'task.need_to';
    case 'add_signer': return to.trim() ? { verb, to: to.trim(), reason: why, ...(joins === 'opinion' ? {} : { countersign: joins }) } : 'task.need_to';
    case 'circulate': return accounts(to).length ? { verb, to: accounts(to), reason: why } : 'task.need_to';
    case 'send_back': return to ? { verb, to, ...(of ? { case: of } : {}), reason: why } : 'task.need_node';
    case 'remove_signer': return to ? { verb, signer: to, reason: why } : 'task.need_signer';
    case 'return_to_starter': case 'withdraw': return { verb, reason: why };
    case 'urge': return { verb, words: why };
  }
}

/** The places one more may sign at; none where the task is of no countersign. */
export function placesOf(countersign: Countersign | null): readonly Joins[] {
  if (!countersign) return [];
  return countersign.sequential ? ['opinion', 'next', 'last'] : ['opinion', 'last'];
}

const keyOf = (target: TaskTarget): string => `${target.case} ${target.node}`;

/** Whom one may do without: those asked for an opinion, then countersigners who have not signed. */
function useRemovable(signers: readonly Task[], countersign: Countersign | null): { value: string; label: string }[] {
  const { t } = useI18n();
  const organisation = useOrganisations();
  const name = (one: Countersigner) => one.account ?? (one.organisation ? organisation(one.organisation) : t('tasks.nobody'));
  const opinions = signers.map((s) => ({ value: s.id, label: `${s.assignee ?? s.name} · ${t('task.kind.signer')}` }));
  const round = (countersign?.signers ?? []).filter((one) => one.removable);
  return [...opinions, ...round.map((one) => ({ value: one.signer, label: `${name(one)} · ${t(`countersign.${one.state}`)}` }))];
}

export function TaskDialog({ task, verb, signers, countersign, targets, onClose }: Props) {
  const { t } = useI18n();
  const { error, busy, attempt } = useAttempt();
  const refresh = useRefresh();
  const said = useSaid();
  const removable = useRemovable(signers, countersign);
  const places = verb === 'add_signer' ? placesOf(countersign) : [];
  const [to, setTo] = useState(verb === 'remove_signer' && removable.length === 1 ? (removable[0]?.value ?? '') : '');
  const [reason, setReason] = useState('');
  const [joins, setJoins] = useState<Joins>(places.length ? 'last' : 'opinion');
  const [missing, setMissing] = useState<Key | null>(null);
  const finish = async () => {
    const target = verb === 'send_back' ? targets.find((one) => keyOf(one) === to) : undefined;
    const made = taskVerb(verb, target ? { to: target.node, reason, of: target.case === task.case ? undefined : target.case } : { to, reason, joins });
    setMissing(typeof made === 'string' ? made : null);
    if (typeof made === 'string') return;
    const done = await attempt(async () => said(await actAtTask(task, made), verb));
    await refresh();
    if (done) onClose();
  };
  const person = verb === 'transfer' || verb === 'delegate' || verb === 'add_signer' || verb === 'circulate';
  const reasonLabel = verb === 'urge' ? t('task.words') : verb === 'add_signer' ? t('task.asked') : t('task.reason');
  const targetName = (one: TaskTarget) => (one.case === task.case ? one.name || one.node : t('task.to_caller', { process: one.process || one.number, number: one.number, step: one.name || one.node }));
  const ends = verb === 'send_back' && targets.some((one) => keyOf(one) === to && one.case !== task.case);
  return (
    <Modal open title={`${t(`task.${verb}`)} · ${task.number}`} onCancel={onClose} onOk={() => { void finish(); }} confirmLoading={busy} okText={t('verb.confirm')} cancelText={t('verb.cancel')} destroyOnHidden closable={{ 'aria-label': t('verb.close_dialog') }}>
      <div className="stack">
        <p className="muted">{t(places.length ? 'task.help.add_countersigner' : `task.help.${verb}`)}</p>
        {places.length ? (
          <fieldset className="plain-fieldset">
            <legend>{t('countersign.joins')}</legend>
            <Radio.Group className="stack" value={joins} onChange={(e) => setJoins(e.target.value as Joins)}>
              {places.map((place) => <Radio key={place} value={place}>{t(place === 'last' && !countersign?.sequential ? 'countersign.as_signer' : `countersign.as_${place}`)}</Radio>)}
            </Radio.Group>
          </fieldset>
        ) : null}
        {person ? <label className="stack">{t(verb === 'circulate' ? 'task.to_many' : 'task.to')}<Input autoFocus name="to" autoComplete="off" value={to} onChange={(e) => setTo(e.target.value)} status={missing === 'task.need_to' ? 'error' : undefined} /></label> : null}
        {verb === 'send_back' ? (
          targets.length ? <label className="stack">{t('task.to_node')}<Select aria-label={t('task.to_node')} value={to || undefined} onChange={setTo} status={missing === 'task.need_node' ? 'error' : undefined} options={targets.map((one) => ({ value: keyOf(one), label: targetName(one) }))} /></label>
            : <p className="muted">{t('task.no_passed')}</p>
        ) : null}
        {ends ? <p role="status">{t('task.ends_case', { number: task.number })}</p> : null}
        {verb === 'remove_signer' ? <label className="stack">{t('task.signer')}<Select aria-label={t('task.signer')} value={to || undefined} onChange={setTo} options={removable} /></label> : null}
        <label className="stack">{reasonLabel}{NEEDS_REASON.includes(verb) ? null : <span className="muted small"> {t('task.optional')}</span>}<Input.TextArea autoFocus={!person && verb !== 'send_back' && verb !== 'remove_signer'} rows={3} maxLength={500} value={reason} onChange={(e) => setReason(e.target.value)} status={missing === 'task.need_reason' ? 'error' : undefined} /></label>
        {missing ? <p className="error-text" role="alert">{t(missing)}</p> : null}
        <Faults error={error} />
        {late(error) ? <p className="muted">{t('task.late_help')}</p> : null}
      </div>
    </Modal>
  );
}
