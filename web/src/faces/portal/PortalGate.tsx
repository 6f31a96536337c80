// Portal: pages for somebody signed in, said in the words of residents, and for whom one looks.
import type { ReactNode } from 'react';
import { Link, useLocation } from 'react-router';
import { useApi } from '../../api/hooks';
import type { ActingFor } from '../../api/types';
import { Skeleton } from '../../components/Skeleton';
import { useI18n } from '../../i18n';
import { useSession } from '../../shell/session';

/** Somebody signed in; said in the words of residents. */
export function PortalGate({ children, fallback }: { children: ReactNode; /** Stands above while nobody is signed in. */ fallback?: ReactNode }) {
  const { t } = useI18n();
  const { session } = useSession();
  const { pathname, search } = useLocation();
  if (session === undefined) return <>{fallback}<Skeleton /></>;
  if (session === null) return <>{fallback}<section className="card"><p><Link className="button strong" to={`/sign-in?then=${encodeURIComponent(pathname + search)}`}>{t('lic.sign_in')}</Link></p></section></>;
  return <>{children}</>;
}

/** For whom one looks, when it is not for oneself; only for those whose identity is proven. */
export function LookedAtFor() {
  const { t } = useI18n();
  const { session } = useSession();
  const acting = useApi<ActingFor>((session?.proofing ?? 0) >= 2 ? '/session/acting-for' : null);
  return acting.data?.now ? <p className="stale" role="status">{t('svc.for_other', { name: acting.data.now.display })}</p> : null;
}
