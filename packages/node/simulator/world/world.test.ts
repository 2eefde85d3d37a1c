import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/runtime/manualClock.ts';
import type { Connection } from '../../src/runtime/network.ts';
import { Cluster } from './cluster.ts';
import { Life } from './life.ts';
import { MachineClock } from './machineClock.ts';
import { type Place, SimulatedNetwork } from './simulatedNetwork.ts';
import { onSimulatedThread } from './simulatedWorker.ts';
import { SimulationRandom } from './simulationRandom.ts';

const clock = () => new ManualClock(1_000_000);
const lifeOn = (world: ManualClock, threw: (error: unknown) => void = () => undefined) =>
  new Life((work) => void world.schedule(0, work), threw);

describe('randomness of a simulation', () => {
  it('is the same for a seed and a stream, and other for others', () => {
    const draw = (seed: number, stream: string) => {
      const random = new SimulationRandom(seed, stream);
      return Array.from({ length: 20 }, () => random.below(1_000_000)).join();
    };
    expect(draw(7, 'network')).toBe(draw(7, 'network'));
    expect(new Set([draw(7, 'network'), draw(8, 'network'), draw(7, 'disks'), draw(2 ** 40 + 7, 'network')]).size).toBe(
      4,
    );
  });

  it('stays in its bounds and reaches all of them', () => {
    const random = new SimulationRandom(1, 'bounds');
    const drawn = new Set(Array.from({ length: 500 }, () => random.between(3, 7)));
    expect([...drawn].sort()).toEqual([3, 4, 5, 6, 7]);
    expect(random.sample([1, 2, 3], 9).sort()).toEqual([1, 2, 3]);
    expect([random.chance(0), random.chance(100)]).toEqual([false, true]);
  });
});

describe('a life', () => {
  it('ends at the effect that was chosen, before or after it', () => {
    for (const moment of ['before', 'after'] as const) {
      const life = lifeOn(clock());
      let effects = 0;
      life.crashPoint = { boundary: 'flush', count: 2, moment, crash: () => life.end() };
      for (let attempt = 0; attempt < 4; attempt++) {
        if (!life.before('flush')) continue;
        effects++;
        life.after('flush');
        life.before('append');
      }
      expect(effects).toBe(moment === 'before' ? 1 : 2);
    }
  });

  it('does nothing after its end, and in order after it was frozen', () => {
    const world = clock();
    const life = lifeOn(world);
    const done: number[] = [];
    life.freeze();
    for (const number of [1, 2]) life.run('frame', () => done.push(number));
    expect(done).toEqual([]);
    life.thaw();
    // What comes now stands behind what waited.
    life.run('frame', () => done.push(3));
    world.advance(0);
    expect(done).toEqual([1, 2, 3]);
    life.end();
    life.run('frame', () => done.push(4));
    expect(done).toEqual([1, 2, 3]);
  });

  it('tells what nobody caught', () => {
    const thrown: unknown[] = [];
    lifeOn(clock(), (error) => thrown.push(error)).run('timer', () => {
      throw new Error('a defect');
    });
    expect(thrown).toHaveLength(1);
  });
});

describe('the clock of a machine', () => {
  it('runs at its own rate, never back, and its wall clock may be set', () => {
    const world = clock();
    const machine = new MachineClock(world, 500);
    machine.setRate(1.02);
    world.advance(1_000);
    expect(machine.monotonicMs()).toBeCloseTo(1_520);
    expect(machine.nowMs()).toBe(1_001_020);
    machine.setWall(-3_000);
    expect(machine.nowMs()).toBe(998_000);
    machine.setRate(1);
    expect(machine.monotonicMs()).toBeCloseTo(1_520);
  });

  it('fires a timer when its own time has come, and not after the process ended', () => {
    const world = clock();
    const machine = new MachineClock(world);
    machine.setRate(0.5);
    const life = lifeOn(world);
    const fired: number[] = [];
    const own = machine.of(life);
    own.schedule(10, () => fired.push(own.monotonicMs()));
    own.schedule(12, () => fired.push(-1)).cancel();
    own.schedule(20, () => fired.push(-2));
    world.advance(19);
    expect(fired).toEqual([]);
    world.advance(2);
    expect(fired[0]).toBeGreaterThanOrEqual(10);
    life.end();
    world.advance(100);
    expect(fired).toHaveLength(1);
  });
});

