import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import {
  CloudletBody,
  HealthBody,
  Lease,
  OperationBody,
  ProblemBody,
  ServiceEditBody,
  ServiceView,
  ServiceVmBody,
} from '../workflows/contract/http.ts';
import { BundleBody } from '../workflows/contract/bundle.ts';
import { AppBody } from '../workflows/contract/app.ts';
import { UploadBody } from '../workflows/contract/upload.ts';
import { ImageBody, ServiceImageBody } from '../workflows/contract/image.ts';
import type { ApiContext } from './context.ts';

/** The reference page loads what comes with it and nothing else. Its widgets style themselves inline. */
const ownAssetsOnly =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; frame-ancestors 'none'";

/** Every route can say no, in one form. */
const refusal = {
  description: 'What is wrong, and what to do',
  content: { 'application/problem+json': { schema: Type.Ref('Problem') } },
};

/** The description of the API, made from the schemas that validate it, and a page to read it that needs no Internet. */
export async function openApi(app: FastifyInstance, { version }: ApiContext): Promise<void> {
  const schemas = [
    ProblemBody,
    ServiceView,
    ServiceEditBody,
    ServiceVmBody,
    ImageBody,
    ServiceImageBody,
    Lease,
    OperationBody,
    CloudletBody,
    HealthBody,
    UploadBody,
    BundleBody,
    AppBody,
  ];
  for (const schema of schemas) app.addSchema(schema);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Cloudlet',
        version,
        description: 'Ask a cloudlet for a service and get the address of a Service VM that already answers.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'A lease token, a session, or the admin token' } },
      },
      tags: [
        { name: 'cloudlet', description: 'What this cloudlet is and has' },
        { name: 'services', description: 'What can be started' },
        { name: 'images', description: 'What services are started from' },
        { name: 'service-vms', description: 'Running instances, and the leases that hold them' },
        { name: 'operations', description: 'What takes longer than a request' },
        { name: 'apps', description: 'Clients of services, which phones download' },
        { name: 'uploads', description: 'Files that are sent in pieces (tus 1.0), for an operation to make something of' },
        { name: 'bundles', description: 'Services in one file, exported and imported' },
        { name: 'events', description: 'What happens, as it happens' },
        { name: 'admin', description: 'For those who run the cloudlet' },
        { name: 'health', description: 'For those who watch over it' },
      ],
    },
    transform: ({ schema, url }) => ({ schema: { ...schema, response: { ...Object(schema?.response), default: refusal } }, url }),
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) => (typeof json['$id'] === 'string' ? json['$id'] : `def-${index}`),
    },
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { docExpansion: 'list', tryItOutEnabled: true },
    staticCSP: ownAssetsOnly,
  });
  app.get(
    '/v1/openapi.json',
    { schema: { tags: ['cloudlet'], summary: 'This description', response: { 200: Type.Unknown({ description: 'OpenAPI 3.1' }) } } },
    async () => app.swagger(),
  );
}
