// Portal: proving one's identity on line: the document, check, the answer.
import { useState, type FormEvent } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { send } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import type { Mine } from '../../../api/types';
import { DocumentFields, noDocument } from '../../../components/DocumentFields';
import { Answers, FormFault, useAct } from '../../../components/Inputs';
import { PageHead } from '../../../components/PageHead';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';

export default function Identity() {
  const { t } = useI18n();
  const client = useQueryClient();
  const mine = useApi<Mine>('/me');
  const [claim, setClaim] = useState(noDocument);
  const [checking, setChecking] = useState(false);
  const [done, setDone] = useState(false);
  const act = useAct();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!checking) { act.clear(); return setChecking(true); }
    const answer = await act.run(() => send('POST', '/me/identity', claim));
    if (answer === undefined) return setChecking(false);
    setDone(true);
    setClaim(noDocument);
    void client.invalidateQueries();
  };
  const edit = () => setChecking(false);
  return (
    <div className="one-thing">
      <PageHead title={t(checking && !done ? 'proof.check' : 'proof.title')} back={{ to: '/portal/me', text: t('me.title') }} />
      <View query={mine}>
        {(me) => {
          if (done) return <section className="card stack"><div className="confirmed" role="status"><p>{t('proof.done')}</p><p>{t('party.level_2')}</p></div><p><Link className="button strong" to="/portal/me">{t('me.title')}</Link></p></section>;
          if (!me.means.online_proof) return <section className="card"><p>{t('proof.unavailable')}</p></section>;
          if (me.level < 1) return <section className="card stack"><p>{t('me.raise_1')}</p><p><Link className="button strong" to="/portal/me/phone">{t('phone.title')}</Link></p></section>;
          return (
            <form className="card stack" noValidate onSubmit={(e) => { void submit(e); }}>
              {me.means.demonstration ? <p className="stale">{t('party.demo_note')}</p> : null}
              <FormFault error={act.error} shown={['document', 'number', 'name', 'birth']} />
              {checking ? (
                <Answers rows={[
                  { label: t('proof.document'), value: t(`proof.${claim.document}`), onChange: edit },
                  { label: t('proof.number'), value: claim.number, onChange: edit },
                  { label: t('proof.name'), value: claim.name, onChange: edit },
                  ...(claim.document === 'passport' ? [{ label: t('proof.birth'), value: claim.birth, onChange: edit }] : []),
                ]} />
              ) : <><p>{t('proof.help')}</p><DocumentFields value={claim} onChange={setClaim} error={act.error} /></>}
              <button type="submit" className="button strong wide" disabled={act.busy}>{act.busy ? t('state.loading') : t(checking ? 'proof.submit' : 'party.next')}</button>
              {checking ? <button type="button" className="link" onClick={edit}>{t('party.back')}</button> : null}
            </form>
          );
        }}
      </View>
    </div>
  );
}
