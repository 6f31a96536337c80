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
