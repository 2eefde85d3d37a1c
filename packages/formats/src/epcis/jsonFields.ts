import { normaliseDateTimeStamp } from '../dateTimeStamp.ts';
import { normaliseDecimal } from '../decimal.ts';
import { FormatError } from '../formatError.ts';
import type { JsonValue } from '../json/jsonValue.ts';
import { type ObjectReader, textOf, wrongKind } from '../json/objectReader.ts';
import type { NamespaceContext } from './namespaceContext.ts';
import { type Vocabulary, vocabularyURI } from './vocabulary.ts';

// The kinds of values that fields of events have. Each checks, and names the path of what it refuses.

/** Longer than any identifier or name of the standards, and short enough that nothing can be hidden in one. */
const MAX_IDENTIFIER_LENGTH = 2_048;

/** A URI or a CURIE; the latter is written out. */
export function identifierOf(value: JsonValue, path: string, context: NamespaceContext): string {
  const text = textOf(value, path).trim();
  if (text.length > MAX_IDENTIFIER_LENGTH)
    throw new FormatError('too-large', path, `an identifier has at most ${MAX_IDENTIFIER_LENGTH} characters`);
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text) || /\s/.test(text))
    throw new FormatError('invalid-value', path, `"${text.slice(0, 100)}" is no URI`);
  return context.expandValue(text);
}

export function optionalIdentifier(reader: ObjectReader, name: string, context: NamespaceContext): string | undefined {
  const value = reader.value(name);
  return value === undefined ? undefined : identifierOf(value, reader.pathOf(name), context);
}

export function identifiers(reader: ObjectReader, name: string, context: NamespaceContext): readonly string[] {
  return reader.list(name).map(([item, path]) => identifierOf(item, path, context));
}

/** A term of a CBV vocabulary: a bare word, or a URI or CURIE of this or another vocabulary. Always given as a URI. */
export function termOf(value: JsonValue, path: string, vocabulary: Vocabulary, context: NamespaceContext): string {
  const text = textOf(value, path).trim();
  if (text.includes(':')) return identifierOf(value, path, context);
  const uri = vocabularyURI(vocabulary, text);
  if (uri === undefined)
    throw new FormatError('invalid-value', path, `"${text.slice(0, 100)}" is no ${vocabulary} of CBV 2.0, and no URI`);
  return uri;
}

export function optionalTerm(
  reader: ObjectReader,
  name: string,
  vocabulary: Vocabulary,
  context: NamespaceContext,
): string | undefined {
  const value = reader.value(name);
  return value === undefined ? undefined : termOf(value, reader.pathOf(name), vocabulary, context);
}

/** A time with its offset, checked and given as written. */
export function optionalTime(reader: ObjectReader, name: string): string | undefined {
  const text = reader.optionalText(name)?.trim();
  if (text !== undefined && normaliseDateTimeStamp(text) === undefined)
    throw new FormatError(
      'invalid-value',
      reader.pathOf(name),
      `"${text.slice(0, 100)}" is no date and time with an offset, such as 2024-05-01T12:00:00.000+02:00`,
    );
  return text;
}

export function time(reader: ObjectReader, name: string): string {
  const text = optionalTime(reader, name);
  if (text === undefined) throw new FormatError('invalid-document', reader.path, `"${name}" is missing`);
  return text;
}

/** A JSON number as a decimal in its normal form. */
export function decimalOf(value: JsonValue, path: string): string {
  if (value.kind !== 'number') throw wrongKind(value, path, 'a number');
  const decimal = normaliseDecimal(value.text);
  if (decimal === undefined) throw new FormatError('too-large', path, 'the number has too many digits');
  return decimal;
}

export function optionalDecimal(reader: ObjectReader, name: string): string | undefined {
  const value = reader.value(name);
  return value === undefined ? undefined : decimalOf(value, reader.pathOf(name));
}

/** Leaves out what is undefined, so that absent fields are absent (`exactOptionalPropertyTypes`). */
export function present<T extends Readonly<Record<string, unknown>>>(
  fields: T,
): { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
} {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof present<T>
  >;
}