/** Two members with one connection, dialled by the first. */
async function connected() {
  const world = clock();
  const keys = ['0x01', '0x02'] as const;
  const network = new SimulatedNetwork({
    keys,
    clock: world,
    random: new SimulationRandom(1, 'network'),
    events: { sent: () => undefined, delivered: () => undefined },
  });
  const places = [0, 1].map((member): Place => ({ member, twin: 0, life: lifeOn(world) }));
  const [here, there] = places as [Place, Place];
  const got: number[] = [];
  const closed: string[] = [];
  await network.of(there).listen('there:1', {
    refusal: () => undefined,
    accepted: (connection) => {
      connection.onFrame((frame) => got.push(frame[0]!));
      connection.onClose((reason) => closed.push(reason));
    },
  });
  let connection: Connection | undefined;
  void network
    .of(here)
    .dial('there:1', keys[1])
    .then((made) => {
      connection = made;
    });
  const pass = async (forMs: number): Promise<void> => {
    for (let step = 0; step < forMs; step++) {
      world.advance(1);
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
  };
  await pass(20);
  if (connection === undefined) throw new Error('there is no connection');
  return { network, connection, here, there, got, closed, pass };
}

describe('the network', () => {
  it('keeps the order of a connection, however long each frame takes', async () => {
    const { network, connection, got, pass } = await connected();
    Object.assign(network.link(0, 1), { leastMs: 0, mostMs: 100, stallPercent: 20 });
    const frames = Array.from({ length: 50 }, (_, index) => index);
    for (const index of frames) connection.send(Uint8Array.of(index));
    await pass(2_000);
    expect(got).toEqual(frames);
  });

  it('holds what a closed way does not let through, and brings it when the way opens', async () => {
    const { network, connection, got, pass } = await connected();
    network.setBlocked(0, 1, true);
    connection.send(Uint8Array.of(1));
    await pass(3_000);
    expect(got).toEqual([]);
    network.setBlocked(0, 1, false);
    connection.send(Uint8Array.of(2));
    await pass(1_000);
    expect(got).toEqual([1, 2]);
  });

  it('tells the others of a process that was killed, and after a power cut only when the machine is back', async () => {
    const killed = await connected();
    killed.here.life.end();
    killed.network.processEnded(killed.here, 'kill');
    await killed.pass(100);
    expect(killed.closed).toEqual(['the connection was lost']);
    const cut = await connected();
    cut.here.life.end();
    cut.network.processEnded(cut.here, 'power');
    await cut.pass(5_000);
    expect(cut.closed).toEqual([]);
    cut.network.machineStarted(0, 0);
    await cut.pass(1_100);
    expect(cut.closed).toEqual(['the connection was reset']);
  });

  it('finds a member by the keys that it holds, and by none that it destroyed', async () => {
    const { network, here, pass } = await connected();
    network.addKey(1, '0x03');
    const dial = async (key: '0x02' | '0x03'): Promise<string> => {
      let outcome = '';
      network
        .of(here)
        .dial('there:1', key)
        .then(
          ({ peerKey }) => {
            outcome = `found ${peerKey}`;
          },
          (error: Error) => {
            outcome = error.message;
          },
        );
      await pass(20);
      return outcome;
    };
    expect([await dial('0x02'), await dial('0x03')]).toEqual(['found 0x02', 'found 0x03']);
    expect(() => network.dropKey(1, '0x02')).toThrow('proves 0x02 at present');
    network.useKey(1, '0x03');
    network.dropKey(1, '0x02');
    expect([await dial('0x02'), await dial('0x03')]).toEqual(['there:1: proved another key', 'found 0x03']);
  });

  it('brings a message twice where it is told to, and nothing else', async () => {
    const { network, connection, got, pass } = await connected();
    network.link(0, 1).duplicatePercent = 100;
    // Envelopes begin with their type: 1 is a message, 2 a request.
    for (const type of [1, 2]) connection.send(Uint8Array.of(type));
    await pass(50);
    expect(got).toEqual([1, 1, 2]);
  });
});

describe('a thread', () => {
  it('keeps the order of calls and answers, and says nothing to a process that ended', async () => {
    const world = clock();
    const life = lifeOn(world);
    const done: string[] = [];
    const service = {
      work: async (name: string) => {
        done.push(name);
        return name;
      },
    };
    const random = new SimulationRandom(1, 'thread');
    const proxy = onSimulatedThread(
      service,
      ['work'],
      { longestMs: () => 50, cloning: true },
      { clock: world, random, life },
    );
    const answers: string[] = [];
    for (const name of ['a', 'b', 'c']) void proxy.work(name).then((answer) => answers.push(answer));
    for (let step = 0; step < 300; step++) {
      world.advance(1);
      await Promise.resolve();
    }
    expect([done, answers]).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]);
    void proxy.work('d').then((answer) => answers.push(answer));
    life.crashPoint = { boundary: 'ledger answer', count: 1, moment: 'before', crash: () => life.end() };
    for (let step = 0; step < 300; step++) {
      world.advance(1);
      await Promise.resolve();
    }
    expect([done.at(-1), answers.at(-1)]).toEqual(['d', 'c']);
  });
});

describe('a machine', () => {
  it('gets back the ledger that was copied, as it was then, any number of times', async () => {
    const setting = { seed: 1, suite: 'fast', validators: 4, observers: 0, cloning: false } as const;
    const cluster = await Cluster.create({ ...setting, logSegmentBytes: 1 << 20 });
    const machine = cluster.machine(0);
    const put = (value: number): void =>
      machine.database.open().transaction((batch) => batch.put('meta', Uint8Array.of(1), Uint8Array.of(value)));
    const value = (): number | undefined => machine.database.open().get('meta', Uint8Array.of(1))?.[0];
    const atFirst = value();
    put(7);
    const copy = machine.copyLedger();
    for (const later of [8, 9]) {
      put(later);
      machine.loseLedger(copy);
      expect(value()).toBe(7);
    }
    machine.loseLedger();
    expect([value(), machine.ledgersLost]).toEqual([atFirst, 3]);
    cluster.start(machine);
    expect(() => machine.loseLedger()).toThrow('authority runs, and holds its ledger open');
    cluster.close();
  });
});
