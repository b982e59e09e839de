import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { readOptions, readPlugin } from './read-plugin.ts';
import { fakePlugin } from './test-support/fake-plugins.ts';

const refusalOf = (read: () => unknown): CloudletError => {
  try {
    read();
  } catch (error) {
    if (error instanceof CloudletError) return error;
    throw error;
  }
  throw new Error('It was accepted.');
};

describe('readPlugin', () => {
  it('takes a plugin whose manifest is right', () => {
    const plugin = fakePlugin('audit');
    expect(readPlugin('audit', { plugin })).toBe(plugin);
  });

  it.each([[undefined], [{}], [{ plugin: null }], [{ plugin: { manifest: {} } }], [{ default: fakePlugin('audit') }]])(
    'refuses a module that exports no plugin: %o',
    (module) => {
      expect(refusalOf(() => readPlugin('audit', module)).message).toContain('must export `plugin = definePlugin');
    },
  );

  it('names everything that is wrong with a manifest', () => {
    const module = { plugin: { manifest: { id: 'Not Kebab', title: '', description: 7, options: {} }, register: () => undefined } };
    expect(
      refusalOf(() => readPlugin('audit', module))
        .facts.errors?.map(({ pointer }) => pointer)
        .toSorted(),
    ).toEqual(['/apiVersion', '/description', '/id', '/title']);
  });

  it('says which versions of the plugin API do not meet', () => {
    const refusal = refusalOf(() => readPlugin('audit', { plugin: fakePlugin('audit', undefined, { apiVersion: 2 }) }));
    expect(refusal.message).toContain('version 2 of the plugin API; this cloudlet speaks version 1');
  });

  it('refuses a plugin that goes by another name', () => {
    expect(refusalOf(() => readPlugin('audit', { plugin: fakePlugin('other') })).message).toContain('"other" and is configured as "audit"');
  });
});

describe('readOptions', () => {
  const schema = Type.Object(
    {
      path: Type.String(),
      limit: Type.Integer({ minimum: 1, default: 10 }),
      nested: Type.Optional(Type.Object({ 'a/b': Type.Boolean() })),
    },
    { additionalProperties: false },
  );

  it('fills in defaults and leaves the configuration as it was', () => {
    const configured = { path: '/x' };
    expect(readOptions(schema, configured)).toEqual({ path: '/x', limit: 10 });
    expect(configured).toEqual({ path: '/x' });
  });

  it('takes no options for empty ones', () => {
    expect(readOptions(Type.Object({}), undefined)).toEqual({});
  });

  it('names every violated rule by its JSON pointer', () => {
    const refusal = refusalOf(() => readOptions(schema, { limit: 0, colour: 'red', nested: { 'a/b': 'yes' } }));
    expect(refusal.code).toBe('invalid-input');
    expect(refusal.facts.errors?.map(({ pointer }) => pointer).toSorted()).toEqual(['/colour', '/limit', '/nested/a~1b', '/path']);
    for (const { pointer } of refusal.facts.errors ?? []) expect(refusal.message).toContain(pointer);
  });
});
