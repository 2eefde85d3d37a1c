/**
 * EPCIS 2.0 events as this package knows them, whatever they were written in: a reader of JSON or of XML resolves names,
 * prefixes and bare words, so that nobody behind it has to know the syntax. Values are otherwise as written: identifiers
 * are not yet canonical, times keep their offset and precision. Field names are those of the standard (EPCIS 2.0, section 7).
 */
export type EPCISEventType = (typeof epcisEventTypes)[number];

export const epcisEventTypes = [
  'ObjectEvent',
  'AggregationEvent',
  'TransactionEvent',
  'TransformationEvent',
  'AssociationEvent',
] as const;

export type EPCISAction = (typeof epcisActions)[number];

export const epcisActions = ['ADD', 'OBSERVE', 'DELETE'] as const;

/** An element that the standard does not define: a user extension, or an element of `ilmd`. */
export interface ExtensionElement {
  /** The namespace; empty for a name without one. */
  readonly namespace: string;
  readonly localName: string;
  /** Text, or a number in its normal form, or `true` / `false`; absent for an element that only has children. */
  readonly value?: string;
  readonly children: readonly ExtensionElement[];
}

export interface QuantityElement {
  readonly epcClass: string;
  /** A decimal number as text, in its normal form (no trailing zeros, no exponent). */
  readonly quantity?: string;
  /** UN/ECE recommendation 20; absent: a count of pieces. */
  readonly uom?: string;
}

/** A `readPoint` or `bizLocation`. */
export interface EPCISLocation {
  readonly id: string;
  readonly extensions: readonly ExtensionElement[];
}

export interface BizTransaction {
  readonly type?: string;
  readonly bizTransaction: string;
}

/** An entry of `sourceList` (key `source`) or `destinationList` (key `destination`). */
export interface SourceOrDestination {
  readonly type: string;
  readonly id: string;
}

export interface SensorMetadata {
  readonly time?: string;
  readonly startTime?: string;
  readonly endTime?: string;
  readonly deviceID?: string;
  readonly deviceMetadata?: string;
  readonly rawData?: string;
  readonly dataProcessingMethod?: string;
  readonly bizRules?: string;
  readonly extensions: readonly ExtensionElement[];
}

/** One measurement. Numbers are decimals as text in their normal form; `booleanValue` is `true` or `false` as text. */
export interface SensorReport {
  readonly type?: string;
  readonly exception?: string;
  readonly deviceID?: string;
  readonly deviceMetadata?: string;
  readonly rawData?: string;
  readonly dataProcessingMethod?: string;
  readonly bizRules?: string;
  readonly time?: string;
  readonly microorganism?: string;
  readonly chemicalSubstance?: string;
  readonly value?: string;
  readonly component?: string;
  readonly stringValue?: string;
  readonly booleanValue?: string;
  readonly hexBinaryValue?: string;
  readonly uriValue?: string;
  readonly minValue?: string;
  readonly maxValue?: string;
  readonly meanValue?: string;
  readonly sDev?: string;
  readonly percRank?: string;
  readonly percValue?: string;
  readonly uom?: string;
  readonly coordinateReferenceSystem?: string;
  readonly extensions: readonly ExtensionElement[];
}

export interface SensorElement {
  readonly sensorMetadata?: SensorMetadata;
  readonly sensorReport: readonly SensorReport[];
  readonly extensions: readonly ExtensionElement[];
}

export interface PersistentDisposition {
  readonly set: readonly string[];
  readonly unset: readonly string[];
}

/** Says that an event that was recorded earlier is wrong. */
export interface ErrorDeclaration {
  readonly declarationTime: string;
  readonly reason?: string;
  readonly correctiveEventIDs: readonly string[];
  readonly extensions: readonly ExtensionElement[];
}

/** An event of any of the five types. Lists are empty where the event has none. */
export interface EPCISEvent {
  readonly type: EPCISEventType;
  readonly eventID?: string;
  /** With an offset, as written: `2005-04-03T20:33:31.116000-06:00`. */
  readonly eventTime: string;
  readonly recordTime?: string;
  /** `+01:00`: where the event happened. */
  readonly eventTimeZoneOffset: string;
  readonly certificationInfo: readonly string[];
  readonly errorDeclaration?: ErrorDeclaration;
  readonly action?: EPCISAction;
  readonly bizStep?: string;
  readonly disposition?: string;
  readonly persistentDisposition?: PersistentDisposition;
  readonly readPoint?: EPCISLocation;
  readonly bizLocation?: EPCISLocation;
  readonly epcList: readonly string[];
  readonly quantityList: readonly QuantityElement[];
  readonly parentID?: string;
  readonly childEPCs: readonly string[];
  readonly childQuantityList: readonly QuantityElement[];
  readonly inputEPCList: readonly string[];
  readonly inputQuantityList: readonly QuantityElement[];
  readonly outputEPCList: readonly string[];
  readonly outputQuantityList: readonly QuantityElement[];
  readonly transformationID?: string;
  readonly bizTransactionList: readonly BizTransaction[];
  readonly sourceList: readonly SourceOrDestination[];
  readonly destinationList: readonly SourceOrDestination[];
  readonly sensorElementList: readonly SensorElement[];
  /** Instance or lot master data. */
  readonly ilmd: readonly ExtensionElement[];
  readonly extensions: readonly ExtensionElement[];
}

/** An EPCISDocument, an EPCISQueryDocument, or the wrapping of a single event. */
export interface EPCISDocument {
  readonly type: 'EPCISDocument' | 'EPCISQueryDocument' | 'event';
  readonly schemaVersion?: string;
  readonly creationDate?: string;
  readonly events: readonly EPCISEvent[];
  /**
   * Names (`{namespace}localName`) of event extensions that the document asks to leave out of the event hash
   * (`ignoreFields`). This is a claim of the document: whoever checks a hash decides whether to follow it.
   */
  readonly ignoredFields: readonly string[];
}

/** How hashes and messages write a name: `{https://ns.example.com/epcis/}myField`, or `myField` without a namespace. */
export const qualifiedName = ({ namespace, localName }: Pick<ExtensionElement, 'namespace' | 'localName'>): string =>
  namespace === '' ? localName : `{${namespace}}${localName}`;
