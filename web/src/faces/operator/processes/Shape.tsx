// Operator: what a decision model offers and what it wants to know.
import type { DecisionShape, ModelShape } from '../../../api/decisions';
import { SimpleTable } from '../../../components/SimpleTable';
import { useI18n } from '../../../i18n';

export function Shape({ shape }: { shape: ModelShape }) {
  const { t } = useI18n();
  return (
    <div className="stack">
      <SimpleTable<DecisionShape> caption={t('dec.decisions_caption')} rows={shape.decisions} rowKey={(d) => d.name} columns={[
        { title: t('word.name'), cell: (d) => <>{d.name}{d.question ? <div className="muted small">{d.question}</div> : null}</> },
        { title: t('dec.type'), cell: (d) => d.type_name || t('dec.any') },
        { title: t('dec.logic'), cell: (d) => <code>{d.logic}</code> },
        { title: t('dec.asks'), cell: (d) => [...d.asks, ...d.inputs].join(', ') || '—' }]} />
      <SimpleTable<{ name: string; type_name: string }> caption={t('dec.inputs_caption')} rows={shape.inputs} rowKey={(i) => i.name} columns={[
        { title: t('word.name'), cell: (i) => i.name },
        { title: t('dec.type'), cell: (i) => i.type_name || t('dec.any') }]} />
    </div>
  );
}
