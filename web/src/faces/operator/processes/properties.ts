// Operator: which of our attributes an element of BPMN carries, and how the drawing tools keep them.
export const PROPERTIES = ['name', 'id', 'assignee', 'roles', 'organisation', 'form', 'due', 'function', 'decision', 'result', 'condition'] as const;
export type Property = (typeof PROPERTIES)[number];

const OWN: Record<string, readonly Property[]> = {
  'bpmn:UserTask': ['assignee', 'roles', 'organisation', 'form', 'due'],
  'bpmn:ManualTask': ['assignee', 'roles', 'organisation', 'form', 'due'],
  'bpmn:ServiceTask': ['function'],
  'bpmn:BusinessRuleTask': ['decision', 'result'],
  'bpmn:ScriptTask': ['result'],
  'bpmn:SequenceFlow': ['condition'],
};

/** What the panel asks of an element of this type. */
export const propertiesOf = (type: string): Property[] => ['name', 'id', ...(OWN[type] ?? [])];

/** How a timer is said. */
export const TIMINGS = ['timeDate', 'timeDuration', 'timeCycle'] as const;
export type Timing = (typeof TIMINGS)[number];
/** The definition of an event, as bpmn-moddle has it. */
export interface Definition { $type: string; condition?: { body?: string }; timeDate?: { body?: string }; timeDuration?: { body?: string }; timeCycle?: { body?: string } }

/** The timer or condition of an event; null for any other event. */
export const definitionOf = (all: readonly Definition[] | undefined): Definition | null => all?.find((d) => d.$type === 'bpmn:TimerEventDefinition' || d.$type === 'bpmn:ConditionalEventDefinition') ?? null;

/** What it says; a timer that says nothing yet is a span. */
export function expressionOf(definition: Definition): { kind: Timing | 'condition'; text: string } {
  if (definition.$type === 'bpmn:ConditionalEventDefinition') return { kind: 'condition', text: definition.condition?.body ?? '' };
  const kind = TIMINGS.find((timing) => definition[timing]) ?? 'timeDuration';
  return { kind, text: definition[kind]?.body ?? '' };
}

const attribute = (name: string) => ({ name, isAttr: true, type: 'String' });
/** The descriptor of urn:jicheng:bpmn:1 for bpmn-moddle. */
export const OURS = {
  name: 'Jicheng', uri: 'urn:jicheng:bpmn:1', prefix: 'jicheng', xml: { tagAlias: 'lowerCase' },
  types: [
    // Each only where it means something: a node that becomes another kind does not keep what would be refused there.
    { name: 'Asked', extends: ['bpmn:UserTask', 'bpmn:ManualTask'], properties: ['assignee', 'roles', 'organisation', 'form', 'due'].map(attribute) },
    { name: 'Called', extends: ['bpmn:ServiceTask'], properties: ['function'].map(attribute) },
    { name: 'Scripted', extends: ['bpmn:ScriptTask'], properties: ['result'].map(attribute) },
    { name: 'Decided', extends: ['bpmn:BusinessRuleTask'], properties: ['decision', 'result'].map(attribute) },
    { name: 'Turns', extends: ['bpmn:LoopCharacteristics'], properties: ['collection', 'item', 'result', 'results'].map(attribute) },
    { name: 'Letter', extends: ['bpmn:Message'], properties: ['correlation'].map(attribute) },
  ],
};
