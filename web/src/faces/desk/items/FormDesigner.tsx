// Desk, form designer: the fields in their order and steps (moved by keyboard or dragged), the panel
// of the chosen one, and the form as a phone shows it.
import { useState, type DragEvent } from 'react';
import { SchemaForm } from '../../../components/form';
import { useI18n } from '../../../i18n';
import { addField, addStep, brokenConditions, fieldNames, isRequired, kindOf, KINDS, moveField, nodeOf, removeField, setField, stepsOf, titleOf as labelOf, withSteps, type Content, type Kind } from '../../../lib/designer';
import { FieldPanel } from './FieldPanel';
import { TextIn, useFaultsAt } from './parts';
import { usePrefills } from './sources';

interface Props { content: Content; /** JSON pointer of the form in the item. */ at: string; onChange: (content: Content) => void }

export function FormDesigner({ content, at, onChange }: Props) {
  const { t, lang } = useI18n();
  const form = content.form ?? {};
  const names = fieldNames(form);
  const steps = stepsOf(form);
  const prefills = usePrefills();
  const [chosen, setChosen] = useState<string | null>(names[0] ?? null);
  const [kind, setKind] = useState<Kind>('text');
  const [said, setSaid] = useState('');
  const now = chosen !== null && names.includes(chosen) ? chosen : null;
  const faults = useFaultsAt(at);
  const broken = brokenConditions(form);
  const titleOf = (name: string) => labelOf(form, name, lang);
  const move = (name: string, to: number, step?: string) => {
    const moved = moveField(form, name, to);
    onChange({ ...content, form: step === undefined ? moved : setField(moved, name, { 'x-step': step }) });
    setSaid(t('design.moved', { title: titleOf(name), n: Math.max(0, Math.min(names.length - 1, to)) + 1 }));
  };
  const add = () => {
    const made = addField(form, kind, now, { zh: t('design.new_field', { n: names.length + 1 }), en: `Field ${names.length + 1}` });
    onChange({ ...content, form: made.form });
    setChosen(made.name);
  };
  const groups = steps.length ? steps.map((s) => ({ step: s, fields: names.filter((n) => nodeOf(form, n)['x-step'] === s.name) })) : [{ step: null, fields: names }];
  const stray = steps.length ? names.filter((n) => !steps.some((s) => s.name === nodeOf(form, n)['x-step'])) : [];
  return (
    <div className="designer" data-at={at}>
      <div>
        <section className="card" aria-label={t('design.fields')}>
          <h3>{t('design.fields')}</h3>
          {names.length === 0 ? <p className="muted">{t('design.no_fields')}</p> : <p className="muted small">{t('design.order_help')}</p>}
          {[...groups, ...(stray.length ? [{ step: null, fields: stray }] : [])].map((group, g) => (
            <FieldList key={group.step?.name ?? g} head={group.step ? group.step.title[lang] || group.step.title.zh || group.step.name : null} step={group.step?.name} fields={group.fields} all={names} now={now} titleOf={titleOf}
              about={(name) => `${t(`design.kind_${kindOf(nodeOf(form, name))}`)}${isRequired(form, name) ? ` · ${t('design.required')}` : ''}${broken.some((b) => b.name === name) ? ` · ${t('design.broken')}` : ''}`} onChoose={setChosen} onMove={move} />
          ))}
          <div className="row">
            <div className="d-input"><label htmlFor="new-kind">{t('design.add_kind')}</label><select id="new-kind" value={kind} onChange={(e) => setKind(e.target.value as Kind)}>{KINDS.map((k) => <option key={k} value={k}>{t(`design.kind_${k}`)}</option>)}</select></div>
            <button type="button" className="button strong" onClick={add}>{t('design.add_field')}</button>
          </div>
          {now ? <p><button type="button" className="link" onClick={() => { onChange(removeField(content, now)); setChosen(null); }}>{t('design.remove_of', { title: titleOf(now) })}</button></p> : null}
          {faults.map((f) => <p key={f} className="error-text small">{f}</p>)}
          <p className="hidden" role="status" aria-live="polite">{said}</p>
        </section>
        <section className="card stack" aria-label={t('design.steps')} data-at={`${at}/x-steps`}>
          <h3>{t('design.steps')}</h3>
          <p className="muted small">{t('design.steps_help')}</p>
          {steps.map((s, i) => (
            <div key={s.name} className="when-row" data-at={`${at}/x-steps/${i}`}>
              <TextIn label={t('design.step_zh', { n: i + 1 })} value={s.title.zh} max={60} onChange={(zh) => onChange({ ...content, form: withSteps(form, steps.map((one, n) => (n === i ? { ...one, title: { ...one.title, zh } } : one))) })} />
              <TextIn label={t('design.step_en', { n: i + 1 })} value={s.title.en} max={60} onChange={(en) => onChange({ ...content, form: withSteps(form, steps.map((one, n) => (n === i ? { ...one, title: { ...one.title, en } } : one))) })} />
              <div className="row">
                <button type="button" className="link" disabled={i === 0} aria-label={t('design.up_of', { title: s.title.zh || s.name })} onClick={() => { const next = [...steps]; next.splice(i - 1, 0, ...next.splice(i, 1)); onChange({ ...content, form: withSteps(form, next) }); }}>{t('design.up')}</button>
                <button type="button" className="link" aria-label={t('design.remove_of', { title: s.title.zh || s.name })} onClick={() => onChange({ ...content, form: withSteps(form, steps.filter((_, n) => n !== i)) })}>{t('design.remove')}</button>
              </div>
            </div>
          ))}
          <div><button type="button" className="button" onClick={() => onChange({ ...content, form: addStep(form, { zh: t('design.new_step', { n: steps.length + 1 }), en: `Step ${steps.length + 1}` }) })}>{t('design.add_step')}</button></div>
        </section>
      </div>
      {now ? <FieldPanel key={now} content={content} name={now} at={at} prefills={prefills} onChange={onChange} onRenamed={setChosen} /> : <section className="card"><p className="muted">{t('design.choose_field')}</p></section>}
      <section className="phone" aria-label={t('design.preview')}>
        <h3>{t('design.preview')}</h3>
        <div className="phone-frame" tabIndex={0}><SchemaForm schema={form} prefix="preview" /></div>
      </section>
    </div>
  );
}

