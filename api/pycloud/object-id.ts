/** An id in the form of MongoDB's: 24 hex digits, the first of ours. */
export const objectId = (uuid: string): string => uuid.replaceAll('-', '').slice(0, 24);
