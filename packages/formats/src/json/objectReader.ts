import { FormatError } from '../formatError.ts';
import type { JsonObject, JsonValue } from './jsonValue.ts';
import { memberPath } from './parseJson.ts';

/** Reads the members of an object, says exactly where something is wrong, and knows which members nobody asked for. */
export class ObjectReader {
  readonly path: string;
  readonly #members: ReadonlyMap<string, JsonValue>;
  readonly #taken = new Set<string>();

  constructor(value: JsonValue, path: string) {
    if (value.kind !== 'object') throw wrongKind(value, path, 'an object');
    this.#members = (value as JsonObject).members;
    this.path = path;
  }

  pathOf(name: string): string {
    return memberPath(this.path, name);
  }

  has(name: string): boolean {
    return this.#members.has(name);
  }

  value(name: string): JsonValue | undefined {
    this.#taken.add(name);
    return this.#members.get(name);
  }

  /** A text that is not empty. */
  optionalText(name: string): string | undefined {
    const value = this.value(name);
    return value === undefined ? undefined : textOf(value, this.pathOf(name));
  }

  text(name: string): string {
    return this.optionalText(name) ?? this.#missing(name);
  }

  object(name: string): ObjectReader {
    return this.optionalObject(name) ?? this.#missing(name);
  }

  optionalObject(name: string): ObjectReader | undefined {
    const value = this.value(name);
    return value === undefined ? undefined : new ObjectReader(value, this.pathOf(name));
  }

  /** The items of a list with their paths; empty if the member is absent. */
  list(name: string): readonly (readonly [item: JsonValue, path: string])[] {
    const value = this.value(name);
    if (value === undefined) return [];
    const path = this.pathOf(name);
    if (value.kind !== 'array') throw wrongKind(value, path, 'a list');
    return value.items.map((item, index) => [item, `${path}[${index}]`] as const);
  }

  /** Members that nothing above asked for, in the order of the document. */
  rest(): readonly (readonly [name: string, value: JsonValue])[] {
    return [...this.#members].filter(([name]) => !this.#taken.has(name));
  }

  #missing(name: string): never {
    throw new FormatError('invalid-document', this.path, `"${name}" is missing`);
  }
}

/** The text of a value: a string with something in it. */
export function textOf(value: JsonValue, path: string): string {
  if (value.kind !== 'string') throw wrongKind(value, path, 'a text');
  if (value.value.trim() === '') throw new FormatError('invalid-value', path, 'the text is empty');
  return value.value;
}

export function wrongKind(value: JsonValue, path: string, expected: string): FormatError {
  const article = value.kind === 'null' ? '' : value.kind === 'array' || value.kind === 'object' ? 'an ' : 'a ';
  return new FormatError('invalid-document', path, `${expected} is expected, not ${article}${value.kind}`);
}
