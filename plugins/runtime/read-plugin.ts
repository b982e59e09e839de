/** Checks what a plugin's module exports, and its options, before anything of it runs. Pure. */
import { Type, type TSchema } from 'typebox';
import type { TLocalizedValidationError } from 'typebox/error';
import { Value } from 'typebox/value';
import { CloudletError, type InputError } from '../../workflows/contract/errors.ts';
import { pluginApiVersion, type Plugin } from './plugin.ts';

const kebabCase = '^[a-z][a-z0-9]*(-[a-z0-9]+)*$';

/** Ids of plugins are folder names too. */
export const isPluginId = (name: string): boolean => new RegExp(kebabCase).test(name);

const ManifestShape = Type.Object({
  id: Type.String({ pattern: kebabCase }),
  apiVersion: Type.Integer(),
  title: Type.String({ minLength: 1 }),
  description: Type.String(),
  version: Type.Optional(Type.String()),
  dependsOn: Type.Optional(Type.Array(Type.String({ pattern: kebabCase }))),
  options: Type.Object({}),
});

const pointerSegment = (key: string): string => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;

/** In words for people what TypeBox says of one rule. A missing or unknown member is named by its own pointer. */
function inWords(error: TLocalizedValidationError): InputError[] {
  const { instancePath: pointer } = error;
  if (error.keyword === 'required') {
    return error.params.requiredProperties.map((key) => ({ pointer: pointer + pointerSegment(key), message: 'is missing' }));
  }
  // An unknown member is reported twice: here by its parent, and by itself as something that `false` does not allow.
  if (error.keyword === 'additionalProperties') return [];
  if (error.keyword === 'boolean') return [{ pointer, message: 'is not known here' }];
  if (error.keyword === 'const') return [{ pointer, message: `must be ${JSON.stringify(error.params.allowedValue)}` }];
  if (error.keyword === 'enum') return [{ pointer, message: `must be one of ${JSON.stringify(error.params.allowedValues)}` }];
  return [{ pointer, message: error.message }];
}

/** Every rule that a value breaks. */
export const inputErrors = (schema: TSchema, value: unknown): InputError[] => Value.Errors(schema, value).flatMap(inWords);

function refuse(what: string, errors: readonly InputError[]): never {
  const list = errors.map(({ pointer, message }) => `${pointer === '' ? 'it' : pointer} ${message}`).join('; ');
  throw new CloudletError('invalid-input', `${what}: ${list}.`, { errors });
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/**
 * @param name the configured name, which the manifest's id must equal
 * @param module namespace of the imported module
 * @throws CloudletError invalid-input, naming everything that is wrong with the manifest
 */
export function readPlugin(name: string, module: unknown): Plugin {
  const exported = isObject(module) ? module['plugin'] : undefined;
  if (!isObject(exported) || typeof exported['register'] !== 'function') {
    throw new CloudletError(
      'invalid-input',
      'Its module exports no plugin: it must export `plugin = definePlugin({ manifest, register })`.',
    );
  }
  const { manifest } = exported;
  const errors = inputErrors(ManifestShape, manifest);
  if (errors.length > 0) refuse('Its manifest is not valid', errors);
  const plugin = exported as unknown as Plugin;
  if (plugin.manifest.apiVersion !== pluginApiVersion) {
    throw new CloudletError(
      'invalid-input',
      `It was written for version ${plugin.manifest.apiVersion} of the plugin API; this cloudlet speaks version ${pluginApiVersion}. Install a version of it that does too.`,
    );
  }
  if (plugin.manifest.id !== name) {
    throw new CloudletError(
      'invalid-input',
      `It calls itself "${plugin.manifest.id}" and is configured as "${name}"; the two must be the same.`,
    );
  }
  return plugin;
}

/**
 * The options with the schema's defaults filled in.
 * @throws CloudletError invalid-input, naming every violated rule by its JSON pointer
 */
export function readOptions(schema: TSchema, options: unknown): unknown {
  const filled = Value.Default(schema, structuredClone(options ?? {}));
  const errors = inputErrors(schema, filled);
  if (errors.length > 0) refuse('Its options are not valid', errors);
  return filled;
}
