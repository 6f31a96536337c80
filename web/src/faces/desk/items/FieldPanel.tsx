// Desk, form designer: one field: its words, kind, choices, bounds, where its value comes from and
// when it is asked.
import { useState } from 'react';
import type { Json } from '../../../api/cases';
import { useI18n } from '../../../i18n';
import { askableBefore, choicesOf, EXTRAS, fieldNames, isFieldName, isRequired, kindOf, KINDS, nodeOf, putNode, renameField, setField, setRequired, stepsOf, titleOf, whensOf, withChoices, withKind, type Content, type Kind } from '../../../lib/designer';
import { CheckIn, NumberIn, SelectIn, TextIn, WordsIn } from './parts';
import type { Prefills } from './sources';
import { WhenEditor } from './WhenEditor';

interface Props { content: Content; name: string; at: string; prefills: Prefills; onChange: (content: Content) => void; onRenamed: (name: string) => void }

export function FieldPanel({ content, name, at, prefills, onChange, onRenamed }: Props) {
  const { t, lang } = useI18n();
  const form = content.form ?? {};
  const node = nodeOf(form, name);
  const kind = kindOf(node);
  const text = (word: string) => (typeof node[word] === 'string' ? (node[word] as string) : '');
  const num = (word: string) => (typeof node[word] === 'number' ? (node[word] as number) : null);
  const put = (change: { [keyword: string]: Json | undefined }) => onChange({ ...content, form: setField(form, name, change) });
  const has = (word: string) => EXTRAS[kind].includes(word);
  const steps = stepsOf(form);
  const here = `${at}/properties/${name}`;
  const others = (of: Kind) => fieldNames(form).filter((n) => n !== name && kindOf(nodeOf(form, n)) === of).map((n) => ({ value: n, text: titleOf(form, n, lang) }));
  const dates = others('date');
  return (
    <section className="card stack" aria-label={t('design.field_panel')} data-at={here}>
      <h3>{titleOf(form, name, lang)}</h3>
      <WordsIn label={t('design.field_title')} at={`${here}/title`} value={{ zh: text('title'), en: text('x-title-en') }} max={100} onChange={(w) => put({ title: w.zh, 'x-title-en': w.en })} />
      <WordsIn label={t('design.field_help')} at={`${here}/x-help`} value={{ zh: text('x-help'), en: text('x-help-en') }} max={300} onChange={(w) => put({ 'x-help': w.zh, 'x-help-en': w.en })} />
      <div className="d-grid">
        <SelectIn label={t('design.kind')} at={`${here}/type`} value={kind} onChange={(k) => onChange({ ...content, form: putNode(form, name, withKind(node, k as Kind)) })} options={KINDS.map((k) => ({ value: k, text: t(`design.kind_${k}`) }))} />
        {steps.length ? <SelectIn label={t('design.step')} at={`${here}/x-step`} value={text('x-step')} onChange={(step) => put({ 'x-step': step })} options={steps.map((s) => ({ value: s.name, text: s.title[lang] || s.title.zh || s.name }))} /> : null}
        <Name key={name} name={name} taken={fieldNames(form)} onName={(to) => { onChange(renameField(content, name, to)); onRenamed(to); }} />
      </div>
      <div className="d-checks">
        <CheckIn label={t('design.required')} value={isRequired(form, name)} onChange={(on) => onChange({ ...content, form: setRequired(form, name, on) })} />
        <CheckIn label={t('design.personal')} value={node['x-personal'] === true} onChange={(on) => put({ 'x-personal': on })} />
      </div>
      {kind === 'choice' || kind === 'choices' ? <Choices node={node} at={here} onChange={(next) => onChange({ ...content, form: putNode(form, name, next) })} /> : null}
      {has('x-prefill') ? <SelectIn label={t('design.prefill')} at={`${here}/x-prefill`} hint={t('design.prefill_help')} value={text('x-prefill')} none={t('design.prefill_none')} onChange={(v) => put({ 'x-prefill': v })} options={prefills.options.map((p) => ({ value: p.path, text: p.text }))} /> : null}
      {has('x-prefill') ? prefills.errors.map((e) => <p key={e.message} className="error-text" role="alert">{t('design.sources_refused', { why: e.say(lang) })}</p>) : null}
      {has('minLength') || has('minimum') || has('minItems') || has('x-not-before') ? (
        <details>
          <summary>{t('design.bounds')}</summary>
          <div className="d-grid" style={{ marginTop: 8 }}>
            {has('minLength') ? <NumberIn label={t('design.shortest')} at={`${here}/minLength`} min={0} value={num('minLength')} onChange={(v) => put({ minLength: v ?? undefined })} /> : null}
            {has('maxLength') ? <NumberIn label={t('design.longest')} at={`${here}/maxLength`} min={1} value={num('maxLength')} onChange={(v) => put({ maxLength: v ?? undefined })} /> : null}
            {has('pattern') ? <TextIn label={t('design.pattern')} at={`${here}/pattern`} hint={t('design.pattern_help')} max={200} value={text('pattern')} onChange={(v) => put({ pattern: v })} /> : null}
            {has('minimum') ? <NumberIn label={t(kind === 'money' ? 'design.least_money' : 'design.least')} at={`${here}/minimum`} value={num('minimum')} onChange={(v) => put({ minimum: v ?? (kind === 'money' ? 0 : undefined) })} /> : null}
            {has('maximum') ? <NumberIn label={t(kind === 'money' ? 'design.most_money' : 'design.most')} at={`${here}/maximum`} value={num('maximum')} onChange={(v) => put({ maximum: v ?? undefined })} /> : null}
            {has('multipleOf') ? <NumberIn label={t(kind === 'money' ? 'design.multiple_money' : 'design.multiple')} at={`${here}/multipleOf`} hint={t('design.multiple_help')} min={0} value={num('multipleOf')} onChange={(v) => put({ multipleOf: v || undefined })} /> : null}
            {has('x-unit') ? <TextIn label={t('design.unit')} at={`${here}/x-unit`} max={20} value={text('x-unit')} onChange={(v) => put({ 'x-unit': v })} /> : null}
            {has('minItems') ? <NumberIn label={t('design.fewest')} at={`${here}/minItems`} min={0} value={num('minItems')} onChange={(v) => put({ minItems: v ?? undefined })} /> : null}
            {has('maxItems') ? <NumberIn label={t('design.most_items')} at={`${here}/maxItems`} min={1} value={num('maxItems')} onChange={(v) => put({ maxItems: v ?? undefined })} /> : null}
            {has('x-not-before') ? <SelectIn label={t('design.not_before')} at={`${here}/x-not-before`} value={text('x-not-before')} none={t('word.none')} onChange={(v) => put({ 'x-not-before': v })} options={[{ value: 'today', text: t('design.today') }, ...dates]} /> : null}
            {has('x-not-after') ? <SelectIn label={t('design.not_after')} at={`${here}/x-not-after`} value={text('x-not-after')} none={t('word.none')} onChange={(v) => put({ 'x-not-after': v })} options={[{ value: 'today', text: t('design.today') }, ...dates]} /> : null}
            {has('x-after') ? <SelectIn label={t('design.later_than')} at={`${here}/x-after`} value={text('x-after')} none={t('word.none')} onChange={(v) => put({ 'x-after': v })} options={dates} /> : null}
            {has('x-birth-of') ? <SelectIn label={t('design.birth_of')} at={`${here}/x-birth-of`} hint={t('design.birth_of_help')} value={text('x-birth-of')} none={t('word.none')} onChange={(v) => put({ 'x-birth-of': v })} options={others('citizen')} /> : null}
          </div>
        </details>
      ) : null}
      <details>
        <summary>{t('design.for_designers')}</summary>
        <div className="d-grid" style={{ marginTop: 8 }}>
          <TextIn label={t('design.was')} at={`${here}/x-was`} hint={t('design.was_help')} max={40} value={text('x-was')} onChange={(v) => put({ 'x-was': v })} />
          <TextIn label={t('design.remark')} at={`${here}/description`} hint={t('design.remark_help')} area={2} max={500} value={text('description')} onChange={(v) => put({ description: v })} />
        </div>
      </details>
      <fieldset className="plain-fieldset" data-at={`${here}/x-when`}>
        <legend>{t('design.when')}</legend>
        {askableBefore(form, name).length ? <p className="muted small">{t('design.when_help')}</p> : null}
        <WhenEditor form={form} of={name} value={whensOf(node)} at={`${here}/x-when`} onChange={(when) => put({ 'x-when': when.map((w) => ({ ...w })) as unknown as Json })} />
      </fieldset>
    </section>
  );
}

