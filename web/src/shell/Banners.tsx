// Shell: banners across the page: simulated data, a replay, the past, no network.
import { useEffect, useState } from 'react';
import { acting, actUnder } from '../api/client';
import { useI18n } from '../i18n';
import { useAt } from '../lib/at';
import { dateTime } from '../lib/time';
import { ActingBanner } from './Acting';
import { useSession } from './session';

function useOnline(): boolean {
  const [online, setOnline] = useState(() => navigator.onLine);
  useEffect(() => {
    const on = () => setOnline(true);
    const off = () => setOnline(false);
    addEventListener('online', on);
    addEventListener('offline', off);
    return () => {
      removeEventListener('online', on);
      removeEventListener('offline', off);
    };
  }, []);
  return online;
}

export function Banners() {
  const { t } = useI18n();
  const { city } = useSession();
  const { at, setAt } = useAt();
  const online = useOnline();
  return (
    <div role="status" className="banners">
      {online ? null : <p className="banner warn">{t('banner.offline')}</p>}
      {city?.simulated ? <p className="banner simulated">{t('banner.simulated')}</p> : null}
      {city?.replaying ? <p className="banner warn">{t('banner.replaying')}</p> : null}
      <ActingBanner />
      {acting() ? (
        <p className="banner warn">
          {t('delegation.acting', { name: acting()?.giver ?? '' })}{' '}
          <button type="button" className="link" onClick={() => { actUnder(null); location.reload(); }}>{t('delegation.stop')}</button>
        </p>
      ) : null}
      {at ? (
        <p className="banner past">
          {t('banner.past', { time: dateTime(at) })}{' '}
          <button type="button" className="link" onClick={() => setAt(null)}>{t('banner.back')}</button>
        </p>
      ) : null}
    </div>
  );
}
