/**
 * JSON as Python's `json.dumps` lays it out: `", "` and `": "` between items, everything outside ASCII escaped.
 * Stock clients read any JSON; this is for those who compare bytes.
 */
export function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return `{${entries.map(([key, item]) => `${escapeToAscii(JSON.stringify(key))}: ${pythonJson(item)}`).join(', ')}}`;
  }
  return escapeToAscii(JSON.stringify(value) ?? 'null');
}

const escapeToAscii = (json: string): string =>
  json.replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