interface ListProps { head: string | null; step: string | undefined; fields: readonly string[]; all: readonly string[]; now: string | null; titleOf: (name: string) => string; about: (name: string) => string; onChoose: (name: string) => void; onMove: (name: string, to: number, step?: string) => void }

function FieldList({ head, step, fields, all, now, titleOf, about, onChoose, onMove }: ListProps) {
  const { t } = useI18n();
  const [over, setOver] = useState<string | null>(null);
  const place = (name: string) => all.indexOf(name);
  const drop = (event: DragEvent, before: string | null) => {
    event.preventDefault();
    setOver(null);
    const name = event.dataTransfer.getData('text/x-field');
    if (!name || name === before || !all.includes(name)) return;
    const to = before === null ? (fields.length ? place(fields[fields.length - 1] ?? '') + 1 : all.length) : place(before);
    onMove(name, place(name) < to ? to - 1 : to, step);
  };
  return (
    <>
      {head ? <p className="step-head" onDragOver={(e) => e.preventDefault()} onDrop={(e) => drop(e, fields[0] ?? null)}><strong>{head}</strong></p> : null}
      <ul className="field-list">
        {fields.map((name) => (
          <li key={name} className={`field-row${name === now ? ' now' : ''}${name === over ? ' over' : ''}`} draggable onDragStart={(e) => { e.dataTransfer.setData('text/x-field', name); e.dataTransfer.effectAllowed = 'move'; }} onDragOver={(e) => { e.preventDefault(); setOver(name); }} onDragLeave={() => setOver(null)} onDrop={(e) => drop(e, name)}>
            <button type="button" className="field-pick" aria-pressed={name === now} onClick={() => onChoose(name)} onKeyDown={(e) => {
              if (!e.altKey || (e.key !== 'ArrowUp' && e.key !== 'ArrowDown')) return;
              e.preventDefault();
              onMove(name, place(name) + (e.key === 'ArrowUp' ? -1 : 1));
            }}>{titleOf(name)}<small>{about(name)}</small></button>
            <button type="button" disabled={place(name) === 0} aria-label={t('design.up_of', { title: titleOf(name) })} onClick={() => onMove(name, place(name) - 1)}>↑</button>
            <button type="button" disabled={place(name) === all.length - 1} aria-label={t('design.down_of', { title: titleOf(name) })} onClick={() => onMove(name, place(name) + 1)}>↓</button>
          </li>
        ))}
      </ul>
      {fields.length === 0 ? <p className="muted small" onDragOver={(e) => e.preventDefault()} onDrop={(e) => drop(e, null)}>{t('design.empty_step')}</p> : null}
    </>
  );
}
