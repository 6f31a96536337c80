// Desk, applications: the words a verb needs: reason and law, to whom, how it was delivered or paid.
// Everything missing is named at once; nothing typed is lost when the server refuses.
import { useState } from 'react';
import { Checkbox, Input, Modal, Select } from 'antd';
import { actClerk, type ApplicationFile } from '../../../api/applications';
import { Faults } from '../../../components/Faults';
import { useI18n, type Key } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';
import { clerkAct, isAct, nothingSaid, yuan, type Said, type SimpleVerb } from '../../../lib/matter';
import { useOrganisationList } from '../../../lib/organisations';
import { Conflict } from './Conflict';

export function ClerkDialog({ file, verb, onClose, onDone }: { file: ApplicationFile; verb: SimpleVerb; onClose: () => void; onDone: () => void }) {
  const { t, w } = useI18n();
  const { error, busy, attempt } = useAttempt();
  const organisations = useOrganisationList();
  const open = file.bills.filter((bill) => bill.state === 'open');
  // After the answer comes the visit: what it showed is added to the answer.
  const again = verb === 'answer' && file.rating?.answer != null;
  const [said, setSaid] = useState<Said>({ ...nothingSaid, bill: open.length === 1 ? (open[0]?.id ?? '') : '', visited: again });
  const [missing, setMissing] = useState<Partial<Record<keyof Said, Key>>>({});
  const put = (part: Partial<Said>) => setSaid({ ...said, ...part });
  const finish = async () => {
    const made = clerkAct(file.application, verb, said);
    setMissing(isAct(made) ? {} : made);
    if (isAct(made) && (await attempt(() => actClerk(file.application, made)))) onDone();
  };
  const post = file.application.delivery?.way === 'post';
  const field = (name: keyof Said) => ({ id: `clerk-${name}`, status: missing[name] ? 'error' as const : undefined, 'aria-invalid': missing[name] ? true : undefined, 'aria-describedby': missing[name] ? `clerk-${name}-fault` : undefined });
  const fault = (name: keyof Said) => { const key = missing[name]; return key ? <p id={`clerk-${name}-fault`} className="error-text small" role="alert">{t(key)}</p> : null; };
  const area = (name: 'note' | 'reason' | 'text', rows = 3) => <div className="stack"><label htmlFor={`clerk-${name}`}>{t(name === 'text' ? (again ? 'matter.visit_text' : 'matter.answer_text') : `matter.${name}`)}</label><Input.TextArea {...field(name)} rows={rows} maxLength={500} value={said[name]} onChange={(e) => put({ [name]: e.target.value })} />{fault(name)}</div>;
  const line = (name: 'basis' | 'tracking' | 'taken_by' | 'reference') => <div className="stack"><label htmlFor={`clerk-${name}`}>{t(`matter.${name}`)}</label><p className="muted small">{t(`matter.help_${name}`)}</p><Input {...field(name)} maxLength={200} value={said[name]} onChange={(e) => put({ [name]: e.target.value })} />{fault(name)}</div>;
  return (
    <Modal open title={`${t(`matter.${verb}`)} · ${file.application.number}`} onCancel={onClose} onOk={() => { void finish(); }} confirmLoading={busy} okButtonProps={{ danger: verb === 'not_accept' }} okText={t('verb.confirm')} cancelText={t('verb.cancel')} destroyOnHidden closable={{ 'aria-label': t('verb.close_dialog') }}>
      <div className="stack">
        <p className="muted">{t(verb === 'accept' && file.parts.length ? 'matter.about_accept_whole' : `matter.about_${verb}`)}</p>
        {verb === 'accept' ? area('note') : null}
        {verb === 'not_accept' ? <>{area('reason')}{line('basis')}</> : null}
        {verb === 'transfer' ? (
          <>
            <div className="stack"><label htmlFor="clerk-organisation">{t('matter.to_organisation')}</label>
              {organisations.length
                ? <Select {...field('organisation')} aria-label={t('matter.to_organisation')} showSearch optionFilterProp="label" value={said.organisation || undefined} onChange={(organisation: string) => put({ organisation })} options={organisations.filter((o) => o.code !== file.application.organisation).map((o) => ({ value: o.code, label: w(o.title) }))} />
                : <Input {...field('organisation')} value={said.organisation} onChange={(e) => put({ organisation: e.target.value })} />}
              {fault('organisation')}</div>
            {area('reason')}
          </>
        ) : null}
        {verb === 'deliver' ? line(post ? 'tracking' : 'taken_by') : null}
        {verb === 'paid' ? (
          <>
            <div className="stack"><label htmlFor="clerk-bill">{t('matter.bill')}</label>
              <Select {...field('bill')} aria-label={t('matter.bill')} value={said.bill || undefined} onChange={(bill: string) => put({ bill })} options={open.map((b) => ({ value: b.id, label: `${w(b.title)} ${yuan(b.fen)}` }))} />{fault('bill')}</div>
            {line('reference')}
          </>
        ) : null}
        {verb === 'answer' ? <>{area('text', 4)}<Checkbox checked={said.visited} disabled={again} onChange={(e) => put({ visited: e.target.checked })}>{t('matter.visited')}</Checkbox></> : null}
        <Conflict error={error} />
        <Faults error={error} />
      </div>
    </Modal>
  );
}
