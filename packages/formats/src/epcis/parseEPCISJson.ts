import { FormatError } from '../formatError.ts';
import { defaultJsonLimits, type JsonLimits, type JsonValue } from '../json/jsonValue.ts';
import { ObjectReader, textOf } from '../json/objectReader.ts';
import { parseJson } from '../json/parseJson.ts';
import { printJson } from '../json/printJson.ts';
import { type EPCISDocument, epcisEventTypes, qualifiedName } from './epcisEvent.ts';
import { eventOf } from './jsonEvent.ts';
import { NamespaceContext } from './namespaceContext.ts';

export interface EPCISLimits extends JsonLimits {
  readonly maxEvents: number;
}

export const defaultEPCISLimits: EPCISLimits = { ...defaultJsonLimits, maxEvents: 10_000 };

/**
 * Parses EPCIS 2.0 in JSON or JSON-LD: an EPCISDocument, an EPCISQueryDocument, or one event by itself (with its own
 * `@context`). Every field is checked, and whatever is neither a field at its place nor an extension with a namespace is
 * refused. Master data of the header is not read.
 *
 * Throws a FormatError whose path names the place, for example `$.epcisBody.eventList[3].eventTime`.
 */
export function parseEPCISJson(text: string, limits: EPCISLimits = defaultEPCISLimits): EPCISDocument {
  const found = locate(parseJson(text, limits), limits);
  const ignoredFields = found.ignoreLists.flatMap((reader) => ignoredFieldsOf(reader, found.context));
  return {
    type: found.type,
    ...(found.schemaVersion === undefined ? {} : { schemaVersion: found.schemaVersion }),
    ...(found.creationDate === undefined ? {} : { creationDate: found.creationDate }),
    events: found.events.map(([event, path]) => eventOf(event, path, found.context)),
    ignoredFields,
  };
}

/**
 * The events of a document as texts of their own, each with the document's `@context`, so that one event can be kept, handed
 * on and checked without the others. Numbers keep their text.
 */
export function splitEPCISJson(text: string, limits: EPCISLimits = defaultEPCISLimits): readonly string[] {
  const { events, contextValue } = locate(parseJson(text, limits), limits);
  return events.map(([event, path]) => {
    if (event.kind !== 'object') throw new FormatError('invalid-document', path, 'an object is expected');
    const contexts = [contextValue, event.members.get('@context')].flatMap((context) =>
      context === undefined ? [] : context.kind === 'array' ? context.items : [context],
    );
    const members = new Map<string, JsonValue>([['@context', { kind: 'array', items: contexts }], ...event.members]);
    members.set('@context', { kind: 'array', items: contexts });
    return printJson({ kind: 'object', members });
  });
}

interface Located {
  readonly type: EPCISDocument['type'];
  readonly context: NamespaceContext;
  readonly contextValue: JsonValue | undefined;
  readonly schemaVersion: string | undefined;
  readonly creationDate: string | undefined;
  readonly events: readonly (readonly [event: JsonValue, path: string])[];
  /** Where `ignoreFields` may stand. */
  readonly ignoreLists: readonly ObjectReader[];
}

function locate(value: JsonValue, limits: EPCISLimits): Located {
  const root = new ObjectReader(value, '$');
  const type = root.text('type');
  const contextValue = root.value('@context');
  if (contextValue === undefined) throw new FormatError('invalid-document', '$', '"@context" is missing');
  const context = NamespaceContext.standard.extendedBy(contextValue, '$["@context"]');
  if (epcisEventTypes.some((known) => known === type)) {
    const single = {
      schemaVersion: undefined,
      creationDate: undefined,
      events: [[value, '$'] as const],
      ignoreLists: [],
    };
    return { type: 'event', context, contextValue: undefined, ...single };
  }
  if (type !== 'EPCISDocument' && type !== 'EPCISQueryDocument')
    throw new FormatError('unsupported', '$.type', `"${type.slice(0, 100)}" is no EPCIS document and no event`);
  const body = root.object('epcisBody');
  const results = type === 'EPCISQueryDocument' ? body.object('queryResults') : undefined;
  const events = eventsIn(results?.object('resultsBody') ?? body);
  if (events.length > limits.maxEvents)
    throw new FormatError('too-large', body.path, `more than ${limits.maxEvents} events`);
  return {
    type,
    context,
    contextValue,
    schemaVersion: root.optionalText('schemaVersion'),
    creationDate: root.optionalText('creationDate'),
    events,
    ignoreLists: results === undefined ? [root] : [root, results],
  };
}

/** A body holds a list of events, or one event. */
function eventsIn(body: ObjectReader): readonly (readonly [event: JsonValue, path: string])[] {
  if (body.has('eventList')) return body.list('eventList');
  const single = body.value('event');
  if (single === undefined) throw new FormatError('invalid-document', body.path, '"eventList" is missing');
  return [[single, body.pathOf('event')]];
}

/** `prefix:ignoreFields`: names of event extensions that a repository added, and that are no part of the event. */
function ignoredFieldsOf(reader: ObjectReader, context: NamespaceContext): readonly string[] {
  return reader.rest().flatMap(([key]) => {
    if (!key.endsWith(':ignoreFields')) return [];
    return reader.list(key).map(([item, path]) => qualifiedName(context.resolveName(textOf(item, path), path)));
  });
}
