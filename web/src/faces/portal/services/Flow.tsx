// Portal: how an item is handled, as a drawing without the office's inner things; a chunk of its own.
import { Suspense, lazy } from 'react';
import { useApi } from '../../../api/hooks';
import { Skeleton } from '../../../components/Skeleton';
import { useI18n } from '../../../i18n';
import AntTheme from '../../../theme/antd';

const Drawing = lazy(() => import('../../../components/Drawing'));

export default function Flow({ item }: { item: string }) {
  const { t } = useI18n();
  const query = useApi<{ xml: string }>(`/items/${encodeURIComponent(item)}/flow`);
  if (query.error) return <p className="muted" role="status">{t('svc.flow_denied')}</p>;
  if (!query.data) return <Skeleton />;
  return <AntTheme><Suspense fallback={<Skeleton />}><Drawing xml={query.data.xml} /></Suspense></AntTheme>;
}
