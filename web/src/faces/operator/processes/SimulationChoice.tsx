// Operator, simulation: which process, what it is to be compared with (another version, a file, the
// drawing changed here), which past period.
import { useRef, useState } from 'react';
import { Button, DatePicker, Segmented, Select } from 'antd';
import dayjs from 'dayjs';
import type { Process } from '../../../api/cases';
import { fileText } from '../../../components/XmlText';
import { useI18n } from '../../../i18n';
import type { Fault } from '../../../lib/simulation';
import { date, DAY_MS, fromBeijing } from '../../../lib/time';

export interface Choice {
  process: string; way: 'version' | 'drawing';
  /** The newest when null. */
  version: number | null;
  file: { name: string; xml: string; id: number } | null;
  /** Days, both included. */
  from: string; to: string;
}
interface Props {
  choice: Choice; processes: Process[]; versions: Process[]; version: number | undefined;
  /** Of the version; null while it is not there. */
  xml: string | null;
  /** The file comes from the editor and is edited below. */
  fixed: boolean;
  today: string; onChange: (part: Partial<Choice>) => void; changed: Fault[]; period: Fault[];
}

/** What is wrong with an input, right below it. */
export function Said({ faults, id }: { faults: Fault[]; id: string }) {
  const { lang } = useI18n();
  return faults.length ? <span id={id} className="error-text" style={{ display: 'block' }}>{faults.map((f) => f.words[lang]).join(lang === 'zh' ? '；' : '; ')}</span> : null;
}

const PERIODS = [7, 30, 90];

export function SimulationChoice({ choice, processes, versions, version, xml, fixed, today, onChange, changed, period }: Props) {
  const { t } = useI18n();
  const picker = useRef<HTMLInputElement>(null);
  const next = useRef(1);
  const [tooLarge, setTooLarge] = useState(false);
  const take = async (file: File | undefined) => {
    if (picker.current) picker.current.value = '';
    if (!file) return;
    const text = await fileText(file);
    setTooLarge(text === null);
    if (text !== null) onChange({ file: { name: file.name, xml: text, id: next.current++ } });
  };
  const ago = (days: number) => date(fromBeijing(today) - (days - 1) * DAY_MS);
  return (
    <>
      <h2>{t('sim.choice')}</h2>
      <div className="filters">
        <label htmlFor="sim_process" style={{ flex: '1 1 16rem' }}>{t('sim.process')}
          <Select id="sim_process" showSearch={{ optionFilterProp: 'label' }} aria-label={t('sim.process')} value={choice.process || undefined} placeholder={t('sim.choose_process')} onChange={(process: string) => onChange({ process })}
            options={processes.map((p) => ({ value: p.process, label: `${p.name || p.process}（${p.process}）` }))} />
        </label>
        <label htmlFor="sim_from">{t('sim.period')}
          <DatePicker.RangePicker id={{ start: 'sim_from', end: 'sim_to' }} allowClear={false} aria-label={t('sim.period')} status={period.length ? 'error' : undefined} value={[dayjs(choice.from), dayjs(choice.to)]}
            presets={PERIODS.map((n) => ({ label: t('sim.last_days', { n }), value: [dayjs(ago(n)), dayjs(today)] }))}
            onChange={(v) => { if (v?.[0] && v[1]) onChange({ from: v[0].format('YYYY-MM-DD'), to: v[1].format('YYYY-MM-DD') }); }} />
          <Said id="sim-period-fault" faults={period} />
        </label>
      </div>
      <p className="muted small">{t('sim.period_help')}</p>
      {fixed && processes.length === 0 ? <p className="error-text" role="alert">{t('sim.not_published')}</p> : null}
      {fixed ? <p>{t('sim.fixed')}</p> : (
        <div className="filters">
          <Segmented<Choice['way']> aria-label={t('sim.way')} value={choice.way} onChange={(way) => onChange({ way })} options={[{ value: 'version', label: t('sim.by_version') }, { value: 'drawing', label: t('sim.by_drawing') }]} />
          {choice.way === 'version' ? (
            <label htmlFor="sim_version">{t('sim.version')}
              <Select id="sim_version" aria-label={t('sim.version')} value={version} onChange={(n: number) => onChange({ version: n })} style={{ minWidth: '12rem' }}
                options={versions.map((p) => ({ value: p.version, label: `${t('cases.version', { n: p.version })} · ${date(p.published_at)}` }))} />
            </label>
          ) : (
            <>
              <input ref={picker} type="file" accept=".bpmn,.xml,application/xml,text/xml" hidden aria-label={t('sim.upload')} onChange={(e) => { void take(e.target.files?.[0]); }} />
              <Button onClick={() => picker.current?.click()}>{t('sim.upload')}</Button>
              <Button disabled={xml === null} onClick={() => { if (xml !== null) onChange({ file: { name: `${choice.process}.bpmn`, xml, id: next.current++ } }); }}>{t('sim.begin_from', { n: version ?? 1 })}</Button>
            </>
          )}
        </div>
      )}
      {choice.way === 'version' ? <p className="muted small">{t('sim.version_help')}</p> : null}
      {tooLarge ? <p className="error-text" role="alert">{t('proc.too_large')}</p> : null}
      <Said id="sim-changed-fault" faults={changed} />
    </>
  );
}
