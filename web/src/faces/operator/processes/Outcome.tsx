// Operator: a decision that was made: its result, and every table it read with the rows that matched.
import { useMemo } from 'react';
import type { Outcome as Made, TableReading } from '../../../api/decisions';
import { useI18n } from '../../../i18n';
import { plainValue } from '../../../lib/cases';
import { shownRows, writtenRows } from '../../../lib/dmn';
import '../../desk/cases/cases.css';

export function Outcome({ outcome, xml }: { outcome: Made; xml: string }) {
  const { t } = useI18n();
  const plain = (value: Parameters<typeof plainValue>[0]) => plainValue(value, t('word.yes'), t('word.no'));
  return (
    <div className="stack" role="region" aria-label={t('dec.result')}>
      <p style={{ fontSize: '1.1rem' }}>{t('dec.result')} <strong className="outcome">{plain(outcome.result)}</strong></p>
      {outcome.why_null ? <p className="over">{t('dec.why_null', { why: outcome.why_null })}</p> : null}
      {outcome.explanation.length ? <h3>{t('dec.explanation')}</h3> : null}
      {outcome.explanation.map((part, i) => (
        <section key={i} className="stack" aria-label={part.decision}>
          <p><strong>{part.decision}</strong> = {plain(part.value)}</p>
          {part.why_null ? <p className="muted">{t('dec.why_null', { why: part.why_null })}</p> : null}
          {(part.tables ?? []).map((table, n) => <Reading key={n} table={table} xml={xml} />)}
        </section>
      ))}
    </div>
  );
}

function Reading({ table, xml }: { table: TableReading; xml: string }) {
  const { t } = useI18n();
  const rows = useMemo(() => shownRows(table, xml ? writtenRows(xml, table.name) : []), [table, xml]);
  const caption = t('dec.rules_caption', { name: table.name, policy: table.hit_policy, n: table.rules });
  const plain = (value: Parameters<typeof plainValue>[0]) => plainValue(value, t('word.yes'), t('word.no'));
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table className="plain-table">
        <caption>{caption}{table.by_default ? ` · ${t('dec.default_taken')}` : ''}</caption>
        <thead><tr>
          <th scope="col">{t('dec.row')}</th>
          {table.inputs.map((input, i) => <th key={i} scope="col">{input.label || input.expression}<div className="muted small">{t('dec.value_was', { value: plain(input.value) })}</div></th>)}
          {table.outputs.map((output, i) => <th key={i} scope="col">{output || t('dec.result')}</th>)}
          <th scope="col">{t('word.state')}</th>
        </tr></thead>
        <tbody>{rows.map((row) => (
          <tr key={row.row} className={row.how === 'not_matched' ? 'rule-miss' : 'rule-hit'}>
            <th scope="row">{row.row}</th>
            {row.conditions.map((text, i) => <td key={i}><code>{text}</code></td>)}
            {row.outputs.map((text, i) => <td key={i}><code>{text}</code></td>)}
            <td>{row.how === 'not_matched' ? t('dec.not_matched') : <>{row.how === 'matched' ? '✓ ' : '○ '}{t(`dec.${row.how}`)}</>}</td>
          </tr>
        ))}</tbody>
      </table>
    </div>
  );
}
