// Desk, item designer: materials: what must be there, where the city has it already, when it is asked.
import { FILE_KINDS, type Material, type Source } from '../../../api/items';
import { useLicenceTypes } from '../../../api/licences';
import { useI18n } from '../../../i18n';
import { emptyForm, fieldNames, freshName, titleOf } from '../../../lib/designer';
import type { TabProps } from './Basics';
import { CheckIn, ChecksIn, ListOf, NumberIn, SelectIn, TextIn, WordsIn } from './parts';
import { useRegisters } from './sources';
import { WhenEditor } from './WhenEditor';

export function Materials({ content, onChange }: TabProps) {
  const { t, w } = useI18n();
  const list = content.materials ?? [];
  const fresh = (): Material => ({ name: freshName(list.map((m) => m.name), 'material'), title: { zh: '', en: '' }, required: true, may_follow: false, when: [], sources: [], formats: [], most: null, note: null });
  return (
    <section className="card stack" aria-label={t('matter.materials')}>
      <h2>{t('matter.materials')}</h2>
      <p className="muted small">{t('design.materials_help')}</p>
      <ListOf<Material> items={list} at="/materials" onChange={(materials) => onChange({ ...content, materials })} fresh={fresh} title={(m, i) => w(m.title) || t('design.material_n', { n: i + 1 })} addText={t('design.add_material')}>
        {(m, save, i) => (
          <>
            <WordsIn label={t('design.material_title')} at={`/materials/${i}/title`} value={m.title} max={100} onChange={(title) => save({ ...m, title })} />
            <div className="d-grid">
              <TextIn label={t('design.field_name')} at={`/materials/${i}/name`} max={40} value={m.name} onChange={(name) => save({ ...m, name })} />
              <NumberIn label={t('design.most_files')} at={`/materials/${i}/most`} min={1} max={20} value={m.most} onChange={(most) => save({ ...m, most })} />
            </div>
            <div className="d-checks">
              <CheckIn label={t('design.material_required')} value={m.required !== false} onChange={(required) => save({ ...m, required })} />
              <CheckIn label={t('design.may_follow')} value={m.may_follow === true} onChange={(may_follow) => save({ ...m, may_follow })} />
            </div>
            <ChecksIn label={t('design.formats')} at={`/materials/${i}/formats`} value={m.formats ?? []} onChange={(formats) => save({ ...m, formats })} options={FILE_KINDS.map((k) => ({ value: k, text: k.toUpperCase() }))} />
            <WordsIn label={t('design.material_note')} at={`/materials/${i}/note`} value={m.note} max={300} onChange={(note) => save({ ...m, note: note.zh || note.en ? note : null })} />
            <Sources content={content} at={`/materials/${i}/sources`} value={m.sources ?? []} onChange={(sources) => save({ ...m, sources })} />
            <fieldset className="plain-fieldset"><legend>{t('design.when')}</legend><WhenEditor form={content.form ?? emptyForm()} of={null} value={m.when ?? []} at={`/materials/${i}/when`} onChange={(when) => save({ ...m, when })} /></fieldset>
          </>
        )}
      </ListOf>
    </section>
  );
}

function Sources({ content, at, value, onChange }: { content: TabProps['content']; at: string; value: readonly Source[]; onChange: (sources: Source[]) => void }) {
  const { t, w, lang } = useI18n();
  const { types } = useLicenceTypes();
  const { registers, error } = useRegisters();
  const keys = ['person.number', 'party.code', ...fieldNames(content.form).map((n) => `form.${n}`)];
  const keyText = (key: string) => (key.startsWith('form.') ? t('design.from_form', { field: titleOf(content.form, key.slice(5), lang) }) : key === 'person.number' ? t('design.path_person_number') : t('design.path_party_code'));
  return (
    <fieldset className="plain-fieldset stack" data-at={at}>
      <legend>{t('design.sources')}</legend>
      <p className="muted small">{t('design.sources_help')}</p>
      {error ? <p className="error-text" role="alert">{t('design.sources_refused', { why: error.say(lang) })}</p> : null}
      {value.map((source, i) => {
        const put = (next: Source) => onChange(value.map((one, n) => (n === i ? next : one)));
        return (
          <div key={i} className="when-row" data-at={`${at}/${i}`}>
            <SelectIn label={t('design.source_from', { n: i + 1 })} value={source.from} onChange={(from) => put(from === 'licence' ? { from: 'licence', kind: '' } : { from: 'register', register: '', key: 'person.number' })} options={[{ value: 'licence', text: t('design.source_licence') }, { value: 'register', text: t('design.source_register') }]} />
            {source.from === 'licence' ? <SelectIn label={t('design.licence_type')} at={`${at}/${i}/kind`} value={source.kind} onChange={(kind) => put({ ...source, kind })} options={[...types.values()].map((l) => ({ value: l.name, text: w(l.title) }))} /> : (
              <div className="d-grid">
                <SelectIn label={t('design.register')} at={`${at}/${i}/register`} value={source.register} onChange={(register) => put({ ...source, register })} options={registers.map((r) => ({ value: r.name, text: w(r.title) }))} />
                <SelectIn label={t('design.source_key')} at={`${at}/${i}/key`} value={source.key} onChange={(key) => put({ ...source, key })} options={keys.map((k) => ({ value: k, text: keyText(k) }))} />
              </div>
            )}
            <div><button type="button" className="link" onClick={() => onChange(value.filter((_, n) => n !== i))}>{t('design.remove_source', { n: i + 1 })}</button></div>
          </div>
        );
      })}
      <div><button type="button" className="button" onClick={() => onChange([...value, { from: 'licence', kind: '' }])}>{t('design.add_source')}</button></div>
    </fieldset>
  );
}
