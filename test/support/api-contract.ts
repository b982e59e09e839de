import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import Schema from 'typebox/schema';

interface Described {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, DescribedAnswer>> }>>>>;
  readonly components: object;
}

interface DescribedAnswer {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

/** Says in what an answer differs from the OpenAPI document, undefined when in nothing, or the document does not speak of it. */
export type FindViolation = (method: string, url: string, answer: LightMyRequestResponse) => string | undefined;

/** Reads the document as a client does, from the API itself. */
export async function openApiContract(app: FastifyInstance): Promise<FindViolation> {
  const { paths, components } = (await app.inject('/v1/openapi.json')).json<Described>();
  const patterns = Object.keys(paths).map((path) => ({ path, pattern: new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}/?$`) }));
  const compiled = new Map<object, ReturnType<typeof Schema.Compile>>();

  return (method, url, { statusCode, headers, body }) => {
    const [pathname] = url.split('?', 1);
    // The most specific one: without parameters before with.
    const [match] = patterns
      .filter(({ pattern }) => pattern.test(pathname!))
      .toSorted((a, b) => a.path.split('{').length - b.path.split('{').length);
    const operation = match && paths[match.path]?.[method.toLowerCase()];
    if (!operation) return undefined;
    const answer = operation.responses[statusCode] ?? operation.responses['default'];
    if (!answer) return `the status ${statusCode} is not described`;
    if (!answer.content) return body === '' ? undefined : `the status ${statusCode} is described as having no body`;
    const type = String(headers['content-type']).split(';', 1)[0]!;
    const described = answer.content[type];
    if (!described) return `the type ${type} is not described for ${statusCode}`;
    if (!type.endsWith('json')) return undefined;
    const schema = compiled.get(described) ?? Schema.Compile({ components, ...described.schema });
    compiled.set(described, schema);
    const [valid, errors] = schema.Errors(JSON.parse(body));
    return valid ? undefined : errors.map(({ instancePath, message }) => `${instancePath} ${message}`).join('; ');
  };
}
