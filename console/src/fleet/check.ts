/**
 * Reads JSON by its JSON Schema: the border at which payloads of boards stop being hostile.
 *
 * What comes out is a new object with the keys that the schema knows, absent ones at their default. Everything that the
 * schema leaves open is bounded here: the length of a text, the entries of a list, the depth of a free value.
 */

export interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string;
  readonly anyOf?: readonly Schema[];
  readonly discriminator?: { readonly propertyName: string; readonly mapping: Readonly<Record<string, string>> };
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: boolean | Schema;
  readonly prefixItems?: readonly Schema[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

export const MOST_CHARACTERS = 4000;
export const MOST_ITEMS = 500;
export const MOST_KEYS = 200;
const MOST_FREE_CHARACTERS = 1_000_000;
const MOST_DEPTH = 8;

/** A payload that is not what its schema says. `message` names the field. */
export class Malformed extends Error {}

/** `value` as `schema` describes it. Throws Malformed. */
export function read(schema: Schema, value: unknown): unknown {
  return new Reader(schema.$defs ?? {}).read(schema, value, "$", 0);
}

class Reader {
  constructor(private readonly defs: Readonly<Record<string, Schema>>) {}

  read(schema: Schema, value: unknown, path: string, depth: number): unknown {
    if (depth > MOST_DEPTH) throw new Malformed(`${path}: nested too deep`);
    if (schema.$ref) return this.read(this.definition(schema.$ref), value, path, depth);
    if (schema.discriminator) return this.read(this.variant(schema, value, path), value, path, depth);
    if (schema.anyOf) return this.anyOf(schema.anyOf, value, path, depth);
    if (schema.enum) {
      if (!schema.enum.includes(value)) throw new Malformed(`${path}: not one of ${schema.enum.length} known values`);
      return value;
    }
    switch (schema.type) {
      case "object":
        return this.object(schema, value, path, depth);
      case "array":
        return this.array(schema, value, path, depth);
      case "string":
        return text(schema, value, path);
      case "number":
      case "integer":
        return number(schema, value, path);
      case "boolean":
        if (typeof value !== "boolean") throw new Malformed(`${path}: not true or false`);
        return value;
      case "null":
        if (value !== null) throw new Malformed(`${path}: not null`);
        return null;
      case undefined:
        return free(value, path, depth);
      default:
        throw new Malformed(`${path}: the schema's type ${schema.type} is unknown`);
    }
  }

  private definition(ref: string): Schema {
    const found = this.defs[ref.replace("#/$defs/", "")];
    if (!found) throw new Malformed(`the schema has no ${ref}`);
    return found;
  }

  private variant(schema: Schema, value: unknown, path: string): Schema {
    const { propertyName, mapping } = schema.discriminator!;
    const tag = isObject(value) && Object.hasOwn(value, propertyName) ? value[propertyName] : undefined;
    if (typeof tag !== "string" || !Object.hasOwn(mapping, tag)) {
      throw new Malformed(`${path}.${propertyName}: not a known value`);
    }
    return this.definition(mapping[tag]!);
  }

  private anyOf(choices: readonly Schema[], value: unknown, path: string, depth: number): unknown {
    let why: unknown;
    for (const choice of choices) {
      try {
        return this.read(choice, value, path, depth);
      } catch (error) {
        if (!(error instanceof Malformed)) throw error;
        why ??= error;
      }
    }
    throw why;
  }

  private object(schema: Schema, value: unknown, path: string, depth: number): unknown {
    if (!isObject(value)) throw new Malformed(`${path}: not an object`);
    const made: Record<string, unknown> = Object.create(null);
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      if (Object.hasOwn(value, name)) made[name] = this.read(property, value[name], `${path}.${name}`, depth + 1);
      else if (schema.required?.includes(name)) throw new Malformed(`${path}.${name}: missing`);
      else made[name] = this.read(property, property.default, `${path}.${name}`, depth + 1);
    }
    if (!schema.properties) this.map(schema, value, made, path, depth);
    return made;
  }

  private map(schema: Schema, value: object, made: Record<string, unknown>, path: string, depth: number): void {
    const entries = Object.entries(value);
    if (entries.length > MOST_KEYS) throw new Malformed(`${path}: ${entries.length} keys; at most ${MOST_KEYS}`);
    const inner = typeof schema.additionalProperties === "object" ? schema.additionalProperties : {};
    for (const [name, each] of entries) {
      if (name === "__proto__" || name.length > 200) throw new Malformed(`${path}: a key that is not allowed`);
      if (schema.propertyNames) text(schema.propertyNames, name, path);
      made[name] = this.read(inner, each, `${path}.${name.slice(0, 40)}`, depth + 1);
    }
  }

  private array(schema: Schema, value: unknown, path: string, depth: number): unknown {
    if (!Array.isArray(value)) throw new Malformed(`${path}: not a list`);
    const most = schema.maxItems ?? MOST_ITEMS;
    if (value.length > most) throw new Malformed(`${path}: ${value.length} entries; at most ${most}`);
    if (value.length < (schema.minItems ?? 0)) throw new Malformed(`${path}: too few entries`);
    return value.map((each, index) => {
      const inner = schema.prefixItems?.[index] ?? (typeof schema.items === "object" ? schema.items : {});
      return this.read(inner, each, `${path}[${index}]`, depth + 1);
    });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(schema: Schema, value: unknown, path: string): string {
  if (typeof value !== "string") throw new Malformed(`${path}: not a text`);
  const most = schema.maxLength ?? MOST_CHARACTERS;
  // The schema counts characters, `length` counts UTF-16 units: up to two for each.
  if (value.length > 2 * most || [...value].length > most) throw new Malformed(`${path}: longer than ${most}`);
  if (value.length < (schema.minLength ?? 0)) throw new Malformed(`${path}: too short`);
  if (schema.pattern && !new RegExp(schema.pattern, "u").test(value)) throw new Malformed(`${path}: not as agreed`);
  return value;
}

function number(schema: Schema, value: unknown, path: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Malformed(`${path}: not a number`);
  if (schema.type === "integer" && !Number.isInteger(value)) throw new Malformed(`${path}: not a whole number`);
  if (value < (schema.minimum ?? -Infinity) || value > (schema.maximum ?? Infinity)) {
    throw new Malformed(`${path}: out of range`);
  }
  return value;
}

/** A value that no schema describes, copied within bounds. */
function free(value: unknown, path: string, depth: number): unknown {
  if (depth > MOST_DEPTH) throw new Malformed(`${path}: nested too deep`);
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") return number({ type: "number" }, value, path);
  if (typeof value === "string") return text({ maxLength: MOST_FREE_CHARACTERS }, value, path);
  if (Array.isArray(value)) {
    if (value.length > MOST_ITEMS) throw new Malformed(`${path}: ${value.length} entries; at most ${MOST_ITEMS}`);
    return value.map((each, index) => free(each, `${path}[${index}]`, depth + 1));
  }
  if (!isObject(value)) throw new Malformed(`${path}: not JSON`);
  const entries = Object.entries(value);
  if (entries.length > MOST_KEYS) throw new Malformed(`${path}: ${entries.length} keys; at most ${MOST_KEYS}`);
  const made: Record<string, unknown> = Object.create(null);
  for (const [name, each] of entries) {
    if (name === "__proto__") throw new Malformed(`${path}: a key that is not allowed`);
    made[name] = free(each, `${path}.${name.slice(0, 40)}`, depth + 1);
  }
  return made;
}
