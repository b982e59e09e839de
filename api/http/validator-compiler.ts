import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import { uuidPattern } from '../../workflows/contract/http.ts';
import { serviceIdPattern } from '../../workflows/contract/service.ts';
import { narrowSchema } from './narrow-schema.ts';

type Violation = ReturnType<typeof Value.Errors>[number];

/** Of what people write by hand: a pattern says little to them. */
const patterns: Readonly<Record<string, string>> = {
  [uuidPattern]: 'is no id: those look like 5f0c1d2e-89ab-4cde-8f01-23456789abcd',
  [serviceIdPattern]: 'must be letters, digits, dots, dashes and underscores, 128 at most, and begin with a letter or digit',
};

const list = (values: unknown): string => [values].flat().map(String).join(', ');

/** How each rule that is broken is said, where the library's words would not do. */
const words: Readonly<Record<string, (parameters: Readonly<Record<string, unknown>>) => string | undefined>> = {
  additionalProperties: (given) => `has what nobody knows: ${list(given['additionalProperties'])}`,
  required: (given) => `lacks ${list(given['requiredProperties'])}`,
  const: (given) => `must be ${JSON.stringify(given['allowedValue'])}`,
  enum: (given) => `must be one of ${list(given['allowedValues'])}`,
  pattern: (given) => patterns[String(given['pattern'])],
};

/** Fastify's validation by the schemas of the contract: what is wrong is said of the alternative that was meant. */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = Compile(schema);
  return (given: unknown) => {
    const value = httpPart === 'body' ? given : Value.Convert(schema, given);
    if (check.Check(value)) return { value };
    const narrowed = [...Value.Errors(narrowSchema(schema, value) as TSchema, value)];
    const violations = narrowed.length > 0 ? narrowed : [...check.Errors(value)];
    // What is not known is said of the object that has it.
    const told = violations.filter(({ keyword }) => keyword !== 'boolean');
    return { error: (told.length > 0 ? told : violations).map(said) };
  };
};

const said = (violation: Violation): Violation => ({
  ...violation,
  message: words[violation.keyword]?.(violation.params) ?? violation.message,
});
