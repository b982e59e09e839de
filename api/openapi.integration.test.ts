import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApiContract } from '../test/support/api-contract.ts';
import { openApiLab, type ApiLab } from '../test/support/api-lab.ts';

let lab: ApiLab;
beforeAll(async () => {
  lab = await openApiLab();
});
afterAll(() => lab?.close());

interface Operation {
  readonly tags: readonly string[];
  readonly summary: string;
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly required?: boolean }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Readonly<Record<string, unknown>> }>>;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const document = async () => (await lab.ask('GET', '/v1/openapi.json')).body as Document;
const operations = async () =>
  Object.entries((await document()).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  );
const references = (value: unknown): string[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, item]) => (key === '$ref' && typeof item === 'string' ? [item] : references(item)));

describe('the OpenAPI document', () => {
  it('is of version 3.1, and names this cloudlet’s', async () => {
    expect(await document()).toMatchObject({ openapi: '3.1.0', info: { title: 'Cloudlet', version: '0.0.0-test' } });
  });

  it('has every route there is, but those of stock phones and of its own page', async () => {
    const documented = new Set((await operations()).map(({ path, method }) => `${method.toUpperCase()} ${path}`));
    expect([...documented].toSorted()).toEqual([
      'DELETE /v1/apps/{id}',
      'DELETE /v1/bundles/{id}',
      'DELETE /v1/services/{serviceId}',
      'DELETE /v1/services/{serviceId}/edit',
      'DELETE /v1/services/{serviceId}/images/{version}',
      'DELETE /v1/sessions/current',
      'DELETE /v1/uploads/{id}',
      'GET /health/live',
      'GET /health/ready',
      'GET /metrics',
      'GET /v1/apps',
      'GET /v1/apps/{id}',
      'GET /v1/apps/{id}/file',
      'GET /v1/apps/{id}/icon',
      'GET /v1/bundles',
      'GET /v1/bundles/publisher',
      'GET /v1/bundles/{id}',
      'GET /v1/bundles/{id}/file',
      'GET /v1/cloudlet',
      'GET /v1/events',
      'GET /v1/images',
      'GET /v1/openapi.json',
      'GET /v1/operations',
      'GET /v1/operations/{id}',
      'GET /v1/operations/{id}/events',
      'GET /v1/operations/{id}/log',
      'GET /v1/plugins',
      'GET /v1/service-vms',
      'GET /v1/service-vms/{id}',
      'GET /v1/service-vms/{id}/log',
      'GET /v1/services',
      'GET /v1/services/{serviceId}',
      'GET /v1/services/{serviceId}/edit',
      'GET /v1/services/{serviceId}/edit/log',
      'GET /v1/services/{serviceId}/images',
      'GET /v1/uploads',
      'GET /v1/uploads/{id}',
      'OPTIONS /v1/uploads',
      'PATCH /v1/apps/{id}',
      'PATCH /v1/services/{serviceId}',
      'PATCH /v1/uploads/{id}',
      'POST /v1/apps',
      'POST /v1/bundles',
      'POST /v1/bundles/imports',
      'POST /v1/images/verify',
      'POST /v1/operations/{id}/cancel',
      'POST /v1/service-vms',
      'POST /v1/service-vms/{id}/join',
      'POST /v1/service-vms/{id}/leave',
      'POST /v1/service-vms/{id}/renew',
      'POST /v1/service-vms/{id}/stop',
      'POST /v1/services',
      'POST /v1/services/{serviceId}/edit',
      'POST /v1/services/{serviceId}/edit/console',
      'POST /v1/services/{serviceId}/edit/save',
      'POST /v1/services/{serviceId}/images/{version}/select',
      'POST /v1/services/{serviceId}/restore',
      'POST /v1/sessions',
      'POST /v1/sign-in-codes',
      'POST /v1/uploads',
      'PUT /v1/apps/{id}/file',
      'PUT /v1/services/{serviceId}',
    ]);
  });

  it('has the methods that a path takes', async () => {
    const { paths } = await document();
    for (const [path, methods] of Object.entries(paths).filter(([each]) => each.startsWith('/v1/'))) {
      const another = (['OPTIONS', 'PUT'] as const).find((method) => !Object.hasOwn(methods, method.toLowerCase()))!;
      const { headers } = await lab.ask(another, path.replaceAll(/\{[^}]+\}/g, 'x'));
      const taken = String(headers['allow'])
        .split(', ')
        .filter((method) => method !== 'HEAD');
      expect(
        Object.keys(methods)
          .map((method) => method.toUpperCase())
          .toSorted(),
      ).toEqual(taken.toSorted());
    }
  });

  it('refers to nothing that is not in it, and says what each of its schemas is for', async () => {
    const whole = await document();
    const schemas = Object.keys(whole.components.schemas).map((name) => `#/components/schemas/${name}`);
    const used = new Set(references(whole));
    expect([...used].filter((reference) => !schemas.includes(reference))).toEqual([]);
    expect(schemas.filter((schema) => !used.has(schema))).toEqual([]);
  });

  it('says of every operation what it does, what it takes and how it can be refused', async () => {
    const { tags } = await document();
    const known = tags.map(({ name }) => name);
    for (const { path, tags: own, summary, parameters = [], responses } of await operations()) {
      expect(own.filter((tag) => !known.includes(tag))).toEqual([]);
      expect(summary).toMatch(/^[A-Z]/);
      const inPath = parameters.filter((parameter) => parameter.in === 'path');
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{[^}]+\}/g) ?? []);
      expect(inPath.every(({ required }) => required)).toBe(true);
      expect(Object.keys(responses['default']!.content!)).toEqual(['application/problem+json']);
      expect(Object.keys(responses).some((status) => status.startsWith('2'))).toBe(true);
    }
  });
});

