import { FormatError } from '../formatError.ts';
import type { JsonValue } from '../json/jsonValue.ts';
import type { ObjectReader } from '../json/objectReader.ts';
import { memberPath } from '../json/parseJson.ts';
import type { ExtensionElement } from './epcisEvent.ts';
import { decimalOf } from './jsonFields.ts';
import type { NamespaceContext, ResolvedName } from './namespaceContext.ts';

const RDFS = 'http://www.w3.org/2000/01/rdf-schema#';

/**
 * What is left of an object when its standard fields are taken, as extensions. Here a name needs a namespace: a bare one is
 * most likely a misspelt field, which must not slip through as an extension.
 */
export function extensionsOf(reader: ObjectReader, context: NamespaceContext): readonly ExtensionElement[] {
  return reader.rest().flatMap(([key, value]) => {
    const path = reader.pathOf(key);
    if (!key.includes(':') && !context.hasVocabulary)
      throw new FormatError(
        'invalid-document',
        path,
        'no field of EPCIS 2.0 at this place, and no extension with a prefix',
      );
    return elementsOf(key, value, path, context);
  });
}

/** Refuses what is left where the standard has no extension point. */
export function refuseRest(reader: ObjectReader): void {
  const [first] = reader.rest();
  if (first !== undefined)
    throw new FormatError('invalid-document', reader.pathOf(first[0]), 'no field of EPCIS 2.0 at this place');
}

/** The members of an object inside an extension or `ilmd`; names without a prefix have no namespace there. */
export function childrenOf(value: JsonValue, path: string, context: NamespaceContext): readonly ExtensionElement[] {
  if (value.kind !== 'object') throw new FormatError('invalid-document', path, 'an object is expected');
  return [...value.members].flatMap(([key, member]) => elementsOf(key, member, memberPath(path, key), context));
}

/** A list is its items under one name, as in XML; null is absence; a comment (rdfs:comment) is no data. */
function elementsOf(
  key: string,
  value: JsonValue,
  path: string,
  context: NamespaceContext,
): readonly ExtensionElement[] {
  const name = context.resolveName(key, path);
  if (name.namespace === RDFS && name.localName === 'comment') return [];
  return namedElements(name, value, path, context);
}

function namedElements(
  name: ResolvedName,
  value: JsonValue,
  path: string,
  context: NamespaceContext,
): readonly ExtensionElement[] {
  switch (value.kind) {
    case 'null':
      return [];
    case 'boolean':
      // As XML Schema writes it, so that both syntaxes give one hash.
      return [{ ...name, value: String(value.value), children: [] }];
    case 'number':
      return [{ ...name, value: decimalOf(value, path), children: [] }];
    case 'string': {
      const text = context.expandValue(value.value.trim());
      return [{ ...name, ...(text === '' ? {} : { value: text }), children: [] }];
    }
    case 'object':
      return [{ ...name, children: childrenOf(value, path, context) }];
    case 'array':
      return value.items.flatMap((item, index) => {
        const itemPath = `${path}[${index}]`;
        if (item.kind !== 'array') return namedElements(name, item, itemPath, context);
        // A list inside a list (coordinates, for example) is an element whose items have no name of their own.
        return [{ ...name, children: namedElements({ namespace: '', localName: '' }, item, itemPath, context) }];
      });
  }
}
