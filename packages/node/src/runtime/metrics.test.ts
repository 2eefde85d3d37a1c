import { describe, expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';

describe('createMetrics', () => {
  it('renders counters, gauges and histograms with their labels', async () => {
    const metrics = createMetrics();
    const votes = metrics.counter({ name: 'votes_total', help: 'Votes.', labels: ['kind'] });
    votes.increment({ kind: 'notarize' });
    votes.increment({ kind: 'notarize' }, 2);
    metrics.counter({ name: 'blocks_total', help: 'Blocks.' }).increment({});
    metrics.gauge({ name: 'height', help: 'Height.' }).set({}, 7);
    metrics.histogram({ name: 'seconds', help: 'Time.', buckets: [1, 2] }).observe({}, 1.5);
    const text = await metrics.render();
    for (const line of ['votes_total{kind="notarize"} 3', 'blocks_total 1', 'height 7', 'seconds_bucket{le="2"} 1']) {
      expect(text.split('\n')).toContain(line);
    }
  });

  it('reads a gauge when somebody asks', async () => {
    const metrics = createMetrics();
    let waiting = 1;
    metrics.gauge({ name: 'waiting', help: 'Waiting.', read: () => waiting });
    expect(await metrics.render()).toContain('waiting 1');
    waiting = 5;
    expect(await metrics.render()).toContain('waiting 5');
  });

  it('keeps members of one process apart', async () => {
    const [one, two] = [createMetrics(), createMetrics({ processMetrics: true })];
    const options = { name: 'same_total', help: 'The same name twice.' };
    one.counter(options).increment({});
    two.counter(options);
    expect(await one.render()).toContain('same_total 1');
    expect(await one.render()).not.toContain('process_resident_memory_bytes');
    expect(await two.render()).toContain('same_total 0');
    expect(await two.render()).toContain('process_resident_memory_bytes');
  });
});
