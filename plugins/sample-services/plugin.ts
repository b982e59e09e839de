import { Type } from 'typebox';
import { servicesCatalogue } from '../runtime/extension-points.ts';
import { definePlugin, pluginApiVersion } from '../runtime/plugin.ts';
import { baseService } from './base/base-service.ts';
import { echoService } from './echo/echo-service.ts';
import { ocrService } from './ocr/ocr-service.ts';

/** A base for recipes, and two services that this host assembles from Debian packages, so that a new cloudlet has something to offer. */
export const plugin = definePlugin({
  manifest: {
    id: 'sample-services',
    apiVersion: pluginApiVersion,
    title: 'Sample services',
    description: 'An echo for first steps and a reader of text in pictures, assembled from Debian packages on this machine.',
    options: Type.Object({}, { additionalProperties: false }),
  },
  register(registry) {
    registry.contribute(servicesCatalogue, baseService);
    registry.contribute(servicesCatalogue, echoService);
    registry.contribute(servicesCatalogue, ocrService);
  },
});
