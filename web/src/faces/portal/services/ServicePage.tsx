// Portal: the guide of a service item (办事指南): what it is, what it takes, how long, what it costs,
// where, and how to begin. Public.
import { lazy, Suspense, useState, type ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import { useApi } from '../../../api/hooks';
import { itemPath, type Item } from '../../../api/items';
import { money } from '../../../components/form';
import { PageHead } from '../../../components/PageHead';
import { ItemTags, useDepartments, useLimitWords } from '../../../components/Service';
import { Skeleton } from '../../../components/Skeleton';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { dateTime } from '../../../lib/time';
import { Begin } from './Begin';
import { MaterialList } from './Materials';

const Flow = lazy(() => import('./Flow'));

export function Section({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return <section className="card" aria-labelledby={id}><h2 id={id}>{title}</h2>{children}</section>;
}

/** The title of another item with the way to it. */
export function ItemLink({ item }: { item: string }) {
  const { w } = useI18n();
  const query = useApi<Item>(itemPath(item));
  return <Link to={`/services/${encodeURIComponent(item)}`}>{w(query.data?.content.title) || item}</Link>;
}

export function Standing({ item }: { item: Item }) {
  const { t } = useI18n();
  if (item.state !== 'suspended' && item.state !== 'cancelled') return null;
  return (
    <div className="error-box" role="status">
      <p>{t(item.state === 'suspended' ? 'svc.suspended' : 'svc.cancelled')}</p>
      {item.successors.length ? <p>{t('svc.successors')}{item.successors.map((s) => <span key={s}><ItemLink item={s} /> </span>)}</p> : null}
    </div>
  );
}

export function Times({ item }: { item: Item }) {
  const { t } = useI18n();
  const limit = useLimitWords();
  const { content } = item;
  return (
    <Section id="time" title={t('svc.time')}>
      {content.instant ? <p>{t('svc.time_instant')}</p> : <p><strong>{limit(content.promised)}</strong> · {limit(content.statutory, 'svc.law')}</p>}
      <p className="muted small">{t('svc.time_note')}</p>
    </Section>
  );
}

export function Fees({ item }: { item: Item }) {
  const { t, w } = useI18n();
  const { fees } = item.content;
  return (
    <Section id="fees" title={t('svc.fees')}>
      {fees.length ? <ul>{fees.map((f, i) => <li key={i}>{w(f.title)} <strong>{money(f.fen)}</strong>{f.when.length ? t('svc.fee_when') : ''}<div className="muted small">{f.basis}</div></li>)}</ul> : <p>{t('svc.fees_none')}</p>}
    </Section>
  );
}

function FlowPart({ item }: { item: Item }) {
  const { t } = useI18n();
  const [open, setOpen] = useState(false);
  return (
    <Section id="flow" title={t('svc.flow')}>
      <p>{t('svc.flow_text')}</p>
      {item.content.process && !open ? <p><button type="button" className="button" onClick={() => setOpen(true)}>{t('svc.flow_show')}</button></p> : null}
      {item.content.process && open ? <Suspense fallback={<Skeleton />}><Flow item={item.item} /></Suspense> : null}
    </Section>
  );
}

function Guide({ item }: { item: Item }) {
  const { t, w, lang } = useI18n();
  const { name } = useDepartments();
  const { content } = item;
  return (
    <div className="guide-parts">
      <Standing item={item} />
      <section className="card stack">
        <p>{w(content.summary)}</p>
        <ItemTags line={content} />
        <p className="muted small">{name(content.organisation)} · {t(`svc.serves_${content.serves}`)}</p>
        {content.guidance.length ? <p><Link className="button" to={`/services/${encodeURIComponent(item.item)}/guide`}>{t('svc.guidance')}</Link> <span className="muted small">{t('svc.guidance_help')}</span></p> : null}
      </section>
      <Begin item={item} />
      {content.bundle.length ? <Section id="bundle" title={t('svc.bundle_title')}><p>{t('svc.bundle_help')}</p><ul>{content.bundle.map((b) => <li key={b}><ItemLink item={b} /></li>)}</ul></Section> : null}
      {content.conditions.length ? <Section id="conditions" title={t('svc.conditions')}><ol>{content.conditions.map((c, i) => <li key={i}>{w(c)}</li>)}</ol></Section> : null}
      <Section id="materials" title={t('svc.materials')}><MaterialList materials={content.materials} /></Section>
      <Times item={item} />
      <Fees item={item} />
      <Section id="outcome" title={t('svc.outcome')}>
        <p><strong>{w(content.outcome.title)}</strong></p>
        {content.outcome.licence ? <p>{t('svc.outcome_licence')}</p> : null}
        {content.delivery.length ? <p>{t('svc.delivery')}: {content.delivery.map((d) => t(`svc.way_${d}`)).join(lang === 'zh' ? '、' : ', ')}</p> : null}
      </Section>
      <FlowPart item={item} />
      <Section id="where" title={t('svc.where')}>
        <p>{w(content.place)}</p>
        <p>{t('svc.channels')}: {content.channels.map((c) => t(`svc.channel_${c}`)).join(lang === 'zh' ? '、' : ', ')}</p>
        <p><Link to="/portal/visits">{t('svc.book')}</Link></p>
      </Section>
      {w(content.contact) ? <Section id="contact" title={t('svc.contact')}><p>{w(content.contact)}</p></Section> : null}
      {content.questions.length ? <Section id="questions" title={t('svc.questions')}>{content.questions.map((q, i) => <details key={i}><summary>{w(q.question)}</summary><p>{w(q.answer)}</p></details>)}</Section> : null}
      <Section id="basis" title={t('svc.basis')}><ul>{content.basis.map((b) => <li key={b}>{b}</li>)}</ul></Section>
      <Codes item={item} />
    </div>
  );
}

function Codes({ item }: { item: Item }) {
  const { t } = useI18n();
  const { content } = item;
  return (
    <Section id="codes" title={t('svc.codes')}>
      <dl className="facts">
        <dt>{t('svc.task_code')}</dt><dd><code>{content.task_code}</code></dd>
        <dt>{t('svc.catalogue_code')}</dt><dd><code>{content.catalogue_code}</code></dd>
        <dt>{t('svc.type')}</dt><dd>{t(`svc.type_${content.type}`)}</dd>
        <dt>{t('svc.level')}</dt><dd>{t(`svc.level_${content.level}`)}</dd>
        <dt>{t('svc.version')}</dt><dd>{t('svc.version_of', { n: item.version, time: dateTime(item.published_at) })}</dd>
      </dl>
    </Section>
  );
}

export default function ServicePage() {
  const { t, w } = useI18n();
  const { item = '' } = useParams();
  const query = useApi<Item>(itemPath(item));
  return (
    <>
      <PageHead title={w(query.data?.content.title) || t('svc.title')} back={{ to: '/services', text: t('svc.title') }} />
      <View query={query}>{(d) => <Guide item={d} />}</View>
    </>
  );
}
