// Tests of the process designer and the calendar: what an event waits for is read from its definition,
// and every clock that moved leads to where it is seen.
import { describe, expect, it } from 'vitest';
import { movedPage } from '../../src/faces/operator/processes/Calendar';
import { definitionOf, expressionOf } from '../../src/faces/operator/processes/properties';
import { toolWord } from '../../src/lib/bpmnWords';

describe('what an event waits for', () => {
  it('is read from timers and conditions and from nothing else', () => {
    const timer = { $type: 'bpmn:TimerEventDefinition', timeCycle: { body: 'R/PT1H' } };
    const condition = { $type: 'bpmn:ConditionalEventDefinition', condition: { body: 'level > 5' } };
    expect(definitionOf([timer])).toBe(timer);
    expect(definitionOf([{ $type: 'bpmn:MessageEventDefinition' }])).toBeNull();
    expect(definitionOf(undefined)).toBeNull();
    expect(expressionOf(timer)).toEqual({ kind: 'timeCycle', text: 'R/PT1H' });
    expect(expressionOf({ $type: 'bpmn:TimerEventDefinition' })).toEqual({ kind: 'timeDuration', text: '' });
    expect(expressionOf(condition)).toEqual({ kind: 'condition', text: 'level > 5' });
  });
  it('is named in Chinese in the menus of the drawing', () => {
    expect(toolWord('zh', 'Timer start event')).toBe('定时开始事件');
    expect(toolWord('zh', 'Compensation start event')).toBe('补偿开始事件');
    expect(toolWord('en', 'Timer start event')).toBe('Timer start event');
  });
});

describe('clocks that moved', () => {
  it('lead to where they are seen', () => {
    expect(movedPage({ kind: 'case', id: '01K' })).toBe('/desk/cases/01K');
    expect(movedPage({ kind: 'task', id: '01K-7' })).toBe('/desk/tasks/01K-7');
    expect(movedPage({ kind: 'timer', id: '01K-7' })).toBe('/desk/cases/01K');
    expect(movedPage({ kind: 'start', id: 'yearly' })).toBe('/operator/processes');
  });
});
