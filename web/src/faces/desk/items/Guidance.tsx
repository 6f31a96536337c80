// Desk, item designer: guidance by questions (情形引导): the tree at a glance, each question with its
// options and where they lead.
import type { Json } from '../../../api/cases';
import { useApi } from '../../../api/hooks';
import type { Choice, ItemLine, Question } from '../../../api/items';
import { useI18n } from '../../../i18n';
import { askableBefore, choicesOf, emptyForm, freshName, kindOf, nodeOf, titleOf, valuesOf } from '../../../lib/designer';
import { guidanceTree } from '../../../lib/itemContent';
import type { TabProps } from './Basics';
import { ListOf, SelectIn, WordsIn, goToPlace } from './parts';

type Way = 'form' | 'next' | 'item' | 'stop';
const wayOf = (option: Choice): Way => (option.next ? 'next' : option.item !== undefined && option.item !== null ? 'item' : option.stop ? 'stop' : 'form');

export function Guidance({ content, item, onChange }: TabProps) {
  const { t, w } = useI18n();
  const list = content.guidance ?? [];
  const items = useApi<{ items: ItemLine[] }>('/items', { all: true, limit: 200 });
  const put = (guidance: Question[]) => onChange({ ...content, guidance });
  const names = list.map((q) => q.name);
  const option = (): Choice => ({ title: { zh: '', en: '' } });
  const fresh = (): Question => ({ name: freshName(names, 'question'), ask: { zh: '', en: '' }, options: [option(), option()] });
  /** A new question behind an option, at once linked to it. */
  const grow = (q: number, o: number) => {
    const next = fresh();
    put([...list.map((one, n) => (n === q ? { ...one, options: one.options.map((c, m) => (m === o ? { title: c.title, sets: c.sets, next: next.name } : c)) } : one)), next]);
  };
  return (
    <section className="card stack" aria-label={t('design.tab_guidance')}>
      <h2>{t('design.tab_guidance')}</h2>
      <p className="muted small">{t('design.guidance_help')}</p>
      {list.length ? (
        <ul className="tree-outline" aria-label={t('design.tree')}>
          {guidanceTree(list).map(({ question, depth }) => (
            <li key={question.name} style={{ paddingLeft: `${Math.max(0, depth) * 1.4}rem` }}>
              <button type="button" className="link" onClick={() => goToPlace(`/guidance/${names.indexOf(question.name)}`)}>{w(question.ask) || question.name}</button>
              {depth < 0 ? <span className="over"> {t('design.unreached')}</span> : <span className="muted small"> {question.options.map((o) => w(o.title)).filter(Boolean).join(' / ')}</span>}
            </li>
          ))}
        </ul>
      ) : null}
      <ListOf<Question> items={list} at="/guidance" onChange={put} fresh={fresh} title={(q, i) => w(q.ask) || t('design.question_n', { n: i + 1 })} addText={t('design.add_question')}>
        {(q, save, i) => (
          <>
            <WordsIn label={t('design.ask')} at={`/guidance/${i}/ask`} value={q.ask} max={200} onChange={(ask) => save({ ...q, ask })} />
            <ListOf<Choice> items={q.options} at={`/guidance/${i}/options`} onChange={(options) => save({ ...q, options })} fresh={option} title={(o, n) => w(o.title) || t('design.option_n', { n: n + 1 })} addText={t('design.add_option')}>
              {(o, put1, n) => <OneOption content={content} item={item} at={`/guidance/${i}/options/${n}`} option={o} others={list.filter((one) => one.name !== q.name)} items={items.data?.items ?? []} onChange={put1} onGrow={() => grow(i, n)} />}
            </ListOf>
          </>
        )}
      </ListOf>
    </section>
  );
}

function OneOption({ content, item, at, option, others, items, onChange, onGrow }: { content: TabProps['content']; item: string; at: string; option: Choice; others: readonly Question[]; items: readonly ItemLine[]; onChange: (option: Choice) => void; onGrow: () => void }) {
  const { t, w, lang } = useI18n();
  const way = wayOf(option);
  const base: Choice = { title: option.title, ...(option.sets ? { sets: option.sets } : {}) };
  const form = content.form ?? emptyForm();
  const sets = Object.entries(option.sets ?? {});
  const fieldText = (name: string) => titleOf(form, name, lang);
  const valueText = (name: string, value: Json) => (kindOf(nodeOf(form, name)) === 'boolean' ? t(value === true ? 'word.yes' : 'word.no') : choicesOf(nodeOf(form, name)).find((c) => c.value === value)?.words[lang] || String(value));
  const setAt = (name: string, value: Json) => onChange({ ...option, sets: { ...option.sets, [name]: value } });
  return (
    <>
      <WordsIn label={t('design.option_title')} at={`${at}/title`} value={option.title} max={100} onChange={(title) => onChange({ ...option, title })} />
      <div className="d-grid">
        <SelectIn label={t('design.leads_to')} at={at} value={way} onChange={(next) => onChange(next === 'next' ? { ...base, next: others[0]?.name ?? '' } : next === 'item' ? { ...base, item: '' } : next === 'stop' ? { ...base, stop: { zh: '', en: '' } } : base)}
          options={(['form', 'next', 'item', 'stop'] as const).map((v) => ({ value: v, text: t(`design.way_${v}`) }))} />
        {way === 'next' ? <SelectIn label={t('design.next_question')} at={`${at}/next`} value={option.next} onChange={(next) => onChange({ ...base, next })} options={others.map((q) => ({ value: q.name, text: w(q.ask) || q.name }))} /> : null}
        {way === 'item' ? <SelectIn label={t('design.other_item')} at={`${at}/item`} value={option.item} onChange={(other) => onChange({ ...base, item: other })} options={items.filter((i) => i.item !== item).map((i) => ({ value: i.item, text: w(i.title) }))} /> : null}
      </div>
      {way === 'stop' ? <WordsIn label={t('design.stop_words')} at={`${at}/stop`} value={option.stop} max={500} onChange={(stop) => onChange({ ...base, stop })} /> : null}
      {way !== 'next' ? <div><button type="button" className="link" onClick={onGrow}>{t('design.grow')}</button></div> : null}
      <details data-at={`${at}/sets`} open={sets.length > 0}>
        <summary>{t('design.sets')}</summary>
        {sets.map(([name, value]) => (
          <div key={name} className="row">
            <SelectIn label={fieldText(name)} value={JSON.stringify(value)} onChange={(v) => setAt(name, JSON.parse(v) as Json)} options={valuesOf(form, name).map((v) => ({ value: JSON.stringify(v), text: valueText(name, v) }))} />
            <button type="button" className="link" onClick={() => { const { [name]: _, ...rest } = option.sets ?? {}; onChange({ ...option, sets: rest }); }}>{t('design.remove_of', { title: fieldText(name) })}</button>
          </div>
        ))}
        <SelectIn label={t('design.add_set')} value="" none={t('design.choose')} onChange={(name) => { const first = valuesOf(form, name)[0]; if (name && first !== undefined) setAt(name, first); }} options={askableBefore(form, null).filter((n) => !(n in (option.sets ?? {})) && kindOf(nodeOf(form, n)) !== 'choices').map((n) => ({ value: n, text: fieldText(n) }))} />
      </details>
    </>
  );
}
