import { Type } from 'typebox';

/** Answers that are not JSON, as a route's schema describes them. */
const asType = (type: string, description: string) => ({ description, content: { [type]: { schema: Type.String() } } });

export const plainText = (description: string) => asType('text/plain', description);
export const bytes = (description: string) => asType('application/octet-stream', description);
export const events = asType('text/event-stream', 'Events as they happen, each with its id, its type and its data as JSON');
/** A file of one of these types, or a part of it. */
export const fileOf = (description: string, types: readonly string[]) => {
  const content = Object.fromEntries(types.map((type) => [type, { schema: Type.String() }]));
  return {
    200: { description, content },
    206: { description: 'The part of it that was asked for', content },
    304: Type.Null({ description: 'You have it' }),
  };
};
export const nothing = Type.Null({ description: 'Done' });
