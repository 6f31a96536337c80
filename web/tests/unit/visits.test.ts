// Tests of pages of visits: days to book, where a message leads, the keys of the terminal.
import { describe, expect, it } from 'vitest';
import { bookableDays, pageOf, typedCode } from '../../src/lib/visits';

describe('days to book', () => {
  const at = Date.parse('2026-11-25T23:30:00+08:00');
  it('begin today by Beijing time and leave closed ones out', () => expect(bookableDays({ days_ahead: 3, closed: ['2026-11-27'] }, at)).toEqual(['2026-11-25', '2026-11-26', '2026-11-28']));
  it('are bounded', () => expect(bookableDays({ days_ahead: 100_000, closed: [] }, at)).toHaveLength(91));
});
describe('a message leads', () => {
  it.each([['application/A1', '/portal/applications/A1'], ['licence/1.2/3', '/portal/licences/1.2'], ['appointment/x', '/portal/visits'], ['draft/D1', '/apply/D1'], ['case/C1', null], ['', null], ['application/', null]] as const)('%s', (about, to) => expect(pageOf(about)).toBe(to));
});
describe('the code at the terminal', () => {
  it('takes eight digits and no more', () => expect([...'123456789'].reduce(typedCode, '')).toBe('12345678'));
  it('goes back', () => expect(typedCode('12', 'back')).toBe('1'));
  it('takes nothing else', () => expect(typedCode('1', 'x')).toBe('1'));
});
