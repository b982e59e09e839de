import { expect, it } from 'vitest';
import { nearestName } from './nearest-name.ts';

it('finds the name that was meant', () => {
  const known = ['apiPort', 'apiHost', 'managerPort'];
  expect(nearestName('apiprt', known)).toBe('apiPort');
  expect(nearestName('APIHOST', known)).toBe('apiHost');
  expect(nearestName('manager_port', known)).toBe('managerPort');
  expect(nearestName('somethingElse', known)).toBeUndefined();
  expect(nearestName('x', [])).toBeUndefined();
});
