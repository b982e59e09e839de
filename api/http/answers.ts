import { Type } from 'typebox';

/** Answers that are not JSON, as a route's schema describes them. */
const asType = (type: string, description: string) => ({ description, content: { [type]: { schema: Type.String() } } });

export const plainText = (description: string) => asType('text/plain', description);
export const events = asType('text/event-stream', 'Events as they happen, each with its id, its type and its data as JSON');
export const nothing = Type.Null({ description: 'Done' });
