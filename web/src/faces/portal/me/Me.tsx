// Portal: my identity: the level with how to raise it, what is held about me, my enterprises and
// agents, wards and guardians, and for whom I act now.
import { useState } from 'react';
import { Link } from 'react-router';
import { send } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import type { Mine, PartyInFull, PartyTie } from '../../../api/types';
import { FormFault, useAct } from '../../../components/Inputs';
import { PageHead } from '../../../components/PageHead';
import { Steps } from '../../../components/Steps';
import { View } from '../../../components/View';
import { useI18n, type Key } from '../../../i18n';
import { useStepUp } from '../../../shell/StepUp';
import { ActingFor } from '../../account/ActingFor';
import { Ties } from './Ties';

function Level({ me }: { me: Mine }) {
  const { t } = useI18n();
  return (
    <section className="card stack" aria-labelledby="level">
      <h2 id="level">{t('me.level')}</h2>
      <ol className="level-line">{[0, 1, 2, 3].map((n) => <li key={n} aria-current={me.level === n ? 'step' : undefined}>{t(`party.level_${n}` as Key)}</li>)}</ol>
      {me.means.demonstration ? <p className="stale">{t('party.demo_note')}</p> : null}
      {me.level === 0 ? <p><Link className="button strong" to="/portal/me/phone">{t('me.raise_1')}</Link></p> : null}
      {me.level === 1 ? <p><Link className="button strong" to="/portal/me/identity">{t('me.raise_2')}</Link></p> : null}
      {me.level >= 1 && me.level < 3 ? <p>{t('me.raise_3')}</p> : null}
      {me.level === 3 ? <p>{t('me.top')}</p> : null}
      <details>
        <summary>{t('me.history')}</summary>
        <Steps steps={me.history} self={me.account} />
      </details>
    </section>
  );
}

function Held({ me }: { me: Mine }) {
  const { t } = useI18n();
  const stepUp = useStepUp();
  const act = useAct();
  const [full, setFull] = useState<PartyInFull | null>(null);
  const reveal = async () => {
    const answer = await act.run(() => stepUp.attempt(() => send<PartyInFull>('POST', '/me/reveal')));
    if (answer) setFull(answer);
  };
  return (
    <section className="card stack" aria-labelledby="held">
      <h2 id="held">{t('me.held')}</h2>
      <FormFault error={act.error?.code === 'access.step_up' ? null : act.error} />
      <dl className="facts">
        <dt>{t('me.name')}</dt><dd>{full?.identity?.name ?? me.person?.name ?? '—'}</dd>
        <dt>{t('me.number')}</dt><dd>{full?.identity?.number ?? me.person?.number ?? '—'}</dd>
        {full?.identity ? <><dt>{t('me.birth')}</dt><dd>{full.identity.birth}</dd></> : null}
        <dt>{t('me.phone')}</dt><dd>{full?.phone ?? me.phone ?? '—'}</dd>
      </dl>
      <p className="row">
        {full ? <button type="button" className="button" onClick={() => setFull(null)}>{t('me.hide')}</button> : me.phone || me.person ? <button type="button" className="button" disabled={act.busy} onClick={() => { void reveal(); }}>{t('me.reveal')}</button> : null}
        {me.level >= 1 ? <Link className="button" to="/portal/me/phone">{t('me.change_phone')}</Link> : null}
      </p>
      <p className="row"><Link to="/portal/my-data">{t('me.access')}</Link> <Link to="/portal/me/rights">{t('me.rights')}</Link></p>
      {stepUp.dialog}
    </section>
  );
}

function Lists({ me, ties }: { me: Mine; ties: PartyTie[] }) {
  const { t } = useI18n();
  const held = ties.filter((x) => x.side === 'holder');
  const over = ties.filter((x) => x.side === 'principal');
  const waiting = held.filter((x) => x.state === 'invited');
  const enterprises = held.filter((x) => x.tie === 'representative');
  const agencies = held.filter((x) => x.tie === 'agent' && x.state !== 'invited');
  const wards = held.filter((x) => x.tie.startsWith('guardian') && x.state !== 'invited');
  const firms = new Set(enterprises.map((x) => x.principal));
  const agents = over.filter((x) => x.tie === 'agent' && firms.has(x.principal));
  const mine = over.filter((x) => !firms.has(x.principal));
  const part = (id: string, title: Key, body: React.ReactNode) => <section className="card stack" aria-labelledby={id}><h2 id={id}>{t(title)}</h2>{body}</section>;
  return (
    <>
      {waiting.length ? part('waiting', 'me.invitations', <Ties ties={waiting} />) : null}
      {me.level < 2 ? <p className="muted">{t('me.raise_first')}</p> : (
        <>
          {part('firms', 'me.enterprises', <Ties ties={enterprises} empty={t('me.no_enterprises')} />)}
          {part('agents', 'me.agents', <><Ties ties={agents} empty={t('me.no_agents')} /><p><Link className="button" to="/portal/me/agents/new">{t('me.new_agent')}</Link></p></>)}
          {agencies.length ? part('agencies', 'me.acting', <Ties ties={agencies} />) : null}
          {part('wards', 'me.wards', <><Ties ties={wards} empty={t('me.no_wards')} /><p><Link className="button" to="/portal/me/wards/new">{t('me.new_ward')}</Link></p></>)}
          {mine.length ? part('mine', 'me.guardians', <Ties ties={mine} />) : null}
        </>
      )}
    </>
  );
}

export default function Me() {
  const { t } = useI18n();
  const mine = useApi<Mine>('/me');
  const ties = useApi<{ items: PartyTie[] }>('/me/ties');
  return (
    <div className="one-thing">
      <PageHead title={t('me.title')} sub={mine.data ? t('me.sub', { account: mine.data.account }) : undefined} />
      <View query={mine}>
        {(me) => (
          <>
            <Level me={me} />
            <Held me={me} />
            {me.level >= 2 ? <ActingFor /> : null}
            <View query={ties}>{(d) => <Lists me={me} ties={d.items} />}</View>
          </>
        )}
      </View>
    </div>
  );
}
