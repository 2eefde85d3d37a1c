import { readFileSync } from 'node:fs';

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean;
  readonly items?: Schema;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

interface ExecutionAPIs {
  readonly methods: Readonly<Record<string, { readonly result: Schema }>>;
  readonly schemas: Readonly<Record<string, Schema>>;
}

/** The schemas of github.com/ethereum/execution-apis (CC0-1.0); the file names the commit. */
const apis = JSON.parse(readFileSync(new URL('./executionAPIs.json', import.meta.url), 'utf8')) as ExecutionAPIs;

/** In what a result differs from the schema that the execution APIs give its method; throws if they do not know the method. */
export function schemaErrors(method: string, result: unknown): readonly string[] {
  const known = apis.methods[method];
  if (known === undefined) throw new Error(`the execution APIs have no ${method}`);
  return errorsOf(known.result, result, 'result');
}

/** The keywords of JSON Schema that these schemas use, all others ignored. */
function errorsOf(schema: Schema, value: unknown, at: string): readonly string[] {
  if (schema.$ref !== undefined) {
    const target = apis.schemas[schema.$ref.replace('#/components/schemas/', '')];
    return target === undefined ? [`${at}: unknown schema ${schema.$ref}`] : errorsOf(target, value, at);
  }
  const errors: string[] = [];
  if (schema.type !== undefined && !hasType(value, schema.type)) return [`${at}: not of type ${schema.type}`];
  if (schema.enum !== undefined && !schema.enum.includes(value)) errors.push(`${at}: not one of ${schema.enum}`);
  if (schema.pattern !== undefined && !(typeof value === 'string' && new RegExp(schema.pattern).test(value))) {
    errors.push(`${at}: ${String(value).slice(0, 80)} does not match ${schema.pattern}`);
  }
  if (typeof value === 'number') {
    if (value < (schema.minimum ?? value) || value > (schema.maximum ?? value)) errors.push(`${at}: out of range`);
  }
  if (Array.isArray(value) && schema.items !== undefined) {
    for (const [index, item] of value.entries()) errors.push(...errorsOf(schema.items, item, `${at}[${index}]`));
  }
  if (hasType(value, 'object')) errors.push(...objectErrors(schema, value as Record<string, unknown>, at));
  for (const part of schema.allOf ?? []) errors.push(...errorsOf(part, value, at));
  for (const alternatives of [schema.oneOf, schema.anyOf]) {
    if (alternatives === undefined) continue;
    const results = alternatives.map((alternative) => errorsOf(alternative, value, at));
    if (results.every((found) => found.length > 0))
      errors.push(`${at}: no alternative fits: ${results.flat().join('; ')}`);
  }
  return errors;
}

function objectErrors(schema: Schema, value: Record<string, unknown>, at: string): readonly string[] {
  const missing = (schema.required ?? []).filter((name) => !(name in value)).map((name) => `${at}: no ${name}`);
  const wrong = Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
    name in value ? errorsOf(property, value[name], `${at}.${name}`) : [],
  );
  const surplus =
    schema.additionalProperties === false
      ? Object.keys(value)
          .filter((name) => !(name in (schema.properties ?? {})))
          .map((name) => `${at}: surplus ${name}`)
      : [];
  return [...missing, ...wrong, ...surplus];
}

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}
