// Desk, office: the way between mail, notices, documents and calendar, with how much waits in each.
import { useApi } from '../../../api/hooks';
import { paths, type Waiting } from '../../../api/office';
import { TabNav } from '../../../components/TabNav';
import { useI18n } from '../../../i18n';

export type OfficePart = 'mail' | 'notices' | 'circulars' | 'calendar';

export function OfficeTabs({ now }: { now: OfficePart }) {
  const { t } = useI18n();
  const waiting = useApi<Waiting>(paths.waiting, undefined, { every: 30_000, keep: true });
  const count = { mail: waiting.data?.mails, notices: waiting.data?.notices, circulars: waiting.data?.circulations, calendar: 0 };
  return <TabNav label={t('office.parts')} now={now} items={[...(['mail', 'notices', 'circulars', 'calendar'] as const).map((part) => ({ key: part, title: count[part] ? t('office.tab_n', { tab: t(`office.${part}`), n: count[part] ?? 0 }) : t(`office.${part}`), to: `/desk/office/${part}` })), { key: 'directory', title: t('directory.title'), to: '/desk/directory' }]} />;
}
