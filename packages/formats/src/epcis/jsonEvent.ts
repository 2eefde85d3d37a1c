import { FormatError } from '../formatError.ts';
import type { JsonValue } from '../json/jsonValue.ts';
import { ObjectReader } from '../json/objectReader.ts';
import {
  type BizTransaction,
  type EPCISAction,
  type EPCISEvent,
  type EPCISEventType,
  type EPCISLocation,
  type ErrorDeclaration,
  epcisActions,
  epcisEventTypes,
  type PersistentDisposition,
  type QuantityElement,
  type SourceOrDestination,
} from './epcisEvent.ts';
import { childrenOf, extensionsOf, refuseRest } from './jsonExtensions.ts';
import {
  identifierOf,
  identifiers,
  optionalDecimal,
  optionalIdentifier,
  optionalTerm,
  optionalTime,
  present,
  termOf,
  time,
} from './jsonFields.ts';
import { sensorElementOf } from './jsonSensors.ts';
import type { NamespaceContext } from './namespaceContext.ts';

/** Which fields belong to one type of event only (EPCIS 2.0, section 7.4); the others belong to all. */
const ownFields: Readonly<Record<EPCISEventType, ReadonlySet<string>>> = {
  ObjectEvent: new Set(['epcList', 'quantityList', 'ilmd']),
  AggregationEvent: new Set(['parentID', 'childEPCs', 'childQuantityList']),
  TransactionEvent: new Set(['parentID', 'epcList', 'quantityList']),
  TransformationEvent: new Set([
    'inputEPCList',
    'inputQuantityList',
    'outputEPCList',
    'outputQuantityList',
    'transformationID',
    'ilmd',
  ]),
  AssociationEvent: new Set(['parentID', 'childEPCs', 'childQuantityList']),
};

const fieldsOfSomeTypes = new Set(Object.values(ownFields).flatMap((fields) => [...fields]));

/** Reads one event. An `@context` of its own extends the document's. Throws a FormatError that names the path. */
export function eventOf(value: JsonValue, path: string, documentContext: NamespaceContext): EPCISEvent {
  const reader = new ObjectReader(value, path);
  const own = reader.value('@context');
  const context = own === undefined ? documentContext : documentContext.extendedBy(own, reader.pathOf('@context'));
  const type = eventType(reader);
  for (const field of fieldsOfSomeTypes) {
    if (reader.has(field) && !ownFields[type].has(field))
      throw new FormatError('invalid-document', reader.pathOf(field), `${type} has no such field`);
  }
  const errorDeclaration = reader.optionalObject('errorDeclaration');
  const persistentDisposition = reader.optionalObject('persistentDisposition');
  const readPoint = reader.optionalObject('readPoint');
  const bizLocation = reader.optionalObject('bizLocation');
  const ilmd = reader.value('ilmd');
  const quantities = (name: string): readonly QuantityElement[] =>
    reader.list(name).map(([item, itemPath]) => quantityElementOf(item, itemPath, context));
  const fields = present({
    eventID: reader.optionalText('eventID'),
    recordTime: optionalTime(reader, 'recordTime'),
    errorDeclaration: errorDeclaration && errorDeclarationOf(errorDeclaration, context),
    action: action(reader, type),
    bizStep: optionalTerm(reader, 'bizStep', 'bizStep', context),
    disposition: optionalTerm(reader, 'disposition', 'disposition', context),
    persistentDisposition: persistentDisposition && persistentDispositionOf(persistentDisposition, context),
    readPoint: readPoint && locationOf(readPoint, context),
    bizLocation: bizLocation && locationOf(bizLocation, context),
    parentID: optionalIdentifier(reader, 'parentID', context),
    transformationID: optionalIdentifier(reader, 'transformationID', context),
  });
  return {
    type,
    ...fields,
    eventTime: time(reader, 'eventTime'),
    eventTimeZoneOffset: timeZoneOffset(reader),
    certificationInfo: certificationInfo(reader, context),
    epcList: identifiers(reader, 'epcList', context),
    quantityList: quantities('quantityList'),
    childEPCs: identifiers(reader, 'childEPCs', context),
    childQuantityList: quantities('childQuantityList'),
    inputEPCList: identifiers(reader, 'inputEPCList', context),
    inputQuantityList: quantities('inputQuantityList'),
    outputEPCList: identifiers(reader, 'outputEPCList', context),
    outputQuantityList: quantities('outputQuantityList'),
    bizTransactionList: reader.list('bizTransactionList').map(([item, at]) => bizTransactionOf(item, at, context)),
    sourceList: reader.list('sourceList').map(([item, at]) => partyOf(item, at, 'source', context)),
    destinationList: reader.list('destinationList').map(([item, at]) => partyOf(item, at, 'destination', context)),
    sensorElementList: reader.list('sensorElementList').map(([item, at]) => sensorElementOf(item, at, context)),
    ilmd: ilmd === undefined ? [] : childrenOf(ilmd, reader.pathOf('ilmd'), context),
    extensions: extensionsOf(reader, context),
  };
}

