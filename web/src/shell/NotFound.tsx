// Shell: an address nobody answers.
import { Link } from 'react-router';
import { useI18n } from '../i18n';

export function NotFound() {
  const { t } = useI18n();
  return (
    <div className="state">
      <h1>{t('app.not_found')}</h1>
      <p>{t('app.not_found_help')}</p>
      <p><Link className="button strong" to="/">{t('app.home')}</Link></p>
    </div>
  );
}
