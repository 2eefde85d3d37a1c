/**
 * A JSON document as it was written. Numbers keep their exact text, because a binary float cannot hold every decimal and
 * hashes are taken over what was written; objects keep the order of their members and never hold a name twice.
 */
export type JsonValue =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | JsonArray
  | JsonObject;

export interface JsonArray {
  readonly kind: 'array';
  readonly items: readonly JsonValue[];
}

export interface JsonObject {
  readonly kind: 'object';
  readonly members: ReadonlyMap<string, JsonValue>;
}

/** What a document may cost at most. Checked while reading, before anything is built from it. */
export interface JsonLimits {
  /** UTF-16 code units of the whole text. */
  readonly maxLength: number;
  /** Arrays and objects inside one another. */
  readonly maxDepth: number;
  /** Values of every kind, containers included. */
  readonly maxValues: number;
}

export const defaultJsonLimits: JsonLimits = { maxLength: 16 * 1024 * 1024, maxDepth: 64, maxValues: 1_000_000 };
