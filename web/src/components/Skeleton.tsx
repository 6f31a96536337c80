// Component: the grey shape of a page that is still loading.
import { useI18n } from '../i18n';

export function Skeleton({ lines = 5 }: { lines?: number }) {
  const { t } = useI18n();
  return (
    <div className="skeleton" role="status" aria-label={t('state.loading')}>
      {Array.from({ length: lines }, (_, i) => <span key={i} style={{ width: `${92 - ((i * 17) % 40)}%` }} />)}
    </div>
  );
}
