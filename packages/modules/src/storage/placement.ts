import type { StorageFields, StorageType } from './storageType.ts';

/** Where a variable stands: its slot counted from its struct's (or the account's) first, and its offset in bytes from the word's low end. */
export interface PlacedField {
  readonly label: string;
  readonly type: StorageType;
  readonly slot: number;
  readonly offset: number;
}

/**
 * Places variables as Solidity does: values share a word from its low end on as long as they fit; structs, arrays, mappings and
 * byte strings begin a word of their own, and so does what follows a struct.
 */
export function placeFields(fields: StorageFields): readonly PlacedField[] {
  const placed: PlacedField[] = [];
  let slot = 0;
  let offset = 0;
  for (const [label, type] of Object.entries(fields)) {
    // JavaScript moves such keys to the front, which would reorder the storage.
    if (/^\d/.test(label)) throw new Error(`a storage variable may not be named ${label}`);
    const bytes = type.kind === 'value' ? type.bytes : 32;
    if (offset > 0 && (type.kind !== 'value' || offset + bytes > 32)) {
      slot++;
      offset = 0;
    }
    placed.push({ label, type, slot, offset });
    if (type.kind === 'struct') {
      slot += slotsOf(type);
    } else {
      offset += bytes;
      if (offset === 32) {
        slot++;
        offset = 0;
      }
    }
  }
  return placed;
}

const structSlots = new WeakMap<StorageFields, number>();

/** How many slots a variable of the type takes where it stands. */
export function slotsOf(type: StorageType): number {
  if (type.kind !== 'struct') return 1;
  let slots = structSlots.get(type.fields);
  if (slots === undefined) {
    const last = placeFields(type.fields).at(-1);
    if (last === undefined) throw new Error(`the struct ${type.name} is empty`);
    slots = last.slot + slotsOf(last.type);
    structSlots.set(type.fields, slots);
  }
  return slots;
}

/** Solidity's name of a type. */
export function typeName(type: StorageType): string {
  switch (type.kind) {
    case 'value':
      return type.name;
    case 'mapping':
      return `mapping(${typeName(type.key)} => ${typeName(type.value)})`;
    case 'array':
      return `${typeName(type.element)}[]`;
    case 'struct':
      return `struct ${type.name}`;
    default:
      return type.kind;
  }
}

/**
 * The layout as lines, which golden files freeze: `slot offset label type` of every variable, then each struct once
 * in the order of its first use.
 */
export function describeLayout(fields: StorageFields): string[] {
  const structs = new Map<string, StorageFields>();
  const visit = (type: StorageType): void => {
    if (type.kind === 'mapping') visit(type.value);
    else if (type.kind === 'array') visit(type.element);
    else if (type.kind === 'struct' && !structs.has(type.name)) structs.set(type.name, type.fields);
  };
  const lines = (variables: StorageFields, indent: string): string[] =>
    placeFields(variables).map(({ label, type, slot, offset }) => {
      visit(type);
      return `${indent}${slot} ${offset} ${label} ${typeName(type)}`;
    });
  const result = lines(fields, '');
  // A map keeps what is added while it is walked, so structs inside structs follow.
  for (const [name, members] of structs) result.push(`struct ${name}`, ...lines(members, '  '));
  return result;
}
