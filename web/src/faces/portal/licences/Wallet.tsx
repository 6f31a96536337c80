// Portal: the wallet: licences of the holder one is or acts for, as cards.
import { Link } from 'react-router';
import { useApi } from '../../../api/hooks';
import { useBelow, type Licence } from '../../../api/licences';
import type { ActingFor } from '../../../api/types';
import { Choices, useValidity, VerdictTag } from '../../../components/Licence';
import { PageHead } from '../../../components/PageHead';
import { Skeleton } from '../../../components/Skeleton';
import { Empty, View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { useFilters } from '../../../lib/at';
import { standing } from '../../../lib/licences';
import { useNow } from '../../../lib/now';
import { useSession } from '../../../shell/session';

function Card({ licence, now }: { licence: Licence; now: number }) {
  const { t, w } = useI18n();
  const validity = useValidity();
  const verdict = standing(licence, now);
  return (
    <li>
      <Link className={verdict === 'valid' ? 'card licence-card' : 'card licence-card other'} to={`/portal/licences/${encodeURIComponent(licence.identifier)}`}>
        <h2>{w(licence.title)}</h2>
        <p><VerdictTag verdict={verdict} /></p>
        <p>{licence.holder.name}</p>
        <p className="muted small">{t('lic.validity')} {validity(licence.valid_from, licence.valid_to)}</p>
        <p className="muted small">{w(licence.issuer)} · {licence.number}</p>
      </Link>
    </li>
  );
}

function Cards() {
  const { t } = useI18n();
  const { get, set } = useFilters();
  const query = useBelow<Licence>('/me/licences');
  const now = useNow();
  return (
    <View query={query} empty={(d) => d.pages.every((p) => p.items.length === 0)} emptyText={t('lic.empty')}>
      {(d) => {
        const all = d.pages.flatMap((p) => p.items);
        const valid = all.filter((l) => standing(l, now) === 'valid');
        const other = all.filter((l) => !valid.includes(l));
        const show = get('show') === 'valid' ? 'valid' : get('show') === 'other' ? 'other' : 'all';
        const shown = show === 'valid' ? valid : show === 'other' ? other : all;
        return (
          <>
            <div className="licence-filter">
              <Choices name="show" legend={t('lic.filter')} value={show} onChange={(v) => set({ show: v === 'all' ? null : v })}
                options={[{ value: 'all', text: t('lic.filter_all', { n: all.length }) }, { value: 'valid', text: t('lic.filter_valid', { n: valid.length }) }, { value: 'other', text: t('lic.filter_other', { n: other.length }) }]} />
            </div>
            {shown.length ? <ul className="licence-cards">{shown.map((l) => <Card key={l.identifier} licence={l} now={now} />)}</ul> : <Empty text={t('lic.empty_filter')} />}
            {query.hasNextPage ? <p><button type="button" className="button" disabled={query.isFetchingNextPage} onClick={() => { void query.fetchNextPage(); }}>{t('lic.more')}</button></p> : null}
          </>
        );
      }}
    </View>
  );
}

/** Who may see a wallet: somebody signed in whose identity is proven. The same words on both pages. */
export function WalletGate({ then, children }: { then: string; children: React.ReactNode }) {
  const { t } = useI18n();
  const { session } = useSession();
  if (session === undefined) return <Skeleton />;
  if (session === null) return <section className="card"><p><Link className="button strong" to={`/sign-in?then=${encodeURIComponent(then)}`}>{t('lic.sign_in')}</Link></p></section>;
  if ((session.proofing ?? 0) < 2) return <section className="card stack"><p role="status">{t('lic.raise')}</p><p><Link className="button strong" to="/portal/me">{t('lic.raise_go')}</Link></p></section>;
  return <>{children}</>;
}

/** For whom one looks, when it is not for oneself; the shell's banner has the way back. */
export function ActedFor() {
  const { t } = useI18n();
  const acting = useApi<ActingFor>('/session/acting-for');
  return acting.data?.now ? <p className="stale" role="status">{t('lic.of', { name: acting.data.now.display })}</p> : null;
}

export default function Wallet() {
  const { t } = useI18n();
  return (
    <>
      <PageHead title={t('lic.title')} back={{ to: '/portal', text: t('portal.home') }}><Link className="button" to="/verify">{t('lic.verify_link')}</Link></PageHead>
      <section className="card"><p>{t('lic.help')}</p></section>
      <WalletGate then="/portal/licences"><ActedFor /><Cards /></WalletGate>
    </>
  );
}
