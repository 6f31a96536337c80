// Desk: a licence issued in place of another: what is to be corrected, until when, and why; the
// rest stays. The former is replaced with it.
import { useState, type FormEvent } from 'react';
import { useNavigate } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { send } from '../../../api/client';
import { type Licence, type LicenceType } from '../../../api/licences';
import { FormFault, TextField, useAct } from '../../../components/Inputs';
import { useI18n, type Fill, type Key } from '../../../i18n';
import { changesOf } from '../../../lib/licenceRows';
import { lastDay } from '../../../lib/licences';
import { useSession } from '../../../shell/session';
import { useStepUp } from '../../../shell/StepUp';
import { FieldInput } from './Issue';

export function ReissueForm({ licence, type, path, onReload }: { licence: Licence; type: LicenceType; path: string; onReload: () => void }) {
  const { t } = useI18n();
  const { may } = useSession();
  const navigate = useNavigate();
  const client = useQueryClient();
  const act = useAct();
  const stepUp = useStepUp();
  const [open, setOpen] = useState(false);
  const [values, setValues] = useState<Record<string, string>>(() => Object.fromEntries(type.fields.map((f) => [f.name, licence.fields[f.name] === undefined ? '' : String(licence.fields[f.name])])));
  const [name, setName] = useState(licence.holder.name);
  const [to, setTo] = useState(lastDay(licence.valid_to) ?? '');
  const [reason, setReason] = useState('');
  const [wrong, setWrong] = useState<Record<string, { key: Key; fill?: Fill }>>({});
  if (!may('write', 'licences')) return <p className="muted">{t('lic.desk_no_write')}</p>;
  if (!open) return <><p className="muted small">{t('lic.reissue_help')}</p><p><button type="button" className="button" onClick={() => setOpen(true)}>{t('lic.reissue_open')}</button></p></>;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const found = changesOf(type, licence.fields, values);
    const short = [...reason.trim()].length < 2;
    setWrong({ ...found.wrong, ...(short ? { reason: { key: 'lic.change_need_reason' as const } } : {}) });
    if (short || Object.keys(found.wrong).length) return act.clear();
    const body = {
      reason: reason.trim(), fields: found.fields, version: licence.version,
      ...(name.trim() !== licence.holder.name ? { holder_name: name.trim() } : {}),
      ...(to && to !== lastDay(licence.valid_to) ? { valid_to: to } : {}),
    };
    const made = await act.run(() => stepUp.attempt(() => send<Licence>('POST', `${path}/reissue`, body)));
    if (!made) return;
    void client.invalidateQueries({ queryKey: ['/licences'] });
    onReload();
    void navigate(`/desk/licences/${encodeURIComponent(made.identifier)}`);
  };
  const say = (at: string) => { const fault = wrong[at]; return fault ? t(fault.key, fault.fill) : null; };
  const shown = ['reason', 'valid_to', 'holder/name', ...type.fields.map((f) => `fields/${f.name}`)];
  return (
    <>
      <form className="stack" noValidate onSubmit={(e) => { void submit(e); }}>
        <FormFault error={act.error} shown={shown} />
        {act.error?.code === 'input.stale' ? <p className="stale">{t('lic.change_stale')} <button type="button" className="link" onClick={onReload}>{t('lic.change_reload')}</button></p> : null}
        <TextField name="holder_name" at="holder/name" label={t('lic.issue_name')} error={act.error} value={name} maxLength={100} autoComplete="off" onChange={(e) => setName(e.target.value)} />
        {type.fields.map((field) => <FieldInput key={field.name} field={field} within="" value={values[field.name] ?? ''} onChange={(value) => setValues((before) => ({ ...before, [field.name]: value }))} error={act.error} wrong={say(field.name)} />)}
        <TextField name="valid_to" label={t('lic.reissue_to')} type="date" error={act.error} value={to} onChange={(e) => setTo(e.target.value)} />
        <TextField name="reason" label={t('lic.change_reason')} error={act.error} wrong={say('reason')} value={reason} maxLength={200} onChange={(e) => setReason(e.target.value)} />
        <p className="row"><button type="submit" className="button strong" disabled={act.busy}>{t('lic.reissue_go')}</button><button type="button" className="button" onClick={() => setOpen(false)}>{t('lic.reissue_close')}</button></p>
      </form>
      {stepUp.dialog}
    </>
  );
}