describe('the check of answers against the document', () => {
  it('finds what differs', async () => {
    const violation = await openApiContract(lab.app);
    const answered = await lab.app.inject('/v1/services');
    const changed = (more: object) => Object.assign(Object.create(answered) as typeof answered, more);
    expect(violation('GET', '/v1/services', answered)).toBeUndefined();
    expect(violation('GET', '/v1/services?a=b', changed({ body: '{"services":[{}]}' }))).toContain('serviceId');
    expect(violation('GET', '/v1/services', changed({ body: '{}' }))).toContain('services');
    expect(violation('GET', '/v1/services', changed({ headers: { 'content-type': 'text/html' } }))).toContain('text/html');
    expect(violation('GET', '/v1/services', changed({ statusCode: 404 }))).toContain('application/json');
    expect(violation('DELETE', '/v1/services/x', changed({ statusCode: 204 }))).toContain('no body');
  });
});

describe('the reference page', () => {
  it('works without the Internet: everything that it loads is here', async () => {
    const page = await lab.ask('GET', '/docs/');
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url!);
    expect(assets.length).toBeGreaterThan(3);
    for (const url of assets) {
      expect(url).toMatch(/^\.\//);
      expect((await lab.ask('GET', `/docs/${url}`)).status).toBe(200);
    }
    const { text: initializer } = await lab.ask('GET', '/docs/static/swagger-initializer.js');
    expect(initializer).toContain('validatorUrl: null');
    expect((await lab.ask('GET', '/docs/json')).body).toEqual((await lab.ask('GET', '/v1/openapi.json')).body);
    const styles = await Promise.all(assets.filter((url) => url.endsWith('.css')).map((url) => lab.ask('GET', `/docs/${url}`)));
    for (const { text } of styles) expect([...text.matchAll(/url\(["']?(?!data:|#)([^)"']+)/g)].map(([, url]) => url)).toEqual([]);
  });

  it('forbids the browser to load anything from elsewhere', async () => {
    expect((await lab.ask('GET', '/docs/')).headers['content-security-policy']).toMatch(/^default-src 'self'; /);
    expect((await lab.ask('GET', '/docs/')).headers['content-security-policy']).not.toMatch(/https?:|\*/);
  });

  it.each([
    '/docs/static/%2e%2e/%2e%2e/package.json',
    '/docs/static/..%2f..%2fpackage.json',
    '/docs/static/../../package.json',
    '/docs/static/.%00',
  ])('shows no file but its own, asked for %s', async (path) => {
    const answer = await lab.ask('GET', path);
    expect([400, 403, 404]).toContain(answer.status);
    expect(answer.text).not.toContain('"name"');
  });
});
