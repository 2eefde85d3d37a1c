// What a member's process uses, as its own /metrics and the operating system tell it.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { call } from './jsonRPC.mjs';

const MIB = 2 ** 20;

/** One line of figures of a member: memory in MiB, heap of the main thread in MiB, disk in MiB, CPU in seconds. */
export async function sample(member, folder) {
  const [metrics, height] = await Promise.all([readMetrics(member.rpcUrl), call(member.rpcUrl, 'eth_blockNumber', [])]);
  const maps = readMaps(member.pid);
  return {
    height: Number(height),
    rss: metrics.get('process_resident_memory_bytes') / MIB,
    // Pages of the ledger's file count in RSS, although they are the system's to take back; `anonymous` leaves them out.
    anonymous: maps.anonymous,
    proportional: maps.proportional,
    heap: metrics.get('nodejs_heap_size_used_bytes') / MIB,
    external: metrics.get('nodejs_external_memory_bytes') / MIB,
    cpu: metrics.get('process_cpu_seconds_total'),
    disk: folder === undefined ? Number.NaN : folderBytes(folder) / MIB,
  };
}

async function readMetrics(rpcUrl) {
  const response = await fetch(new URL('/metrics', rpcUrl), { signal: AbortSignal.timeout(30_000) });
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

/** Linux tells what part of the memory is the process's own; elsewhere these figures are absent. */
function readMaps(pid) {
  const path = `/proc/${pid}/smaps_rollup`;
  if (!existsSync(path)) return { anonymous: Number.NaN, proportional: Number.NaN };
  const text = readFileSync(path, 'utf8');
  const kib = (name) => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN);
  return { anonymous: kib('Anonymous') / 1024, proportional: kib('Pss') / 1024 };
}

/** The blocks that the files of a folder take on the disk. */
function folderBytes(folder) {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    // A segment of the log may be removed while the folder is read.
    const file = statSync(join(entry.path, entry.name), { throwIfNoEntry: false });
    bytes += (file?.blocks ?? 0) * 512;
  }
  return bytes;
}

export const COLUMNS = ['height', 'rss', 'anonymous', 'proportional', 'heap', 'external', 'cpu', 'disk'];

/** The samples as CSV: one row per time, the members' figures side by side. */
export function toCSV(rows, names) {
  const header = ['seconds', 'transactions', ...names.flatMap((name) => COLUMNS.map((column) => `${name}_${column}`))];
  const lines = rows.map(({ seconds, transactions, members }) =>
    [seconds, transactions, ...members.flatMap((figures) => COLUMNS.map((column) => figures[column]))]
      .map((value) => (Number.isInteger(value) ? String(value) : Number.isFinite(value) ? value.toFixed(1) : ''))
      .join(','),
  );
  return `${[header.join(','), ...lines].join('\n')}\n`;
}
