// Desk: one party: masked, its ties and history; in full only for a stated purpose.
import { useState, type FormEvent } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { useParams } from 'react-router';
import { send } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import type { PartyFound, PartyInFull, PartyTie } from '../../../api/types';
import { FormFault, TextField, useAct } from '../../../components/Inputs';
import { PageHead } from '../../../components/PageHead';
import { Steps } from '../../../components/Steps';
import { View } from '../../../components/View';
import { useI18n, type Key } from '../../../i18n';
import { dateTime } from '../../../lib/time';
import { useSession } from '../../../shell/session';
import { useMatters } from '../../portal/me/Ties';

function Reveal({ id }: { id: string }) {
  const { t } = useI18n();
  const act = useAct();
  const [full, setFull] = useState<PartyInFull | null>(null);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const purpose = String(new FormData(event.currentTarget).get('purpose') ?? '');
    const answer = await act.run(() => send<PartyInFull>('POST', `/parties/${id}/reveal`, { purpose }));
    if (answer) setFull(answer);
  };
  if (full?.identity) {
    return (
      <dl className="facts">
        <dt>{t('me.name')}</dt><dd>{full.identity.name}</dd><dt>{t('me.number')}</dt><dd>{full.identity.number}</dd><dt>{t('me.birth')}</dt><dd>{full.identity.birth}</dd>
        <dt>{t('me.phone')}</dt><dd>{full.phone ?? '—'}</dd><dt>{t('register.done_name')}</dt><dd>{full.account ?? '—'}</dd>
      </dl>
    );
  }
  return (
    <form className="stack" noValidate onSubmit={(e) => { void submit(e); }}>
      <FormFault error={act.error} shown={['purpose']} />
      <TextField name="purpose" label={t('desk.p_purpose')} error={act.error} maxLength={200} />
      <p><button type="submit" className="button" disabled={act.busy}>{t('desk.p_reveal')}</button></p>
    </form>
  );
}

function Tie({ tie }: { tie: PartyTie }) {
  const { t } = useI18n();
  const { may } = useSession();
  const matters = useMatters();
  const client = useQueryClient();
  const act = useAct();
  const end = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const reason = String(new FormData(event.currentTarget).get('reason') ?? '');
    await act.run(() => send('POST', `/parties/ties/${tie.id}/revoke`, { reason }));
    void client.invalidateQueries();
  };
  return (
    <li>
      <div><strong>{t(`tie.${tie.tie}`)}</strong> {tie.side === 'holder' ? '→' : '←'} {tie.other} <code>{tie.number}</code> <span className="tag plain">{t(`tie.state_${tie.state}`)}</span></div>
      <div className="small">{matters(tie.scope)} · {dateTime(tie.from)} – {tie.to ? dateTime(tie.to) : t('tie.no_end')} · {tie.evidence}{tie.reason ? ` · ${tie.reason}` : ''}</div>
      {may('write', 'parties') && (tie.state === 'active' || tie.state === 'invited') ? (
        <details><summary>{t('desk.p_end')}</summary>
          <form className="stack" onSubmit={(e) => { void end(e); }}>
            <FormFault error={act.error} shown={['reason']} />
            <TextField name="reason" label={t('tie.reason')} error={act.error} maxLength={200} />
            <p><button type="submit" className="button">{t('desk.p_end')}</button></p>
          </form>
        </details>
      ) : null}
    </li>
  );
}

export default function PartyPage() {
  const { t } = useI18n();
  const { id = '' } = useParams();
  const query = useApi<PartyFound>(`/parties/${encodeURIComponent(id)}`);
  return (
    <>
      <PageHead title={query.data?.party.name ?? t('desk.parties')} sub={query.data ? query.data.party.number : undefined} back={{ to: '/desk/parties', text: t('desk.parties') }} />
      <View query={query}>
        {(d) => (
          <>
            <section className="card stack">
              <p>{t(d.party.kind === 'legal' ? 'desk.p_legal' : 'desk.p_natural')} · {t(d.party.proven ? 'desk.p_proven' : 'desk.p_claimed')}{d.level === null ? '' : ` · ${t(`party.level_${d.level}` as Key)}`}</p>
              {d.party.kind === 'natural' ? <Reveal id={d.party.id} /> : null}
            </section>
            <section className="card stack"><h2>{t('desk.p_ties')}</h2>{d.ties.length ? <ul className="tie-list">{d.ties.map((tie) => <Tie key={tie.id} tie={tie} />)}</ul> : <p className="muted">—</p>}</section>
            <section className="card stack"><h2>{t('desk.p_history')}</h2><Steps steps={d.history} /></section>
          </>
        )}
      </View>
    </>
  );
}
