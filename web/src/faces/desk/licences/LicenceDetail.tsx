// Desk: one licence as its issuer sees it, its history and uses, and the changes that are allowed
// now. Opening it is a use that its holder sees, so it is not asked again by itself.
import { useState, type FormEvent } from 'react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { get, send, type ApiError } from '../../../api/client';
import { useLicenceTypes, type Licence, type LicenceState, type Looked } from '../../../api/licences';
import { FormFault, SelectField, TextField, useAct } from '../../../components/Inputs';
import { LicenceContent, LicenceSteps, LicenceUses } from '../../../components/Licence';
import { PageHead } from '../../../components/PageHead';
import { PrintLicence } from '../../../components/PrintLicence';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { CHANGES, standing } from '../../../lib/licences';
import { useSession } from '../../../shell/session';
import { useStepUp } from '../../../shell/StepUp';
import { ReissueForm } from './Reissue';

const REASON = { min: 2, max: 200 };

function ChangeForm({ licence, path, onChanged, onReload }: { licence: Licence; path: string; onChanged: (after: Licence) => void; onReload: () => void }) {
  const { t } = useI18n();
  const { may } = useSession();
  const act = useAct();
  const stepUp = useStepUp();
  const open = CHANGES.filter((c) => c.from.includes(licence.state));
  const [picked, setPicked] = useState<LicenceState | null>(null);
  const [reason, setReason] = useState('');
  const [sure, setSure] = useState(false);
  const [wrong, setWrong] = useState<{ reason?: string; sure?: string }>({});
  const change = open.find((c) => c.to === picked) ?? open[0];
  if (!may('write', 'licences')) return <p className="muted">{t('lic.desk_no_write')}</p>;
  if (!change) return <p>{t('lic.change_over', { state: t(`lic.state_${licence.state}`) })}</p>;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const length = [...reason.trim()].length;
    const found = { ...(length < REASON.min || length > REASON.max ? { reason: t('lic.change_need_reason') } : {}), ...(change.final && !sure ? { sure: t('lic.change_need_sure') } : {}) };
    setWrong(found);
    if (Object.keys(found).length) return act.clear();
    const after = await act.run(() => stepUp.attempt(() => send<Licence>('POST', `${path}/change`, { to: change.to, reason: reason.trim(), version: licence.version })));
    if (!after) return;
    setReason('');
    setSure(false);
    setPicked(null);
    onChanged(after);
  };
  return (
    <>
      <form className="stack" noValidate onSubmit={(e) => { void submit(e); }}>
        <FormFault error={act.error} shown={['reason']} />
        {act.error?.code === 'input.stale' ? <p className="stale">{t('lic.change_stale')} <button type="button" className="link" onClick={onReload}>{t('lic.change_reload')}</button></p> : null}
        <SelectField name="to" label={t('lic.change')} value={change.to} onChange={(to) => { setPicked(to as LicenceState); setSure(false); }} choices={open.map((c) => ({ value: c.to, text: t(`lic.change_${c.to}` as 'lic.change_suspended') }))} />
        <TextField name="reason" label={t('lic.change_reason')} hint={t('lic.change_reason_help')} error={act.error} wrong={wrong.reason ?? null} value={reason} maxLength={REASON.max} onChange={(e) => setReason(e.target.value)} />
        {change.final ? (
          <div className="checks">
            {wrong.sure ? <p id="sure-fault" className="error-text">{wrong.sure}</p> : null}
            <label><input type="checkbox" name="sure" checked={sure} aria-invalid={wrong.sure ? true : undefined} aria-describedby={wrong.sure ? 'sure-fault' : undefined} onChange={(e) => setSure(e.target.checked)} /><span>{t('lic.change_sure')}</span></label>
          </div>
        ) : null}
        <p><button type="submit" className="button strong" disabled={act.busy}>{t('lic.change_go')}</button></p>
      </form>
      {stepUp.dialog}
    </>
  );
}

export default function LicenceDetail() {
  const { t, w } = useI18n();
  const { identifier = '' } = useParams();
  const client = useQueryClient();
  const path = `/licences/${encodeURIComponent(identifier)}`;
  const query = useQuery<Looked, ApiError>({ queryKey: [path, 'look'], queryFn: ({ signal }) => get<Looked>(path, undefined, signal), staleTime: 60_000 });
  const { types } = useLicenceTypes();
  const [changed, setChanged] = useState<Licence | null>(null);
  const again = () => {
    void query.refetch();
    void client.invalidateQueries({ queryKey: ['/licences'] });
  };
  const kind = query.data?.licence.kind;
  return (
    <>
      <PageHead title={query.data ? w(query.data.licence.title) : t('lic.one')} sub={<code className="licence-code">{identifier}</code>} back={{ to: kind ? `/desk/licences?type=${encodeURIComponent(kind)}` : '/desk/licences', text: t('lic.desk') }} />
      <View query={query}>
        {(d) => {
          const type = types.get(d.licence.kind);
          return (
            <div className="grid side">
              <div>
                <section className="card stack" aria-labelledby="content"><h2 id="content">{d.licence.holder.name}</h2><LicenceContent licence={d.licence} type={type} link={(other) => <Link className="licence-code" to={`/desk/licences/${encodeURIComponent(other)}`}>{other}</Link>} /></section>
                <section className="card stack" aria-labelledby="uses"><h2 id="uses">{t('lic.uses')}</h2><LicenceUses uses={d.uses} type={type} /></section>
              </div>
              <div>
                <section className="card stack" aria-labelledby="change">
                  <h2 id="change">{t('lic.change')}</h2>
                  <p className="muted small">{t('lic.version')} {d.licence.version}</p>
                  {changed ? <p role="status" className="confirmed">{t('lic.change_done', { state: t(`lic.state_${changed.state}`), n: changed.version })}</p> : null}
                  <ChangeForm key={d.licence.version} licence={d.licence} path={path} onReload={() => { setChanged(null); again(); }} onChanged={(after) => { setChanged(after); client.setQueryData<Looked>([path, 'look'], (before) => (before ? { ...before, licence: after } : before)); again(); }} />
                </section>
                {type && d.licence.state === 'in_force' ? <section className="card stack" aria-labelledby="reissue"><h2 id="reissue">{t('lic.reissue')}</h2><ReissueForm key={d.licence.version} licence={d.licence} type={type} path={path} onReload={again} /></section> : null}
                <PrintLicence licence={d.licence} verdict={standing(d.licence, Date.now())} type={type} path={path} />
                <section className="card stack" aria-labelledby="history"><h2 id="history">{t('lic.history')}</h2><LicenceSteps steps={d.steps} /></section>
              </div>
            </div>
          );
        }}
      </View>
    </>
  );
}
