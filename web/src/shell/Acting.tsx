// Shell: for whom one acts: said on every page with the way back, and switched in the menu of the
// signed-in person. Only for those whose identity is proven.
import { useQueryClient } from '@tanstack/react-query';
import { send } from '../api/client';
import { useApi } from '../api/hooks';
import type { ActingFor } from '../api/types';
import { useI18n } from '../i18n';
import { useSession } from './session';

function useActing() {
  const { session } = useSession();
  const client = useQueryClient();
  const query = useApi<ActingFor>((session?.proofing ?? 0) >= 2 ? '/session/acting-for' : null);
  const choose = async (tie: string | null) => {
    await send('POST', '/session/acting-for', { tie }).catch(() => null);
    void client.invalidateQueries();
  };
  return { acting: query.data, choose };
}

export function ActingBanner() {
  const { t } = useI18n();
  const { acting, choose } = useActing();
  if (!acting?.now && !acting?.ended) return null;
  return (
    <p className="banner warn">
      {acting.now ? t('acting.banner', { name: acting.now.display }) : t('acting.ended')}{' '}
      <button type="button" className="link" onClick={() => { void choose(null); }}>{t('acting.back_to_self')}</button>
    </p>
  );
}

export function ActingSwitch() {
  const { t } = useI18n();
  const { acting, choose } = useActing();
  if (!acting || (acting.options.length === 0 && !acting.ended)) return null;
  const now = acting.now?.id ?? null;
  const item = (tie: string | null, text: string) => (
    <button key={tie ?? 'self'} type="button" className="tool" aria-pressed={tie === now} onClick={() => { void choose(tie); }}>{text}</button>
  );
  return (
    <div role="group" aria-label={t('acting.title')} className="stack">
      <p className="muted">{t('acting.title')}</p>
      {item(null, t('acting.self'))}
      {acting.options.slice(0, 8).map((o) => item(o.id, o.display))}
    </div>
  );
}
