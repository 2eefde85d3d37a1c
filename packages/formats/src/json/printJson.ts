import type { JsonValue } from './jsonValue.ts';

/** Prints a value as compact JSON. Numbers keep the text that they were written with. */
export function printJson(value: JsonValue): string {
  switch (value.kind) {
    case 'null':
      return 'null';
    case 'boolean':
      return String(value.value);
    case 'number':
      return value.text;
    case 'string':
      return JSON.stringify(value.value);
    case 'array':
      return `[${value.items.map(printJson).join(',')}]`;
    case 'object':
      return `{${[...value.members].map(([name, member]) => `${JSON.stringify(name)}:${printJson(member)}`).join(',')}}`;
  }
}
