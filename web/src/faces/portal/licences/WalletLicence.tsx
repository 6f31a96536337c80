// Portal: one licence of the wallet: its content, showing it, the offline file, history, who used it.
import { useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { useApi } from '../../../api/hooks';
import { useBelow, useLicenceTypes, type LicenceType, type LicenceUse, type WalletPage } from '../../../api/licences';
import { LicenceContent, LicenceSteps, LicenceUses, useValidity, VerdictTag } from '../../../components/Licence';
import { PageHead } from '../../../components/PageHead';
import { PrintLicence } from '../../../components/PrintLicence';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { ActedFor, WalletGate } from './Wallet';
import { OfflineFile } from './OfflineFile';
import { OtherWallet } from './OtherWallet';
import { Present } from './Present';

function Uses({ path, type }: { path: string; type: LicenceType | undefined }) {
  const { t } = useI18n();
  const query = useBelow<LicenceUse>(path);
  return (
    <section className="card stack" aria-labelledby="uses">
      <h2 id="uses">{t('lic.uses')}</h2>
      <p className="muted small">{t('lic.uses_help')} <Link to="/portal/my-data">{t('mydata.title')}</Link></p>
      <View query={query}>
        {(d) => (
          <>
            <LicenceUses uses={d.pages.flatMap((p) => p.items)} type={type} />
            {query.hasNextPage ? <p><button type="button" className="button" disabled={query.isFetchingNextPage} onClick={() => { void query.fetchNextPage(); }}>{t('lic.more')}</button></p> : null}
          </>
        )}
      </View>
    </section>
  );
}

function Page({ identifier }: { identifier: string }) {
  const { t, w } = useI18n();
  const path = `/me/licences/${encodeURIComponent(identifier)}`;
  const query = useApi<WalletPage>(path);
  const { types } = useLicenceTypes();
  const client = useQueryClient();
  const validity = useValidity();
  return (
    <View query={query}>
      {(d) => {
        const type = types.get(d.licence.kind);
        return (
          <>
            <ActedFor />
            <section className="card stack" aria-labelledby="licence">
              <h2 id="licence">{w(d.licence.title)}</h2>
              <p><VerdictTag verdict={d.verdict} /> · {validity(d.licence.valid_from, d.licence.valid_to)}</p>
              <p>{d.licence.holder.name}</p>
            </section>
            <Present licence={d.licence} verdict={d.verdict} type={type} path={path} />
            <section className="card stack" aria-labelledby="content">
              <h2 id="content">{t('lic.content')}</h2>
              <LicenceContent licence={d.licence} type={type} link={(other) => <Link className="licence-code" to={`/portal/licences/${encodeURIComponent(other)}`}>{other}</Link>} />
            </section>
            <PrintLicence licence={d.licence} verdict={d.verdict} type={type} path={path} onUsed={() => { void client.invalidateQueries({ queryKey: [`${path}/uses`, {}, 'below'] }); }} />
            <OtherWallet path={path} verdict={d.verdict} />
            <OfflineFile licence={d.licence} type={type} path={path} />
            <section className="card stack" aria-labelledby="history"><h2 id="history">{t('lic.history')}</h2><LicenceSteps steps={d.steps} /></section>
            <Uses path={`${path}/uses`} type={type} />
          </>
        );
      }}
    </View>
  );
}

export default function WalletLicence() {
  const { t } = useI18n();
  const { identifier = '' } = useParams();
  return (
    <div className="one-thing">
      <PageHead title={t('lic.one')} back={{ to: '/portal/licences', text: t('lic.title') }} />
      <WalletGate then={`/portal/licences/${encodeURIComponent(identifier)}`}><Page key={identifier} identifier={identifier} /></WalletGate>
    </div>
  );
}
