import { expect, it } from 'vitest';
import { inheritedEnvironment } from './inherited-environment.ts';

it('passes on what any program needs, and no secrets of others', () => {
  const inherited = inheritedEnvironment({
    PATH: '/bin',
    LC_ALL: 'C',
    PIP_CERT: '/c',
    DATABASE_URL: 's',
    AWS_SECRET: 's',
    NODE_OPTIONS: '-r x',
    HOME: undefined,
  });
  expect(inherited).toEqual({ PATH: '/bin', LC_ALL: 'C', PIP_CERT: '/c' });
});
