// Component: what a service item says in a few words: how fast, how many visits, which ways; names
// of departments; the line of progress of an application.
import type { Limit } from '../api/cases';
import type { Application } from '../api/applications';
import { useApi } from '../api/hooks';
import type { ItemLine, OrganisationCount } from '../api/items';
import { useI18n, type Key } from '../i18n';
import { limitUnit, partWords, stages, wentWrong } from '../lib/services';
import './services.css';

export function useLimitWords(): (limit: Limit, key?: 'svc.promise' | 'svc.law') => string {
  const { t } = useI18n();
  return (limit, key = 'svc.promise') => t(key, { n: limit.days, unit: t(limitUnit(limit)) });
}

export function ItemTags({ line }: { line: Pick<ItemLine, 'instant' | 'promised' | 'visits' | 'bundle' | 'channels'> }) {
  const { t } = useI18n();
  const limit = useLimitWords();
  const online = line.channels.includes('web') || line.channels.includes('phone');
  return (
    <ul className="item-tags">
      {line.bundle.length ? <li className="tag plain strong">{t('svc.bundle', { n: line.bundle.length })}</li> : null}
      <li className="tag plain">{line.instant ? t('svc.instant') : limit(line.promised)}</li>
      <li className="tag plain">{line.visits === 0 ? t('svc.no_visit') : t('svc.visits', { n: line.visits })}</li>
      <li className="tag plain">{t(online ? 'svc.online' : 'svc.offline')}</li>
    </ul>
  );
}

/** Names of departments by their code; the code itself until they are known. */
export function useDepartments(): { list: OrganisationCount[]; name: (code: string) => string } {
  const { w } = useI18n();
  const query = useApi<{ items: OrganisationCount[] }>('/items/organisations');
  const list = query.data?.items ?? [];
  return { list, name: (code) => w(list.find((o) => o.organisation === code || o.formerly?.includes(code))?.title) || code };
}

export function ApplicationStateTag({ application: { state, refusal } }: { application: Pick<Application, 'state' | 'refusal'> }) {
  const { t, w } = useI18n();
  return <span className={`tag plain app-state ${wentWrong(state) ? 'bad' : state === 'correction' ? 'warn' : state === 'approved' ? 'good' : ''}`} data-state={state}>{w(refusal) || t(`app.state_${state}` as Key)}</span>;
}

/** How the parts of a bundle stand, in words: what is wanted of the applicant first. */
export function PartsLine({ application: { parts } }: { application: Pick<Application, 'parts'> }) {
  const { t, lang } = useI18n();
  if (!parts) return null;
  const said = partWords(parts).map(([name, n]) => t(`app.parts_${name}` as Key, { n }));
  return <p className="small" data-parts>{t('app.parts_total', { n: parts.total })}{lang === 'zh' ? '：' : ': '}{said.join(lang === 'zh' ? '，' : ', ')}</p>;
}

/** How far an application is, as four stages with words; colour, shape and text together. */
export function ProgressLine({ application }: { application: Pick<Application, 'state' | 'delivery' | 'parts'> }) {
  const { t } = useI18n();
  const delivered = application.parts ? application.parts.undelivered === 0 : application.delivery === null ? application.state === 'approved' : application.delivery.state !== 'waiting';
  const line = stages(application.state, delivered);
  return (
    <ol className="progress-line">
      {line.map((s) => (
        <li key={s.name} className={s.state} aria-current={s.state === 'now' || s.state === 'ended' ? 'step' : undefined}>
          <span aria-hidden="true">{s.state === 'done' ? '✓' : s.state === 'now' ? '▶' : s.state === 'ended' ? '×' : '·'}</span>
          <span>{t(`app.stage_${s.name}` as Key)}<span className="hidden"> {t(`app.stage_is_${s.state}` as Key)}</span></span>
        </li>
      ))}
    </ol>
  );
}
