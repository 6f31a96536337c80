// Desk, item designer: what comes out of it: the document, the type of licence and where each of its
// fields is taken from, and whose it is when the holder is not the applicant.
import { useLicenceTypes } from '../../../api/licences';
import type { Outcome as Made } from '../../../api/items';
import { useI18n } from '../../../i18n';
import { fieldNames, titleOf } from '../../../lib/designer';
import type { TabProps } from './Basics';
import { CheckIn, SelectIn, TextIn, WordsIn } from './parts';

const PATHS = ['applicant.name', 'applicant.number', 'number'] as const;

export function Outcome({ content, onChange }: TabProps) {
  const { t, w, lang } = useI18n();
  const { types } = useLicenceTypes();
  // A copy may leave out what is empty.
  const written: Partial<Made> = content.outcome ?? {};
  const outcome: Made = { title: written.title ?? { zh: '', en: '' }, licence: written.licence ?? null, fields: written.fields ?? {}, holder: written.holder ?? null };
  const put = (part: Partial<Made>) => onChange({ ...content, outcome: { ...outcome, ...part } });
  const type = outcome.licence ? types.get(outcome.licence) : undefined;
  const names = fieldNames(content.form);
  const fieldText = (name: string) => titleOf(content.form, name, lang);
  const paths = [...PATHS.map((p) => ({ value: p as string, text: t(`design.path_${p.replace('.', '_') as 'number'}`) })), ...names.map((n) => ({ value: `form.${n}`, text: t('design.from_form', { field: fieldText(n) }) })), { value: '=', text: t('design.constant') }];
  const setField = (name: string, from: string) => { const { [name]: _, ...rest } = outcome.fields; put({ fields: from ? { ...outcome.fields, [name]: from } : rest }); };
  return (
    <section className="card stack" aria-label={t('design.tab_outcome')}>
      <h2>{t('design.tab_outcome')}</h2>
      <WordsIn label={t('design.outcome_title')} at="/outcome/title" value={outcome.title} max={100} onChange={(title) => put({ title })} />
      <SelectIn label={t('design.licence_type')} hint={t('design.licence_help')} at="/outcome/licence" value={outcome.licence} none={t('design.no_licence')} onChange={(licence) => put({ licence: licence || null, fields: licence === outcome.licence ? outcome.fields : {} })} options={[...types.values()].map((l) => ({ value: l.name, text: w(l.title) }))} />
      {type ? (
        <fieldset className="plain-fieldset stack" data-at="/outcome/fields">
          <legend>{t('design.mapping')}</legend>
          {type.fields.map((f) => {
            const from = outcome.fields[f.name] ?? '';
            const constant = from.startsWith('=');
            return (
              <div key={f.name} className="d-grid">
                <SelectIn label={`${w(f.title)}${f.required ? ` (${t('design.required')})` : ''}`} at={`/outcome/fields/${f.name}`} value={constant ? '=' : from} none={f.required ? undefined : t('design.left_empty')} onChange={(v) => setField(f.name, v)} options={paths} />
                {constant ? <TextIn label={t('design.constant_of', { field: w(f.title) })} value={from.slice(1)} max={200} onChange={(v) => setField(f.name, `=${v}`)} /> : null}
              </div>
            );
          })}
        </fieldset>
      ) : null}
      <CheckIn label={t('design.other_holder')} value={outcome.holder !== null} onChange={(on) => put({ holder: on ? { number: '', name: '' } : null })} />
      {outcome.holder ? (
        <div className="d-grid" data-at="/outcome/holder">
          <SelectIn label={t('design.holder_number')} at="/outcome/holder/number" value={outcome.holder.number} onChange={(number) => put({ holder: { number, name: outcome.holder?.name ?? '' } })} options={names.map((n) => ({ value: `form.${n}`, text: fieldText(n) }))} />
          <SelectIn label={t('design.holder_name')} at="/outcome/holder/name" value={outcome.holder.name} onChange={(name) => put({ holder: { number: outcome.holder?.number ?? '', name } })} options={names.map((n) => ({ value: `form.${n}`, text: fieldText(n) }))} />
        </div>
      ) : null}
    </section>
  );
}
