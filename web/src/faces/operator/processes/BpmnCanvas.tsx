// Operator: the drawing tools and, beside them, what BPMN leaves to us: who does a step, within which
// limit, by which function (attributes of urn:jicheng:bpmn:1).
import { useEffect, useImperativeHandle, useRef, useState, type Ref } from 'react';
import { Input } from 'antd';
import Modeler from 'bpmn-js/lib/Modeler';
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import './bpmn-font.css';
import { useI18n, type Key } from '../../../i18n';
import { toolWord } from '../../../lib/bpmnWords';
import { EventProperties } from './EventProperties';
import { definitionOf, expressionOf, OURS, propertiesOf, type Definition, type Property, type Timing } from './properties';

export interface BpmnHandle { xml: () => Promise<string> }
interface Business { $type: string; id: string; name?: string; conditionExpression?: { body?: string }; eventDefinitions?: Definition[]; get: (name: string) => unknown }
interface Element { id: string; businessObject: Business; labelTarget?: Element }
interface Modeling { updateProperties: (element: Element, values: Record<string, unknown>) => void; updateLabel: (element: Element, text: string) => void; updateModdleProperties: (element: Element, of: Definition, values: Record<string, unknown>) => void }
interface Moddle { create: (type: string, values: Record<string, unknown>) => unknown }
interface EventBus { on: (name: string, hear: (event: { newSelection?: Element[] }) => void) => void }
interface Canvas { zoom: (to: 'fit-viewport', centre: 'auto') => void }

export function BpmnCanvas({ ref, xml, onFail, onChange }: { ref: Ref<BpmnHandle>; xml: string; onFail: (why: string) => void; onChange: () => void }) {
  const { t, lang } = useI18n();
  const box = useRef<HTMLDivElement>(null);
  const modeler = useRef<Modeler | null>(null);
  const [chosen, setChosen] = useState<Element | null>(null);
  const [, again] = useState(0);
  const told = useRef({ onFail, onChange });
  told.current = { onFail, onChange };
  const changed = useRef(false);
  // What was not changed in the drawing is handed back as it was written.
  useImperativeHandle(ref, () => ({ xml: async () => (changed.current ? (await modeler.current?.saveXML({ format: true }))?.xml : undefined) ?? xml }), [xml]);
  useEffect(() => {
    if (!box.current) return undefined;
    const made = new Modeler({
      container: box.current,
      moddleExtensions: { jicheng: OURS },
      additionalModules: [{ translate: ['value', (template: string, fill?: Record<string, string>) => toolWord(lang, template, fill)] }],
    } as ConstructorParameters<typeof Modeler>[0]);
    modeler.current = made;
    let gone = false;
    changed.current = false;
    const bus = made.get<EventBus>('eventBus');
    bus.on('selection.changed', (event) => {
      const one = event.newSelection?.length === 1 ? event.newSelection[0] : undefined;
      setChosen(one ? (one.labelTarget ?? one) : null);
    });
    bus.on('commandStack.changed', () => { changed.current = true; again((n) => n + 1); told.current.onChange(); });
    made.importXML(xml).then(() => { if (!gone) made.get<Canvas>('canvas').zoom('fit-viewport', 'auto'); })
      .catch((e: unknown) => { if (!gone) told.current.onFail(e instanceof Error ? e.message : String(e)); });
    return () => { gone = true; modeler.current = null; setChosen(null); made.destroy(); };
  }, [xml, lang]);
  const put = (element: Element, property: Property, text: string) => {
    const tools = modeler.current;
    if (!tools) return;
    const modeling = tools.get<Modeling>('modeling');
    const value = text.trim() || undefined;
    if (property === 'name') modeling.updateLabel(element, text);
    else if (property === 'id') { if (value && /^[A-Za-z_][\w.-]*$/.test(value)) modeling.updateProperties(element, { id: value }); } else if (property === 'condition') modeling.updateProperties(element, { conditionExpression: value ? tools.get<Moddle>('moddle').create('bpmn:FormalExpression', { body: value }) : undefined });
    else modeling.updateProperties(element, { [`jicheng:${property}`]: value });
  };
  /** What an event waits for: one expression takes the place of the others. */
  const putEvent = (element: Element, definition: Definition, kind: Timing | 'condition', text: string) => {
    const tools = modeler.current;
    if (!tools) return;
    const value = text.trim() ? tools.get<Moddle>('moddle').create('bpmn:FormalExpression', { body: text.trim() }) : undefined;
    const others = kind === 'condition' ? {} : { timeDate: undefined, timeDuration: undefined, timeCycle: undefined };
    tools.get<Modeling>('modeling').updateModdleProperties(element, definition, { ...others, [kind]: value });
  };
  const definition = chosen ? definitionOf(chosen.businessObject.eventDefinitions) : null;
  const read = (element: Element, property: Property): string => {
    const business = element.businessObject;
    if (property === 'name') return business.name ?? '';
    if (property === 'id') return business.id;
    if (property === 'condition') return business.conditionExpression?.body ?? '';
    const value = business.get(`jicheng:${property}`);
    return typeof value === 'string' ? value : '';
  };
  return (
    <div className="editor">
      <div ref={box} className="drawing tall paper" role="region" aria-label={t('drawing.region')} />
      <aside className="card" aria-label={t('proc.properties')}>
        <h2>{t('proc.properties')}</h2>
        {chosen ? (
          <div className="stack" key={chosen.id}>
            <p><code>{chosen.businessObject.$type.replace('bpmn:', '')}</code></p>
            {propertiesOf(chosen.businessObject.$type).map((property) => (
              <label key={property} className="stack">{t(`proc.p.${property}` as Key)}
                <Input name={property} defaultValue={read(chosen, property)} onBlur={(e) => { if (e.target.value !== read(chosen, property)) put(chosen, property, e.target.value); }} onPressEnter={(e) => e.currentTarget.blur()} />
              </label>
            ))}
            {definition ? <EventProperties key={definition.$type} now={expressionOf(definition)} put={(kind, text) => putEvent(chosen, definition, kind, text)} /> : null}
          </div>
        ) : <p className="muted">{t('proc.pick')}</p>}
      </aside>
    </div>
  );
}
