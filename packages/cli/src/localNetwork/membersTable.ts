import type { NetworkFile } from './networkFile.ts';

/** The table that `hanse up` ends in. */
export function membersTable(file: NetworkFile): string {
  const rows = [
    ['member', 'account', 'JSON-RPC', 'WebSocket', 'process'],
    ...file.members.map(({ name, address, rpcUrl, wsUrl, pid }) => [name, address, rpcUrl, wsUrl, String(pid)]),
  ];
  const title = `chain ${file.chainId}, suite ${file.suite}, genesis ${file.genesisHash}`;
  const currencies = file.currencies.map(({ symbol, address }) => `currency ${symbol} at ${address}`);
  return ['', title, ...currencies, '', ...alignColumns(rows), ''].join('\n');
}

/** Lines of columns as wide as their widest cell. */
export function alignColumns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
