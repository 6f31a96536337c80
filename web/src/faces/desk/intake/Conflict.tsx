// Desk, applications: somebody else was first: said before the fault itself, with what to do.
import type { ApiError } from '../../../api/client';
import { useI18n } from '../../../i18n';
import { late } from '../cases/ask';

export function Conflict({ error }: { error: ApiError | null }) {
  const { t } = useI18n();
  return late(error) ? <p role="alert"><strong>{t('matter.late')}</strong> {t('matter.late_help')}</p> : null;
}
