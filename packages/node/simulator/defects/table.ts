import { FAULT_NAMES } from '../faults/faults.ts';
import { type Defect, USUAL } from './defect.ts';
import type { Hunt } from './hunt.ts';

/** Between these stands the table in docs/internals/testing.md, which `--write` renews. */
const TABLE_BEGIN = '<!-- defects: written by npm run defects -- --write -->';
const TABLE_END = '<!-- end of defects -->';

/** The table of all defects, with what caught each and in how many seeds. */
export function renderTable(found: readonly { readonly defect: Defect; readonly hunt: Hunt }[]): string {
  const rows = found.map(({ defect, hunt }) => {
    const by = hunt.outcome === 'caught' ? hunt.by : '**nothing**';
    return `| ${[defect.name, defect.breaks, settingOf(defect), by, hunt.seeds].join(' | ')} |`;
  });
  return [
    '| defect | what it breaks | looked for with | caught by | seeds |',
    '| --- | --- | --- | --- | ---: |',
    ...rows,
  ].join('\n');
}

/** A document with the table in place of the one that it has. Throws if it has no place for one. */
export function withTable(document: string, table: string): string {
  const [before, rest] = document.split(TABLE_BEGIN);
  const after = rest?.split(TABLE_END)[1];
  if (after === undefined) throw new Error(`the document has no "${TABLE_BEGIN}" with "${TABLE_END}" after it`);
  return `${before}${TABLE_BEGIN}\n${table}\n${TABLE_END}${after}`;
}

/** In what the campaign differs from the usual one. */
function settingOf({ setting = {} }: Defect): string {
  const { validators, heights, byzantine, faults, governance } = { ...USUAL, ...setting };
  const words = [
    validators === USUAL.validators ? '' : `${validators} validators`,
    heights === USUAL.heights ? '' : `${heights} heights`,
    byzantine === USUAL.byzantine ? '' : `\`${byzantine}\``,
    faults.length === FAULT_NAMES.length ? '' : `faults: ${faults.join(', ') || 'none'}`,
    governance === USUAL.governance ? '' : 'governance',
  ];
  return words.filter((word) => word !== '').join('; ') || 'the usual';
}
