import { type RPCError, rpcError } from './codes.ts';
import type { TurnScheduler } from './turnScheduler.ts';

/** Arrays longer than this are written element by element. */
const PIECEWISE_FROM = 16;

/**
 * Writes a value as JSON without keeping the thread: long arrays, and objects that hold them (a block with its
 * transactions), in pieces. Throws `response-too-large` once there are more than `maxBytes` characters (results are ASCII but for
 * names and messages, so characters are bytes to within a few).
 */
export async function serialize(value: unknown, maxBytes: number, turns: TurnScheduler): Promise<string> {
  const writer: Writer = { pieces: [], length: 0, maxBytes, turns };
  await write(value, writer, 3);
  return writer.pieces.join('');
}

interface Writer {
  readonly pieces: string[];
  length: number;
  readonly maxBytes: number;
  readonly turns: TurnScheduler;
}

function push(piece: string, writer: Writer): void {
  writer.length += piece.length;
  if (writer.length > writer.maxBytes) throw responseTooLarge(writer.maxBytes);
  writer.pieces.push(piece);
}

async function write(value: unknown, writer: Writer, levels: number): Promise<void> {
  if (levels > 0 && Array.isArray(value) && value.length > PIECEWISE_FROM) {
    for (const [index, element] of value.entries()) {
      push(index === 0 ? '[' : ',', writer);
      await write(element, writer, levels - 1);
      const turn = writer.turns.pause();
      if (turn !== undefined) await turn;
    }
    push(']', writer);
  } else if (levels > 0 && holdsLongArray(value)) {
    let separator = '{';
    for (const [key, member] of Object.entries(value)) {
      if (member === undefined) continue;
      push(`${separator}${JSON.stringify(key)}:`, writer);
      await write(member, writer, levels - 1);
      separator = ',';
    }
    push(separator === '{' ? '{}' : '}', writer);
  } else {
    push(JSON.stringify(value) ?? 'null', writer);
  }
}

function holdsLongArray(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).some((member) => Array.isArray(member) && member.length > PIECEWISE_FROM)
  );
}

export function responseTooLarge(maxBytes: number): RPCError {
  return rpcError('response-too-large', `more than ${maxBytes} bytes, ask for less`);
}
