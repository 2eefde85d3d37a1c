import { FormatError } from '../formatError.ts';
import type { JsonValue } from '../json/jsonValue.ts';
import { ObjectReader, wrongKind } from '../json/objectReader.ts';
import type { SensorElement, SensorMetadata, SensorReport } from './epcisEvent.ts';
import { extensionsOf } from './jsonExtensions.ts';
import { optionalDecimal, optionalIdentifier, optionalTerm, optionalTime, present } from './jsonFields.ts';
import type { NamespaceContext } from './namespaceContext.ts';

/** An element of `sensorElementList`. */
export function sensorElementOf(value: JsonValue, path: string, context: NamespaceContext): SensorElement {
  const reader = new ObjectReader(value, path);
  const metadata = reader.optionalObject('sensorMetadata');
  const reports = reader.list('sensorReport').map(([item, itemPath]) => sensorReportOf(item, itemPath, context));
  if (reports.length === 0)
    throw new FormatError('invalid-document', path, 'a sensor element has at least one sensorReport');
  return {
    ...(metadata === undefined ? {} : { sensorMetadata: sensorMetadataOf(metadata, context) }),
    sensorReport: reports,
    extensions: extensionsOf(reader, context),
  };
}

function sensorMetadataOf(reader: ObjectReader, context: NamespaceContext): SensorMetadata {
  const identifier = (name: string): string | undefined => optionalIdentifier(reader, name, context);
  const fields = present({
    time: optionalTime(reader, 'time'),
    startTime: optionalTime(reader, 'startTime'),
    endTime: optionalTime(reader, 'endTime'),
    deviceID: identifier('deviceID'),
    deviceMetadata: identifier('deviceMetadata'),
    rawData: identifier('rawData'),
    dataProcessingMethod: identifier('dataProcessingMethod'),
    bizRules: identifier('bizRules'),
  });
  return { ...fields, extensions: extensionsOf(reader, context) };
}

function sensorReportOf(value: JsonValue, path: string, context: NamespaceContext): SensorReport {
  const reader = new ObjectReader(value, path);
  const identifier = (name: string): string | undefined => optionalIdentifier(reader, name, context);
  const decimal = (name: string): string | undefined => optionalDecimal(reader, name);
  const fields = present({
    type: optionalTerm(reader, 'type', 'measurementType', context),
    exception: optionalTerm(reader, 'exception', 'sensorAlertType', context),
    deviceID: identifier('deviceID'),
    deviceMetadata: identifier('deviceMetadata'),
    rawData: identifier('rawData'),
    dataProcessingMethod: identifier('dataProcessingMethod'),
    bizRules: identifier('bizRules'),
    time: optionalTime(reader, 'time'),
    microorganism: identifier('microorganism'),
    chemicalSubstance: identifier('chemicalSubstance'),
    value: decimal('value'),
    component: optionalTerm(reader, 'component', 'component', context),
    stringValue: reader.optionalText('stringValue'),
    booleanValue: optionalBoolean(reader, 'booleanValue'),
    hexBinaryValue: optionalHexBinary(reader, 'hexBinaryValue'),
    uriValue: identifier('uriValue'),
    minValue: decimal('minValue'),
    maxValue: decimal('maxValue'),
    meanValue: decimal('meanValue'),
    sDev: decimal('sDev'),
    percRank: decimal('percRank'),
    percValue: decimal('percValue'),
    uom: reader.optionalText('uom'),
    coordinateReferenceSystem: identifier('coordinateReferenceSystem'),
  });
  return { ...fields, extensions: extensionsOf(reader, context) };
}

function optionalBoolean(reader: ObjectReader, name: string): string | undefined {
  const value = reader.value(name);
  if (value === undefined) return undefined;
  if (value.kind !== 'boolean') throw wrongKind(value, reader.pathOf(name), 'true or false');
  return String(value.value);
}

function optionalHexBinary(reader: ObjectReader, name: string): string | undefined {
  const text = reader.optionalText(name);
  if (text !== undefined && !/^([0-9A-Fa-f]{2})+$/.test(text.trim()))
    throw new FormatError('invalid-value', reader.pathOf(name), 'pairs of hexadecimal digits are expected');
  return text;
}
