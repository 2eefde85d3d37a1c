import { FormatError } from '../formatError.ts';
import type { JsonValue } from '../json/jsonValue.ts';
import { memberPath } from '../json/parseJson.ts';
import { standardPrefixes } from './vocabulary.ts';

/** Every event may extend the context, so copying it must stay cheap. */
const MAX_PREFIXES = 256;

export interface ResolvedName {
  readonly namespace: string;
  readonly localName: string;
}

/**
 * The prefixes that a document declares in its JSON-LD `@context`, on top of those of EPCIS. Contexts that are named by
 * address are not loaded: nothing outside a document may change what its hash covers. So a prefix that only such a context
 * declares is unknown here, and a name with it is refused.
 */
export class NamespaceContext {
  readonly #prefixes: ReadonlyMap<string, string>;
  /** The namespace of names without a prefix (`@vocab`); empty if there is none. */
  readonly #vocabulary: string;

  private constructor(prefixes: ReadonlyMap<string, string>, vocabulary: string) {
    this.#prefixes = prefixes;
    this.#vocabulary = vocabulary;
  }

  static readonly standard = new NamespaceContext(standardPrefixes, '');

  /** This context, extended by a `@context`: an address, an object of prefixes, or a list of both. */
  extendedBy(context: JsonValue, path: string): NamespaceContext {
    const prefixes = new Map(this.#prefixes);
    let vocabulary = this.#vocabulary;
    const entries = context.kind === 'array' ? context.items : [context];
    for (const entry of entries) {
      if (entry.kind === 'string') continue;
      if (entry.kind !== 'object')
        throw new FormatError('invalid-document', path, 'an address or an object is expected');
      for (const [name, definition] of entry.members) {
        const iri = iriOf(definition, memberPath(path, name));
        if (name === '@vocab') vocabulary = iri ?? '';
        else if (!name.startsWith('@') && iri !== undefined) prefixes.set(name, iri);
      }
    }
    if (prefixes.size > MAX_PREFIXES) throw new FormatError('too-large', path, `more than ${MAX_PREFIXES} prefixes`);
    // A prefix may be declared by another one ("ex": "cbv:Extra-").
    for (const [name, iri] of prefixes) prefixes.set(name, expand(prefixes, iri) ?? iri);
    return new NamespaceContext(prefixes, vocabulary);
  }

  /** The namespace and local name of an extension's key. Throws a FormatError for a prefix that nobody declared. */
  resolveName(key: string, path: string): ResolvedName {
    const colon = key.indexOf(':');
    if (colon < 0) return { namespace: this.#vocabulary, localName: key };
    const namespace = this.#prefixes.get(key.slice(0, colon));
    if (namespace !== undefined) return { namespace, localName: key.slice(colon + 1) };
    if (!/^(https?:\/\/|urn:)/.test(key))
      throw new FormatError(
        'invalid-document',
        path,
        `the prefix "${key.slice(0, colon)}" is not declared in @context`,
      );
    // A name written out in full: its local name follows the last separator.
    const end = Math.max(key.lastIndexOf('/'), key.lastIndexOf('#'), key.lastIndexOf(':')) + 1;
    return { namespace: key.slice(0, end), localName: key.slice(end) };
  }

  /** Whether a key without a prefix is a name of the document's own vocabulary. */
  get hasVocabulary(): boolean {
    return this.#vocabulary !== '';
  }

  /** A value with a declared prefix (`gs1:Temperature`) written out in full (CBV 2.0, event hash, rule 15); others unchanged. */
  expandValue(value: string): string {
    return expand(this.#prefixes, value) ?? value;
  }
}

function expand(prefixes: ReadonlyMap<string, string>, value: string): string | undefined {
  const colon = value.indexOf(':');
  // What follows "//" makes it an address, whatever the prefixes are called (JSON-LD 1.1, section 5.2.2); white space, a text.
  if (colon < 1 || value.startsWith('//', colon + 1) || /\s/.test(value)) return undefined;
  const namespace = prefixes.get(value.slice(0, colon));
  return namespace === undefined ? undefined : namespace + value.slice(colon + 1);
}

function iriOf(definition: JsonValue, path: string): string | undefined {
  if (definition.kind === 'string') return definition.value;
  if (definition.kind === 'null' || definition.kind === 'boolean' || definition.kind === 'number') return undefined;
  if (definition.kind !== 'object')
    throw new FormatError('invalid-document', path, 'an address or an object is expected');
  const id = definition.members.get('@id');
  return id?.kind === 'string' ? id.value : undefined;
}
