// Portal: the drawing of the process behind an item, for whom it is public; a chunk of its own.
import { Suspense, lazy } from 'react';
import { useApi } from '../../../api/hooks';
import { Skeleton } from '../../../components/Skeleton';
import { useI18n } from '../../../i18n';
import AntTheme from '../../../theme/antd';

const Drawing = lazy(() => import('../../../components/Drawing'));

export default function Flow({ process }: { process: string }) {
  const { t } = useI18n();
  const query = useApi<{ xml: string }>(`/processes/${encodeURIComponent(process)}/drawing`);
  if (query.error) return <p className="muted" role="status">{t('svc.flow_denied')}</p>;
  if (!query.data) return <Skeleton />;
  return <AntTheme><Suspense fallback={<Skeleton />}><Drawing xml={query.data.xml} /></Suspense></AntTheme>;
}