function eventType(reader: ObjectReader): EPCISEventType {
  const text = reader.text('type');
  const type = epcisEventTypes.find((known) => known === text);
  if (type === undefined)
    throw new FormatError(
      'unsupported',
      reader.pathOf('type'),
      `"${text.slice(0, 100)}" is no event type of EPCIS 2.0`,
    );
  return type;
}

function action(reader: ObjectReader, type: EPCISEventType): EPCISAction | undefined {
  if (type === 'TransformationEvent') {
    if (reader.has('action'))
      throw new FormatError('invalid-document', reader.pathOf('action'), 'TransformationEvent has no such field');
    return undefined;
  }
  const text = reader.text('action');
  const found = epcisActions.find((known) => known === text);
  if (found === undefined)
    throw new FormatError(
      'invalid-value',
      reader.pathOf('action'),
      `${epcisActions.join(', ')}: one of these is expected`,
    );
  return found;
}

function timeZoneOffset(reader: ObjectReader): string {
  const text = reader.text('eventTimeZoneOffset').trim();
  if (!/^[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00)$/.test(text))
    throw new FormatError(
      'invalid-value',
      reader.pathOf('eventTimeZoneOffset'),
      `"${text.slice(0, 100)}" is no offset from UTC such as +01:00`,
    );
  return text;
}

/** One address, or a list of them. */
function certificationInfo(reader: ObjectReader, context: NamespaceContext): readonly string[] {
  const value = reader.value('certificationInfo');
  if (value?.kind === 'array') return identifiers(reader, 'certificationInfo', context);
  return value === undefined ? [] : [identifierOf(value, reader.pathOf('certificationInfo'), context)];
}

function locationOf(reader: ObjectReader, context: NamespaceContext): EPCISLocation {
  const id = optionalIdentifier(reader, 'id', context);
  if (id === undefined) throw new FormatError('invalid-document', reader.path, '"id" is missing');
  return { id, extensions: extensionsOf(reader, context) };
}

function quantityElementOf(value: JsonValue, path: string, context: NamespaceContext): QuantityElement {
  const reader = new ObjectReader(value, path);
  const epcClass = optionalIdentifier(reader, 'epcClass', context);
  if (epcClass === undefined) throw new FormatError('invalid-document', path, '"epcClass" is missing');
  const fields = present({ quantity: optionalDecimal(reader, 'quantity'), uom: reader.optionalText('uom') });
  refuseRest(reader);
  return { epcClass, ...fields };
}

function bizTransactionOf(value: JsonValue, path: string, context: NamespaceContext): BizTransaction {
  const reader = new ObjectReader(value, path);
  const id = optionalIdentifier(reader, 'bizTransaction', context);
  if (id === undefined) throw new FormatError('invalid-document', path, '"bizTransaction" is missing');
  const fields = present({ type: optionalTerm(reader, 'type', 'bizTransactionType', context) });
  refuseRest(reader);
  return { ...fields, bizTransaction: id };
}

function partyOf(
  value: JsonValue,
  path: string,
  key: 'source' | 'destination',
  context: NamespaceContext,
): SourceOrDestination {
  const reader = new ObjectReader(value, path);
  const type = optionalTerm(reader, 'type', 'sourceDestinationType', context);
  const id = optionalIdentifier(reader, key, context);
  if (type === undefined || id === undefined)
    throw new FormatError('invalid-document', path, `"${type === undefined ? 'type' : key}" is missing`);
  refuseRest(reader);
  return { type, id };
}

function persistentDispositionOf(reader: ObjectReader, context: NamespaceContext): PersistentDisposition {
  const dispositions = (name: string): readonly string[] =>
    reader.list(name).map(([item, path]) => termOf(item, path, 'disposition', context));
  const found = { set: dispositions('set'), unset: dispositions('unset') };
  refuseRest(reader);
  return found;
}

function errorDeclarationOf(reader: ObjectReader, context: NamespaceContext): ErrorDeclaration {
  return {
    declarationTime: time(reader, 'declarationTime'),
    ...present({ reason: optionalTerm(reader, 'reason', 'errorReason', context) }),
    correctiveEventIDs: identifiers(reader, 'correctiveEventIDs', context),
    extensions: extensionsOf(reader, context),
  };
}
