import { z } from 'zod';

export type Json = Record<string, unknown>;

/** JSON Schemas (2020-12) of a set of zod schemas, those with a name kept once and referred to. */
export interface SchemaBook {
  /** The named ones, for `components.schemas`. */
  components: Json;
  /** A reference to a named schema; any other written out, with references to the named ones inside. */
  use(schema: z.ZodType): Json;
}

/**
 * Converts all schemas in one go.
 *
 * @param named - component names; @param others - schemas that will be asked for without having a name
 * @param io - `input`: what a caller sends, defaults optional; `output`: what is answered, defaults filled in
 */
export function createSchemaBook(
  named: Readonly<Record<string, z.ZodType>>,
  others: readonly z.ZodType[],
  io: 'input' | 'output',
): SchemaBook {
  const names = new Map(Object.entries(named).map(([name, schema]) => [schema, name]));
  const registry = z.registry<{ id: string }>();
  for (const [schema, id] of names) registry.add(schema, { id });
  const ids = new Map<z.ZodType, string>();
  for (const schema of others) {
    if (names.has(schema) || ids.has(schema)) continue;
    const id = `unnamed:${ids.size}`;
    ids.set(schema, id);
    registry.add(schema, { id });
  }
  const { schemas } = z.toJSONSchema(registry, { io, uri: componentUri });
  return {
    components: Object.fromEntries([...names.values()].map((name) => [name, plain(schemas[name] ?? {})])),
    use(schema) {
      const name = names.get(schema);
      if (name !== undefined) return { $ref: componentUri(name) };
      const converted = schemas[ids.get(schema) ?? ''];
      if (converted === undefined) throw new Error('the schema is not in the book');
      return plain(converted);
    },
  };
}

function componentUri(name: string): string {
  return `#/components/schemas/${name}`;
}

function plain({ $schema: _schema, $id: _id, ...rest }: Json): Json {
  return rest;
}
