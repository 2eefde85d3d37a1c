import type { Logger, LogLevel } from './logger.ts';

/** Where lines go; `process.stderr` and `process.stdout` fit. */
export interface LogSink {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export interface ConsoleLoggerOptions {
  /** The least level that is written. */
  readonly level: LogLevel;
  readonly sink: LogSink;
  /** Time of a line, in milliseconds since 1970. */
  readonly nowMs: () => number;
  /** `auto`: one readable line on a terminal, one JSON object a line otherwise. */
  readonly format?: 'auto' | 'human' | 'json';
}

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
const COLOUR: Readonly<Record<LogLevel, string>> = {
  debug: '\u001b[90m',
  info: '',
  warn: '\u001b[33m',
  error: '\u001b[31m',
};
const RESET = '\u001b[0m';
const MAX_VALUE_LENGTH = 2_000;

/** A logger of one line an event. What a peer said can stand in a field, so control characters never reach the sink raw. */
export function createConsoleLogger(options: ConsoleLoggerOptions): Logger {
  const human = options.format === 'human' || (options.format !== 'json' && options.sink.isTTY === true);
  const make = (inherited: Readonly<Record<string, unknown>>): Logger => ({
    log(level, message, fields = {}): void {
      if (RANK[level] < RANK[options.level]) return;
      const all = { ...inherited, ...fields };
      options.sink.write(
        `${human ? humanLine(options, level, message, all) : jsonLine(options, level, message, all)}\n`,
      );
    },
    child: (fields) => make({ ...inherited, ...fields }),
  });
  return make({});
}

/** A logger that says nothing, for tests and tools. */
export function createSilentLogger(): Logger {
  const logger: Logger = { log: () => undefined, child: () => logger };
  return logger;
}

function jsonLine(
  options: ConsoleLoggerOptions,
  level: LogLevel,
  message: string,
  fields: Record<string, unknown>,
): string {
  const plain: Record<string, unknown> = { time: new Date(options.nowMs()).toISOString(), level, message };
  for (const [name, value] of Object.entries(fields)) plain[name in plain ? `${name}_` : name] = plainValue(value);
  return JSON.stringify(plain, (_name, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}

function humanLine(
  options: ConsoleLoggerOptions,
  level: LogLevel,
  message: string,
  fields: Record<string, unknown>,
): string {
  const time = new Date(options.nowMs()).toISOString().slice(11, 23);
  const colour = options.sink.isTTY === true ? COLOUR[level] : '';
  const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${humanValue(value)}`);
  const text = `${time} ${level.toUpperCase().padEnd(5)} ${printable(message)}`;
  return `${colour}${text}${colour === '' ? '' : RESET}${pairs.join('')}`;
}

function humanValue(value: unknown): string {
  const plain = plainValue(value);
  const text =
    typeof plain === 'string'
      ? plain
      : (JSON.stringify(plain, (_name, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner)) ??
        'undefined');
  return /[\s"=]/.test(text) ? JSON.stringify(printable(text)) : printable(text);
}

/** Bounds a value and makes it safe for JSON; an Error becomes its message and, at level of a stack, its first lines. */
function plainValue(value: unknown): unknown {
  if (value instanceof Error) return cut(value.stack ?? `${value.name}: ${value.message}`);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string') return cut(value);
  if (value instanceof Uint8Array)
    return cut(`0x${Buffer.from(value.subarray(0, MAX_VALUE_LENGTH / 2)).toString('hex')}`);
  return value;
}

function cut(text: string): string {
  return text.length <= MAX_VALUE_LENGTH ? text : `${text.slice(0, MAX_VALUE_LENGTH)}...`;
}

function printable(text: string): string {
  // Terminals obey escape sequences; a peer must not be able to send one through a log line.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) =>
    character === '\n' ? '\\n' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
