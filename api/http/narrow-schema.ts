/** As much of JSON Schema as our shapes use. */
interface Schema {
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly const?: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A schema without the alternatives that a value is not meant to be, so that what is wrong with it is said of the one
 * that it is: where they have a `kind`, the one of that kind; else the one that knows most of its fields. Only for
 * saying what is wrong with a value that is refused.
 */
export function narrowSchema(schema: Schema, value: unknown): Schema {
  const { anyOf, properties, items } = schema;
  if (anyOf && isObject(value)) {
    const objects = anyOf.filter((each) => each.properties);
    const ofKind = objects.filter(({ properties: fields }) => fields?.['kind']?.const === value['kind']);
    const known = ({ properties: fields = {} }: Schema): number => Object.keys(value).filter((name) => Object.hasOwn(fields, name)).length;
    const kinds = objects.flatMap(({ properties: fields }) => fields?.['kind']?.const ?? []);
    if (kinds.length > 0 && ofKind.length === 0)
      return { properties: { kind: { enum: [...new Set(kinds)] } as Schema }, required: ['kind'] } as Schema;
    const [best] = (ofKind.length > 0 ? ofKind : objects).toSorted((a, b) => known(b) - known(a));
    return best ? narrowSchema(best, value) : schema;
  }
  if (properties && isObject(value)) {
    const narrowed = Object.entries(properties).map(([name, each]) => [name, narrowSchema(each, value[name])]);
    return { ...schema, properties: Object.fromEntries(narrowed) as Record<string, Schema> };
  }
  // Each item may be of another kind.
  if (items?.anyOf && Array.isArray(value))
    return { ...schema, items: undefined, prefixItems: value.map((each) => narrowSchema(items, each)) } as Schema;
  return schema;
}
