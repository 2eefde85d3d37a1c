import { ALL_FAULTS, simulate } from './simulation.ts';
const [from = '1', runs = '10', n = '4', byz = 'none', faults = 'none', verbose = ''] = process.argv.slice(2);
const t = process.cpuUsage();
let heights = 0, sim = 0, frames=0, txs = 0, bad = 0;
let maxv=0, maxms=0;
for (let s = Number(from); s < Number(from) + Number(runs); s++) {
  const r = await simulate({ seed: s, validators: Number(n), heights: 30, suite: 'fast', byzantine: byz, faults: faults === 'none' ? [] : faults === 'all' ? ALL_FAULTS : faults.split(','), log: verbose ? console.log : undefined });
  heights += r.heights; sim += r.simulatedMs; frames += r.frames; txs += r.transactions;
  maxv = Math.max(maxv, r.recovery.views); maxms = Math.max(maxms, r.recovery.forMs);
  if (r.violations.length > 0) { bad++; console.log(s, r.violations.slice(0, 3).join('\n   ').slice(0, 1500)); }
}
const u = process.cpuUsage(t);
console.log({ runs, heights, sim, frames, txs, bad, maxv, maxms, msPerSeed: (u.user + u.system) / 1e3 / Number(runs) });