/** The machine's name of a field: taken over when it is a name and free, everywhere in the item. */
function Name({ name, taken, onName }: { name: string; taken: readonly string[]; onName: (name: string) => void }) {
  const { t } = useI18n();
  const [typed, setTyped] = useState(name);
  const wrong = typed === name ? null : !isFieldName(typed) ? t('design.name_rule') : taken.includes(typed) ? t('design.name_taken') : null;
  return <TextIn label={t('design.field_name')} hint={t('design.field_name_help')} value={typed} max={40} wrong={wrong} onChange={setTyped} onBlur={() => { if (typed !== name && !wrong) onName(typed); }} />;
}

function Choices({ node, at, onChange }: { node: { [name: string]: Json }; at: string; onChange: (node: { [name: string]: Json }) => void }) {
  const { t } = useI18n();
  const choices = choicesOf(node);
  const put = (next: typeof choices) => onChange(withChoices(node, next));
  const fresh = () => { for (let n = choices.length + 1; ; n++) if (!choices.some((c) => c.value === `option_${n}`)) return `option_${n}`; };
  return (
    <fieldset className="plain-fieldset stack" data-at={`${at}/enum`}>
      <legend>{t('design.choices')}</legend>
      {choices.map((choice, i) => (
        <div key={i} className="choice-row">
          <TextIn label={t('design.choice_value', { n: i + 1 })} value={choice.value} max={60} onChange={(value) => put(choices.map((c, n) => (n === i ? { ...c, value } : c)))} />
          <TextIn label={t('design.choice_zh', { n: i + 1 })} value={choice.words.zh} max={100} onChange={(zh) => put(choices.map((c, n) => (n === i ? { ...c, words: { ...c.words, zh } } : c)))} />
          <TextIn label={t('design.choice_en', { n: i + 1 })} value={choice.words.en} max={100} onChange={(en) => put(choices.map((c, n) => (n === i ? { ...c, words: { ...c.words, en } } : c)))} />
          <button type="button" className="link" aria-label={t('design.remove_choice', { n: i + 1 })} onClick={() => put(choices.filter((_, n) => n !== i))}>{t('design.remove')}</button>
        </div>
      ))}
      <div><button type="button" className="button" onClick={() => put([...choices, { value: fresh(), words: { zh: '', en: '' } }])}>{t('design.add_choice')}</button></div>
    </fieldset>
  );
}
