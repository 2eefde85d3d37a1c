export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Structured log: one line an event; `fields` are plain values. Never a key, a passphrase or a vault's content. */
export interface Logger {
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
  child(fields: Readonly<Record<string, unknown>>): Logger;
}
