// Portal: beginning an application: what it takes first (signing in, a proven identity, for whom),
// each said with the way there; then a draft, or the one there is.
import { useState } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useLocation, useNavigate } from 'react-router';
import { send } from '../../../api/client';
import { beginDraft, patchDraft, type DraftLine } from '../../../api/applications';
import { useApi } from '../../../api/hooks';
import type { Answers, Channel, Item } from '../../../api/items';
import type { ActingFor } from '../../../api/types';
import { same } from '../../../components/form/schema';
import { FormFault, SelectField, useAct } from '../../../components/Inputs';
import { Skeleton } from '../../../components/Skeleton';
import { useI18n } from '../../../i18n';
import { channelHere } from '../../../lib/services';
import { dateTime } from '../../../lib/time';
import { useSession } from '../../../shell/session';

interface Props { item: Item; sets?: Answers; /** A terminal says so itself. */ channel?: Channel }

export function Begin({ item, sets, channel }: Props) {
  const { t } = useI18n();
  const { session } = useSession();
  const { pathname, search } = useLocation();
  const { content } = item;
  const way = channel ?? channelHere(content.channels, typeof matchMedia === 'function' && matchMedia('(max-width: 600px)').matches);
  if (item.state !== 'in_force') return null;
  if (way === null) {
    return (
      <section className="card stack" aria-labelledby="begin">
        <h2 id="begin">{t('svc.begin_title')}</h2>
        <p>{t('svc.not_online')}</p>
        <p><Link className="button strong" to="/portal/visits">{t('svc.book')}</Link></p>
      </section>
    );
  }
  return (
    <section className="card stack" aria-labelledby="begin">
      <h2 id="begin">{t('svc.begin_title')}</h2>
      {session === undefined ? <Skeleton lines={2} /> : null}
      {session === null ? (
        <>
          <p>{t('svc.need_sign_in', { n: content.proofing })}</p>
          <p><Link className="button strong" to={`/sign-in?then=${encodeURIComponent(pathname + search)}`}>{t('svc.sign_in')}</Link></p>
        </>
      ) : null}
      {session ? <SignedIn item={item} sets={sets} channel={way} have={session.proofing ?? 0} /> : null}
    </section>
  );
}

function SignedIn({ item, sets = {}, channel, have }: { item: Item; sets?: Answers; channel: Channel; have: number }) {
  const { t } = useI18n();
  const navigate = useNavigate();
  const act = useAct();
  const need = item.content.proofing;
  const acting = useApi<ActingFor>(have >= 2 ? '/session/acting-for' : null);
  const drafts = useApi<{ items: DraftLine[] }>('/drafts');
  const draft = drafts.data?.items.find((d) => d.item === item.item);
  if (have < need) {
    return (
      <>
        <p role="status">{t('svc.need_level', { n: need, have })}</p>
        <p><Link className="button strong" to="/portal/me">{t('svc.raise')}</Link></p>
      </>
    );
  }
  const now = acting.data?.now ?? null;
  const needsFirm = item.content.serves === 'legal' && acting.data !== undefined && now === null;
  const begin = async () => {
    const made = await act.run(async () => {
      const opened = await beginDraft({ item: item.item, channel, answers: sets });
      // A draft there was already keeps its own answers; what guidance settled just now goes over them.
      const settled = Object.fromEntries(Object.entries(sets).filter(([name, value]) => !same(opened.answers[name], value)));
      return Object.keys(settled).length ? patchDraft(opened.id, { answers: settled }, opened.version) : opened;
    });
    if (made) void navigate(`/apply/${encodeURIComponent(made.id)}`);
  };
  return (
    <>
      <p className="muted small">{t('svc.level_ok', { n: need, have })}</p>
      <p><strong>{now ? t('svc.for_other', { name: now.display }) : t('svc.for_self')}</strong></p>
      {needsFirm ? <p role="status" className="stale">{t('svc.need_firm')}</p> : null}
      {acting.data && acting.data.options.length ? <Whom acting={acting.data} /> : null}
      {draft ? <p role="status">{t('svc.draft_there', { time: dateTime(draft.saved_at) })}</p> : null}
      <FormFault error={act.error} />
      <p className="row">
        <button type="button" className="button strong" data-begin disabled={act.busy || needsFirm} onClick={() => { void begin(); }}>{act.busy ? t('state.loading') : t(draft ? 'svc.go_on' : 'svc.begin')}</button>
      </p>
    </>
  );
}

/** For whom: chosen here, so that nobody loses the way. */
function Whom({ acting }: { acting: ActingFor }) {
  const { t } = useI18n();
  const client = useQueryClient();
  const act = useAct();
  const [chosen, setChosen] = useState<string | null>(null);
  const now = acting.now?.id ?? '';
  const change = async () => {
    const answer = await act.run(() => send<ActingFor>('POST', '/session/acting-for', { tie: (chosen ?? now) || null }));
    if (!answer) return;
    setChosen(null);
    client.setQueryData(['/session/acting-for', {}], answer);
    void client.invalidateQueries();
  };
  return (
    <>
      <FormFault error={act.error} />
      <div className="row">
        <SelectField name="tie" label={t('svc.for_whom')} value={chosen ?? now} onChange={setChosen} choices={[{ value: '', text: t('acting.self') }, ...acting.options.map((o) => ({ value: o.id, text: `${o.display}（${t(`tie.${o.tie}`)}）` }))]} />
        {chosen !== null && chosen !== now ? <button type="button" className="button" disabled={act.busy} onClick={() => { void change(); }}>{t('svc.switch')}</button> : null}
      </div>
    </>
  );
}
