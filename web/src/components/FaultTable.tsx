// Component: faults of a file that was refused, each with its line and what stands there.
import type { ApiError } from '../api/client';
import { useI18n } from '../i18n';
import { faultRows, type FaultRow } from '../lib/cases';
import { number } from '../lib/format';
import { SimpleTable } from './SimpleTable';

export function FaultTable({ error, xml, title, onLine }: { error: ApiError | null; xml: string; title: 'proc.faults' | 'dec.faults' | 'sim.file_faults'; onLine?: (line: number) => void }) {
  const { t, lang } = useI18n();
  if (!error) return null;
  const rows = faultRows(error.problems, xml);
  return (
    <div className="error-box" role="alert">
      <p><strong>{rows.length ? t(title, { n: rows.length }) : error.say(lang)}</strong></p>
      {rows.length ? (
        <SimpleTable<FaultRow> quiet caption={t('proc.faults_caption')} rows={rows} rowKey={(_, i) => String(i)} columns={[
          { title: t('proc.line'), right: true, cell: (r) => (r.line === null ? <code>{r.at}</code> : onLine ? <button type="button" className="link" onClick={() => onLine(r.line ?? 1)}>{number(r.line, 0)}</button> : number(r.line, 0)) },
          { title: t('proc.fault'), cell: (r) => r.words[lang] },
          { title: t('proc.line_text'), cell: (r) => <code style={{ overflowWrap: 'anywhere' }}>{r.text}</code> }]} />
      ) : null}
    </div>
  );
}
