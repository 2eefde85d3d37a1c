import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { playScenario } from './testing/scenario.ts';

const place = join(dirname(fileURLToPath(import.meta.url)), '..', 'testdata');
/** `UPDATE_SCENARIOS=1` writes down what the core does now; read the difference before committing it. */
const updating = process.env.UPDATE_SCENARIOS === '1';

describe('scenario', () => {
  for (const file of readdirSync(place).filter((name) => name.endsWith('.txt'))) {
    it(file.replace(/\.txt$/, '').replaceAll('-', ' '), () => {
      const script = readFileSync(join(place, file), 'utf8');
      const played = playScenario(script);
      if (updating) writeFileSync(join(place, file), played);
      else expect(played).toBe(script);
    });
  }
});
