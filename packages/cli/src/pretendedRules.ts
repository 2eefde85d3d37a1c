import { type SupportedRules, supportedRules } from '@hanse/node';
import { CLIError } from './cliError.ts';

/** The variable that lets a node pretend to be of an older version. */
export const PRETENDED_RULES = 'HANSE_PRETEND_RULES';

/**
 * Reads the rules that a node is to pretend to lack, for tests and for drills of an upgrade: `gas-schedule=1,module:currency=1`. It can only take
 * away, so a node with it does what an older program would do: it stops before the height of a rule that it lacks.
 */
export function readPretendedRules(text: string | undefined): SupportedRules | undefined {
  if (text === undefined || text === '') return undefined;
  const entries = text.split(',').map((entry): [string, number] => {
    const [, feature = '', version = ''] = /^([a-z][a-z0-9:-]*)=(\d{1,6})$/.exec(entry.trim()) ?? [];
    const newest = supportedRules[feature];
    if (newest === undefined || Number(version) > newest) {
      const known = Object.entries(supportedRules).map(([name, highest]) => `${name}=0 to ${highest}`);
      throw new CLIError(
        `${PRETENDED_RULES}: "${entry.trim()}" takes no rule away. Possible are: ${known.join(', ')}.`,
      );
    }
    return [feature, Number(version)];
  });
  return Object.fromEntries(entries);
}
