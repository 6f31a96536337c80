// Shell: the signed-in person: name, roles, the way to the account, sign out. A native <details>, no library.
import { useEffect, useRef } from 'react';
import { Link, useLocation, useNavigate } from 'react-router';
import { useI18n } from '../i18n';
import { personName } from '../lib/person';
import { useRoles } from '../lib/roles';
import { ActingSwitch } from './Acting';
import { useSession } from './session';
import type { Session } from '../api/types';

export function UserMenu({ session, onHelp }: { session: Session; onHelp: () => void }) {
  const { t, lang } = useI18n();
  const { signOut } = useSession();
  const roleTitle = useRoles();
  const navigate = useNavigate();
  const name = personName(session.account, session.display, lang);
  const { pathname } = useLocation();
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (box.current) box.current.open = false;
  }, [pathname]);
  return (
    <details className="user" ref={box} onKeyDown={(e) => { if (e.key === 'Escape' && box.current) box.current.open = false; }}>
      <summary>{name}</summary>
      <div className="user-box">
        <p><strong>{name}</strong>{name === session.account ? null : <> <code>{session.account}</code></>}</p>
        <p>{t('app.roles')}：{session.roles.map(roleTitle).join('、')}</p>
        {session.organisation ? <p>{t('app.organisation')}：{session.organisation}</p> : null}
        <ActingSwitch />
        <Link className="tool" to="/portal/me">{t('me.title')}</Link>
        <button type="button" className="tool" onClick={onHelp}>{t('app.keyboard')}</button>
        <Link className="tool" to="/account">{t('account.title')}</Link>
        {session.organisation ? <Link className="tool" to="/account/delegations">{t('delegation.title')}</Link> : null}
        <button type="button" className="tool strong" onClick={() => { void signOut().then(() => navigate('/')); }}>{t('app.sign_out')}</button>
      </div>
    </details>
  );
}
