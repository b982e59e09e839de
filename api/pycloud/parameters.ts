import type { FastifyRequest } from 'fastify';

/** Words that pycloud takes for true, in any case; everything else is false. */
const trueWords = new Set(['T', 'TRUE', 'Y', 'YES']);

export const isTrue = (value: string | undefined): boolean => value !== undefined && trueWords.has(value.toUpperCase());

/** A parameter of the query string or of a form body; of a repeated one the first. */
export function parameter(request: FastifyRequest, ...names: readonly string[]): string | undefined {
  for (const source of [request.query, request.body]) {
    if (typeof source !== 'object' || source === null) continue;
    for (const name of names) {
      const value: unknown = (source as Record<string, unknown>)[name];
      const first: unknown = Array.isArray(value) ? value[0] : value;
      if (typeof first === 'string') return first;
    }
  }
  return undefined;
}
