// Component: a clock's light with what is left, by shape, colour and words together.
import type { Left } from '../api/cases';
import { useI18n } from '../i18n';
import { daysLeft, lights } from '../lib/cases';
import { date, dateTime, lastMoment, weekday } from '../lib/time';
import { Mark } from './Marks';

export function Light({ left }: { left: Left | null }) {
  const { t } = useI18n();
  if (!left) return <span className="muted">{t('clock.none')}</span>;
  const look = lights[left.light] ?? lights.green;
  const said = daysLeft(left);
  return (
    <span className={`tag light-${left.light}`} title={`${t('clock.due')} ${dateTime(lastMoment(left.due))}`}>
      <Mark shape={look.shape} fill={look.fill} />
      <span>{t(`clock.${left.light}`)} · {t(said.key, { n: said.n })}{left.provisional ? <span className="muted"> *</span> : null}</span>
    </span>
  );
}

/** The same with the day it is due, for the page of one matter. */
export function Clock({ left }: { left: Left | null }) {
  const { t, lang } = useI18n();
  return (
    <>
      <Light left={left} />
      {left ? <span className="muted small"> {t('clock.due')} {date(lastMoment(left.due))} {weekday(lastMoment(left.due), lang)}</span> : null}
      {left?.provisional ? <div className="muted small">* {t('clock.provisional')}</div> : null}
    </>
  );
}
