// Operator: a BPMN file edited as a drawing or as XML, whichever its reader is better at; the way to a
// line a fault names.
import { useImperativeHandle, useRef, useState, type ReactNode, type Ref } from 'react';
import { Segmented } from 'antd';
import { XmlText } from '../../../components/XmlText';
import { useI18n } from '../../../i18n';
import { BpmnCanvas, type BpmnHandle } from './BpmnCanvas';
import '../../desk/cases/cases.css';

export interface BpmnEditHandle {
  /** The file as it stands now. */
  xml: () => Promise<string>;
  /** Shows a line of the XML. */
  toLine: (line: number) => void;
}

export default function BpmnEdit({ ref, xml: begun, onChange, children }: { ref: Ref<BpmnEditHandle>; xml: string; onChange: () => void; children?: ReactNode }) {
  const { t } = useI18n();
  const [xml, setXml] = useState(begun);
  const [mode, setMode] = useState<'drawing' | 'xml'>('drawing');
  const [notDrawn, setNotDrawn] = useState<string | null>(null);
  const [line, setLine] = useState<{ n: number } | null>(null);
  const canvas = useRef<BpmnHandle>(null);
  const current = async () => (mode === 'drawing' && canvas.current && notDrawn === null ? canvas.current.xml() : xml);
  const turn = async (to: 'drawing' | 'xml') => {
    setXml(await current());
    if (to === 'drawing') setNotDrawn(null);
    setMode(to);
  };
  useImperativeHandle(ref, () => ({ xml: current, toLine: (n) => { void turn('xml').then(() => setLine({ n })); } }));
  return (
    <>
      <div className="filters">
        {children}
        <Segmented<'drawing' | 'xml'> aria-label={t('proc.editor')} value={mode} onChange={(to) => { void turn(to); }} options={[{ value: 'drawing', label: t('proc.as_drawing') }, { value: 'xml', label: t('proc.as_xml') }]} />
      </div>
      {notDrawn !== null && mode === 'drawing' ? <p className="error-box" role="alert">{t('proc.not_drawn', { why: notDrawn })}</p> : null}
      {mode === 'drawing' ? <BpmnCanvas ref={canvas} xml={xml} onFail={setNotDrawn} onChange={onChange} /> : <XmlText label={t('proc.xml')} value={xml} line={line} onChange={(text) => { setXml(text); onChange(); }} />}
    </>
  );
}
