// Portal: the materials of an item as its guide shows them: what is wanted, in which kinds of file,
// and which of them the city has already.
import { useLicenceTypes } from '../../../api/licences';
import type { Material } from '../../../api/items';
import { useI18n } from '../../../i18n';

/** Files of a material at most where the item does not say. */
export const FILES_MOST = 5;
export const kindsOf = (formats: readonly string[]): string => (formats.length ? formats : ['pdf', 'jpeg', 'png', 'ofd']).map((f) => (f === 'jpeg' ? 'JPG' : f.toUpperCase())).join(' / ');

export function MaterialList({ materials }: { materials: readonly Material[] }) {
  const { t, w } = useI18n();
  const { types } = useLicenceTypes();
  const has = materials.filter((m) => m.sources.length > 0).length;
  if (materials.length === 0) return <p>{t('svc.materials_none')}</p>;
  return (
    <>
      {has ? <p className="city-has">{t('svc.m_saved', { n: has })}</p> : null}
      <ul className="material-list">
        {materials.map((m) => (
          <li key={m.name} className={m.sources.length ? 'has' : undefined}>
            <strong>{w(m.title)}</strong>
            <span className="muted small">{[t(m.required ? 'svc.m_required' : 'svc.m_optional'), m.may_follow ? t('svc.m_follow') : '', m.when.length ? t('svc.m_when') : '', m.sources.length ? '' : t('svc.m_formats', { kinds: kindsOf(m.formats), n: m.most ?? FILES_MOST })].filter(Boolean).join(' · ')}</span>
            {m.note ? <span>{w(m.note)}</span> : null}
            {[...new Set(m.sources.map((s) => { const type = s.from === 'licence' ? types.get(s.kind) : undefined; return type ? t('svc.m_city_licence', { name: w(type.title) }) : t(s.from === 'licence' ? 'svc.m_city_any_licence' : 'svc.m_city_register'); }))].map((said) => <span key={said} className="city-has small">{said}</span>)}
          </li>
        ))}
      </ul>
    </>
  );
}
