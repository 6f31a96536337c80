// Portal: what happened to an application, the newest first.
import type { ApplicationStep } from '../../../api/applications';
import { useDepartments } from '../../../components/Service';
import { useI18n } from '../../../i18n';
import { dateTime } from '../../../lib/time';

export function Timeline({ steps }: { steps: readonly ApplicationStep[] }) {
  const { t, w } = useI18n();
  const { name } = useDepartments();
  return <ol className="timeline">{[...steps].reverse().map((s, i) => <li key={i} data-step={s.what}><strong>{w(s.words)}</strong><br /><span className="muted small">{dateTime(s.at)} · {s.office ? name(s.office) : t('app.you')}</span></li>)}</ol>;
}
