// Desk, item designer: the elements of the implementation list (实施清单) and how one applies.
import { CHANNELS, DELIVERY_WAYS, ITEM_TYPES, LEVELS, SERVES, type Fee } from '../../../api/items';
import type { Limit } from '../../../api/cases';
import { useI18n } from '../../../i18n';
import { emptyForm, type Content } from '../../../lib/designer';
import { useOrganisationList } from '../../../lib/organisations';
import { CheckIn, ChecksIn, LinesIn, ListOf, NumberIn, SelectIn, TextIn, WordsIn } from './parts';
import { WhenEditor } from './WhenEditor';

export const MATTERS = ['registration', 'licences', 'environment', 'taxes', 'social_insurance', 'construction', 'funds', 'data'] as const;
export interface TabProps { content: Content; item: string; onChange: (content: Content) => void }

export function Basics({ content, onChange }: TabProps) {
  const { t, w } = useI18n();
  const organisations = useOrganisationList();
  const put = (part: Content) => onChange({ ...content, ...part });
  return (
    <>
      <section className="card stack" aria-label={t('design.about')}>
        <h2>{t('design.about')}</h2>
        <WordsIn label={t('design.title')} at="/title" value={content.title} max={200} onChange={(title) => put({ title })} />
        <WordsIn label={t('design.summary')} at="/summary" value={content.summary} max={300} onChange={(summary) => put({ summary })} />
        <div className="d-grid">
          <TextIn label={t('design.catalogue_code')} hint={t('design.catalogue_help')} at="/catalogue_code" max={12} value={content.catalogue_code ?? ''} onChange={(catalogue_code) => put({ catalogue_code })} />
          <TextIn label={t('design.task_code')} hint={t('design.task_help')} at="/task_code" max={31} value={content.task_code ?? ''} onChange={(task_code) => put({ task_code })} />
          <SelectIn label={t('design.type')} at="/type" value={content.type} onChange={(type) => put({ type: type as Content['type'] })} options={ITEM_TYPES.map((v) => ({ value: v, text: t(`design.type_${v}`) }))} />
          <SelectIn label={t('design.level')} at="/level" value={content.level} onChange={(level) => put({ level: level as Content['level'] })} options={LEVELS.map((v) => ({ value: v, text: t(`design.level_${v}`) }))} />
          {organisations.length ? <SelectIn label={t('app.organisation')} at="/organisation" value={content.organisation} onChange={(organisation) => put({ organisation })} options={organisations.map((o) => ({ value: o.code, text: w(o.title) }))} />
            : <TextIn label={t('app.organisation')} at="/organisation" value={content.organisation ?? ''} onChange={(organisation) => put({ organisation })} />}
          <SelectIn label={t('design.serves')} at="/serves" value={content.serves} onChange={(serves) => put({ serves: serves as Content['serves'] })} options={SERVES.map((v) => ({ value: v, text: t(`design.serves_${v}`) }))} />
          <SelectIn label={t('design.matter')} hint={t('design.matter_help')} at="/matter" value={content.matter} onChange={(matter) => put({ matter })} options={MATTERS.map((v) => ({ value: v, text: t(`design.matter_${v}`) }))} />
          <SelectIn label={t('design.proofing')} at="/proofing" value={String(content.proofing ?? 2)} onChange={(v) => put({ proofing: Number(v) })} options={['1', '2', '3'].map((v) => ({ value: v, text: t(`design.proofing_${v as '1'}`) }))} />
        </div>
        <div className="d-grid">
          <LinesIn label={t('design.keywords')} hint={t('design.keywords_help')} at="/keywords" value={content.keywords ?? []} onChange={(keywords) => put({ keywords })} />
          <LinesIn label={t('design.subjects')} hint={t('design.subjects_help')} at="/subjects" value={content.subjects ?? []} onChange={(subjects) => put({ subjects })} />
        </div>
        <LinesIn label={t('design.basis')} hint={t('design.basis_help')} at="/basis" value={content.basis ?? []} onChange={(basis) => put({ basis })} />
      </section>
      <section className="card stack" aria-label={t('design.limits')}>
        <h2>{t('design.limits')}</h2>
        <div className="d-grid">
          {(['statutory', 'promised'] as const).map((name) => {
            const limit: Limit = content[name] ?? { days: 0, count: 'working_days' };
            return (
              <div key={name} className="stack" data-at={`/${name}`}>
                <NumberIn label={t(`clock.${name}`)} at={`/${name}`} min={1} max={3650} value={limit.days} onChange={(days) => put({ [name]: { ...limit, days: days ?? 0 } })} />
                <SelectIn label={t('design.count_of', { limit: t(`clock.${name}`) })} value={limit.count} onChange={(count) => put({ [name]: { ...limit, count: count as Limit['count'] } })} options={(['working_days', 'calendar_days'] as const).map((v) => ({ value: v, text: t(`clock.${v}`) }))} />
              </div>
            );
          })}
          <NumberIn label={t('design.visits')} at="/visits" min={0} max={20} value={content.visits ?? 0} onChange={(visits) => put({ visits: visits ?? 0 })} />
          <CheckIn label={t('design.instant')} at="/instant" value={content.instant === true} onChange={(instant) => put({ instant })} />
        </div>
        <ChecksIn label={t('design.channels')} at="/channels" value={content.channels ?? []} onChange={(channels) => put({ channels })} options={CHANNELS.map((v) => ({ value: v, text: t(`desk_channel.${v}`) }))} />
        <ChecksIn label={t('design.delivery')} at="/delivery" value={content.delivery ?? []} onChange={(delivery) => put({ delivery })} options={DELIVERY_WAYS.map((v) => ({ value: v, text: t(`desk_delivery.${v}`) }))} />
        <WordsIn label={t('design.place')} at="/place" value={content.place} max={300} onChange={(place) => put({ place })} />
        <WordsIn label={t('design.contact')} at="/contact" value={content.contact} max={300} onChange={(contact) => put({ contact })} />
      </section>
      <section className="card stack" aria-label={t('design.conditions')}>
        <h2>{t('design.conditions')}</h2>
        <ListOf items={content.conditions ?? []} at="/conditions" onChange={(conditions) => put({ conditions })} fresh={() => ({ zh: '', en: '' })} title={(_, i) => t('design.condition_n', { n: i + 1 })} addText={t('design.add_condition')}>
          {(one, save, i) => <WordsIn label={t('design.condition_n', { n: i + 1 })} at={`/conditions/${i}`} value={one} max={300} onChange={save} />}
        </ListOf>
      </section>
      <section className="card stack" aria-label={t('design.fees')}>
        <h2>{t('design.fees')}</h2>
        <ListOf<Fee> items={content.fees ?? []} at="/fees" onChange={(fees) => put({ fees })} fresh={() => ({ title: { zh: '', en: '' }, fen: 0, basis: '', when: [] })} title={(fee, i) => w(fee.title) || t('design.fee_n', { n: i + 1 })} addText={t('design.add_fee')}>
          {(fee, save, i) => (
            <>
              <WordsIn label={t('design.fee_title')} at={`/fees/${i}/title`} value={fee.title} max={100} onChange={(title) => save({ ...fee, title })} />
              <div className="d-grid">
                <NumberIn label={t('design.fee_yuan')} at={`/fees/${i}/fen`} min={0} value={fee.fen / 100} onChange={(yuan) => save({ ...fee, fen: Math.round((yuan ?? 0) * 100) })} />
                <TextIn label={t('matter.basis')} at={`/fees/${i}/basis`} max={300} value={fee.basis} onChange={(basis) => save({ ...fee, basis })} />
              </div>
              <WhenEditor form={content.form ?? emptyForm()} of={null} value={fee.when ?? []} at={`/fees/${i}/when`} onChange={(when) => save({ ...fee, when })} />
            </>
          )}
        </ListOf>
      </section>
    </>
  );
}
