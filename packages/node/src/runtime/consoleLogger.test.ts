import { describe, expect, it } from 'vitest';
import { createConsoleLogger } from './consoleLogger.ts';
import type { LogLevel } from './logger.ts';

function logger(level: LogLevel, isTTY: boolean) {
  const lines: string[] = [];
  const sink = { isTTY, write: (text: string) => lines.push(text) };
  return { lines, logger: createConsoleLogger({ level, sink, nowMs: () => Date.UTC(2024, 0, 2, 3, 4, 5, 678) }) };
}

describe('the console logger', () => {
  it('writes one JSON object a line where nobody looks on', () => {
    const { lines, logger: log } = logger('info', false);
    log
      .child({ member: 'bank' })
      .log('warn', 'peer lost', { height: 10n ** 20n, list: [1n], level: 'x', error: new Error('why') });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      time: '2024-01-02T03:04:05.678Z',
      level: 'warn',
      message: 'peer lost',
      member: 'bank',
      height: '100000000000000000000',
      list: ['1'],
      level_: 'x',
      error: expect.stringMatching(/^Error: why\n/),
    });
  });

  it('writes for people on a terminal', () => {
    const { lines, logger: log } = logger('info', true);
    log.log('info', 'block final', { height: 5, name: 'two words', none: undefined });
    expect(lines).toEqual(['03:04:05.678 INFO  block final height=5 name="two words" none=undefined\n']);
  });

  it('leaves out what is below its level', () => {
    const { lines, logger: log } = logger('warn', false);
    log.log('info', 'quiet');
    log.log('error', 'loud');
    expect(lines).toHaveLength(1);
  });

  it('keeps every event on one line and every escape sequence from the terminal', () => {
    for (const isTTY of [true, false]) {
      const { lines, logger: log } = logger('info', isTTY);
      log.log('info', 'peer says\n\u001b[2Jgone', { reason: 'a\r\n\u001b]0;title\u0007b' });
      // A colour of the logger's own may begin and end the part before the fields; `info` has none.
      expect([...lines[0]!.slice(0, -1)].every((character) => character >= ' ')).toBe(true);
    }
  });
});
