// Component: a page's heading, the way back, and the title of the browser's tab.
import { useEffect, type ReactNode } from 'react';
import { Link } from 'react-router';
import { useI18n } from '../i18n';

export function useTitle(title: string): void {
  const { t } = useI18n();
  useEffect(() => {
    document.title = title ? `${title} · ${t('app.name')}` : t('app.name');
  }, [title, t]);
}

interface Props {
  title: string;
  sub?: ReactNode;
  back?: { to: string; text: string };
  children?: ReactNode;
}

export function PageHead({ title, sub, back, children }: Props) {
  useTitle(title);
  return (
    <header className="page-head">
      <div>
        {back ? <p className="back"><Link to={back.to}>← {back.text}</Link></p> : null}
        <h1>{title}</h1>
        {sub ? <p className="muted">{sub}</p> : null}
      </div>
      {children ? <div className="actions">{children}</div> : null}
    </header>
  );
}
