import { consensusDefects } from './consensusDefects.ts';
import type { Defect } from './defect.ts';
import { engineDefects } from './engineDefects.ts';
import { memberDefects } from './memberDefects.ts';

/** Every planted defect, in the order of the table in docs/internals/testing.md. */
export const defects: readonly Defect[] = [...consensusDefects, ...engineDefects, ...memberDefects];
