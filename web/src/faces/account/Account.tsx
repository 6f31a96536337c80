// Account: one's own: password, second factors, recovery codes, sessions. Sections of other rooms
// (connected applications, acting for others) are added to the list at the end.
import { useQueryClient } from '@tanstack/react-query';
import { ApiError } from '../../api/client';
import { useApi } from '../../api/hooks';
import type { AccountSecurity } from '../../api/types';
import { PageHead } from '../../components/PageHead';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { useSession } from '../../shell/session';
import { useStepUp } from '../../shell/StepUp';
import { ActingFor } from './ActingFor';
import { Applications } from './Applications';
import { Factors } from './Factors';
import { PasswordForm } from './PasswordForm';
import { Sessions } from './Sessions';
import './account.css';

export default function Account() {
  const { t } = useI18n();
  const { session, signedIn } = useSession();
  const client = useQueryClient();
  const stepUp = useStepUp();
  const locked = session?.must === 'change_password';
  const query = useApi<AccountSecurity>(session && !locked ? '/account/security' : null);
  const changed = async () => {
    await signedIn();
    void client.invalidateQueries({ queryKey: ['/account/security'] });
    void client.invalidateQueries({ queryKey: ['/session/all'] });
  };
  const show = () => { stepUp.ask().then(changed).catch((e: unknown) => { if (e instanceof ApiError) throw e; }); };
  if (session === null) {
    return <><PageHead title={t('account.title')} /><View query={query}>{() => null}</View></>;
  }
  return (
    <div className="account">
      <PageHead title={t('account.title')} />
      {session?.must ? (
        <div role="alert" className="error-box">
          <p>{t(session.must === 'change_password' ? 'account.must_change_password' : 'account.must_second_factor')}</p>
          {session.must === 'second_factor' && query.data?.factors.length ? <p><button type="button" className="button strong" onClick={show}>{t('account.show_factor')}</button></p> : null}
        </div>
      ) : null}
      <section className="card stack" aria-labelledby="account-password">
        <h2 id="account-password">{t('account.password')}</h2>
        <PasswordForm account={session?.account ?? ''} since={query.data?.password_at ?? null} onDone={changed} />
      </section>
      {locked || !session ? null : (
        <>
          <View query={query}>{(security) => <Factors security={security} stepUp={stepUp} onChanged={changed} />}</View>
          {session.must ? null : <><ActingFor /><Sessions /><Applications /></>}
        </>
      )}
      {stepUp.dialog}
    </div>
  );
}
