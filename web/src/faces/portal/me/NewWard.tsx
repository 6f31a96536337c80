// Portal: entering a minor as one's ward, verified with the household register.
import { useState, type FormEvent } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { send } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import type { Mine } from '../../../api/types';
import { DocumentFields, noDocument } from '../../../components/DocumentFields';
import { FormFault, TextField, useAct } from '../../../components/Inputs';
import { PageHead } from '../../../components/PageHead';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';

export default function NewWard() {
  const { t } = useI18n();
  const client = useQueryClient();
  const mine = useApi<Mine>('/me');
  const [identity, setIdentity] = useState(noDocument);
  const [evidence, setEvidence] = useState('');
  const [done, setDone] = useState(false);
  const act = useAct();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if ((await act.run(() => send('POST', '/me/wards', { identity, evidence }))) === undefined) return;
    setDone(true);
    void client.invalidateQueries();
  };
  return (
    <div className="one-thing">
      <PageHead title={t('ward.title')} back={{ to: '/portal/me', text: t('me.title') }} />
      <View query={mine}>
        {(me) => (done ? (
          <section className="card stack"><div className="confirmed" role="status"><p>{t('ward.done')}</p></div><p><Link className="button strong" to="/portal/me">{t('me.title')}</Link></p></section>
        ) : (
          <form className="card stack" noValidate onSubmit={(e) => { void submit(e); }}>
            {me.means.demonstration ? <p className="stale">{t('party.demo_note')}</p> : null}
            <p>{t('ward.help')}</p>
            <FormFault error={act.error} shown={['number', 'name', 'document', 'birth', 'evidence']} />
            <DocumentFields value={identity} onChange={setIdentity} error={act.error} prefix="ward-" />
            <TextField name="evidence" label={t('ward.evidence')} value={evidence} error={act.error} maxLength={100} onChange={(e) => setEvidence(e.target.value)} />
            <button type="submit" className="button strong wide" disabled={act.busy}>{act.busy ? t('state.loading') : t('ward.submit')}</button>
          </form>
        ))}
      </View>
    </div>
  );
}
