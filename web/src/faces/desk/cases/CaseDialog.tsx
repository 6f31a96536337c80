// Desk, cases: what an act at a whole case needs: a reason, the law that stops its clock, what is set.
import { useState } from 'react';
import { Input, Modal, Select } from 'antd';
import { PAUSES, type CaseFile, type CaseVerb, type CaseVerbName, type PauseKind } from '../../../api/cases';
import { Faults } from '../../../components/Faults';
import { ValueEditor } from '../../../components/ValueEditor';
import { useI18n, type Key } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';
import { readRows, rowOf, type ValueFault, type ValueRow } from '../../../lib/cases';
import { actAtCase, late, useRefresh } from './ask';

export interface CaseSaid { reason: string; kind: PauseKind; basis: string; note: string; token: number | null; to: string }

/** The act as it is sent, or what is still missing. `set` is made from the editor, not here. */
export function caseVerb(verb: Exclude<CaseVerbName, 'set'>, said: CaseSaid): CaseVerb | Key {
  const reason = said.reason.trim();
  switch (verb) {
    case 'resume': case 'unpause': case 'retry': return { verb };
    case 'suspend': case 'cancel': return reason ? { verb, reason } : 'task.need_reason';
    case 'pause': return said.basis.trim() ? { verb, kind: said.kind, basis: said.basis.trim(), note: said.note.trim() } : 'case.need_basis';
    case 'move': {
      if (said.token === null || !said.to) return 'task.need_node';
      return reason ? { verb, token: said.token, to: said.to, reason } : 'task.need_reason';
    }
  }
}

export function CaseDialog({ file, verb, steps, nameOf, onClose, onDone }: { file: CaseFile; verb: CaseVerbName; steps: readonly { id: string; name: string }[]; nameOf: (node: string) => string; onClose: () => void; onDone: () => void }) {
  const { t } = useI18n();
  const { error, busy, attempt } = useAttempt();
  const refresh = useRefresh();
  const [said, setSaid] = useState<CaseSaid>({ reason: '', kind: 'supplement', basis: '', note: '', token: file.marks.length === 1 ? (file.marks[0]?.token ?? null) : null, to: '' });
  const [missing, setMissing] = useState<Key | null>(null);
  const [rows, setRows] = useState<ValueRow[]>(() => Object.entries(file.data).map(([name, value]) => rowOf(name, value)));
  const [faults, setFaults] = useState<ValueFault[]>([]);
  const put = (part: Partial<CaseSaid>) => setSaid({ ...said, ...part });
  const made = (): CaseVerb | Key | null => {
    if (verb !== 'set') return caseVerb(verb, said);
    const read = readRows(rows);
    setFaults(read.faults);
    // What was not changed is not set again.
    const data = Object.fromEntries(Object.entries(read.data).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(file.data[name])));
    return read.faults.length ? null : { verb, data };
  };
  const finish = async () => {
    const what = made();
    setMissing(typeof what === 'string' ? what : null);
    if (what === null || typeof what === 'string') return;
    const done = await attempt(() => actAtCase(file.case, what));
    await refresh();
    if (done) onDone();
  };
  const reasoned = verb === 'suspend' || verb === 'cancel' || verb === 'move';
  return (
    <Modal open width={verb === 'set' ? 720 : undefined} title={`${t(`case.${verb}`)} · ${file.case.number}`} onCancel={onClose} onOk={() => { void finish(); }} confirmLoading={busy} okButtonProps={{ danger: verb === 'cancel' }} okText={t('verb.confirm')} cancelText={t('verb.cancel')} destroyOnHidden closable={{ 'aria-label': t('verb.close_dialog') }}>
      <div className="stack">
        <p className="muted">{t(`case.help.${verb}`)}</p>
        {verb === 'pause' ? (
          <>
            <label className="stack">{t('case.kind')}<Select<PauseKind> aria-label={t('case.kind')} value={said.kind} onChange={(kind) => put({ kind })} options={PAUSES.map((k) => ({ value: k, label: t(`pause.${k}`) }))} /></label>
            <label className="stack">{t('case.basis')}<Input name="basis" placeholder={t('case.basis_help')} maxLength={200} value={said.basis} status={missing ? 'error' : undefined} onChange={(e) => put({ basis: e.target.value })} /></label>
            <label className="stack">{t('case.note')}<Input.TextArea rows={2} maxLength={500} value={said.note} onChange={(e) => put({ note: e.target.value })} /></label>
          </>
        ) : null}
        {verb === 'move' ? (
          <>
            <label className="stack">{t('case.move_from')}<Select aria-label={t('case.move_from')} value={said.token ?? undefined} onChange={(token: number) => put({ token })} options={file.marks.map((m) => ({ value: m.token, label: `${nameOf(m.node)} (${m.token})` }))} /></label>
            <label className="stack">{t('case.move_to')}<Select aria-label={t('case.move_to')} showSearch optionFilterProp="label" value={said.to || undefined} onChange={(to: string) => put({ to })} options={steps.map((s) => ({ value: s.id, label: s.name }))} /></label>
          </>
        ) : null}
        {verb === 'set' ? <ValueEditor rows={rows} onChange={setRows} faults={faults} /> : null}
        {reasoned ? <label className="stack">{t('case.reason')}<Input.TextArea autoFocus={verb !== 'move'} rows={3} maxLength={500} value={said.reason} status={missing === 'task.need_reason' ? 'error' : undefined} onChange={(e) => put({ reason: e.target.value })} /></label> : null}
        {missing ? <p className="error-text" role="alert">{t(missing)}</p> : null}
        {faults.length ? <p className="error-text" role="alert">{t('value.faults', { n: faults.length })}</p> : null}
        <Faults error={error} />
        {late(error) ? <p className="muted">{t('task.late_help')}</p> : null}
      </div>
    </Modal>
  );
}
