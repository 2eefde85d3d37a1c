// How each kind of fault is done to the members, and undone. Every function gives what ends the fault again.
import { sleep } from '../campaign/waiting.mjs';

const others = (count, index) => Array.from({ length: count }, (_, other) => other).filter((other) => other !== index);

/** Begins a fault of a plan; resolves to a function that ends it. `context`: { network, members, count }. */
export async function beginFault(fault, context) {
  return await BEGIN[fault.kind](fault, context);
}

/** Links between a member and all others: `to`, `from` it, or both. */
function linksOf(count, index, direction) {
  return others(count, index).flatMap((other) => [
    ...(direction === 'to' ? [] : [[index, other]]),
    ...(direction === 'from' ? [] : [[other, index]]),
  ]);
}

async function cutLinks(pairs, { network }) {
  // Of two members that are both struck, each link is named twice; once is enough.
  const unique = [...new Map(pairs.map((pair) => [pair.join(), pair])).values()];
  await network.cut(unique);
  return () => network.mend(unique);
}

function oneWay(direction) {
  return async (fault, context) => {
    const pairs = fault.members.flatMap((index) => linksOf(context.count, index, direction));
    if (fault.how === 'drop') return await cutLinks(pairs, context);
    for (const [from, to] of pairs) context.network.blackhole(from, to);
    return () => {
      for (const [from, to] of pairs) context.network.unblackhole(from, to);
    };
  };
}

const BEGIN = {
  async isolate(fault, context) {
    if (fault.how === 'drop') {
      const pairs = fault.members.flatMap((index) => linksOf(context.count, index, 'both'));
      return await cutLinks(pairs, context);
    }
    for (const index of fault.members) context.network.linkDown(index);
    return () => {
      for (const index of fault.members) context.network.linkUp(index);
    };
  },

  mute: oneWay('from'),
  deaf: oneWay('to'),

  async flap(fault, context) {
    const pairs = fault.members.flatMap((index) => linksOf(context.count, index, 'both'));
    let ended = false;
    const flapping = (async () => {
      while (!ended) {
        const mend = await cutLinks(pairs, context);
        await sleep(fault.everyMs);
        await mend();
        await sleep(fault.everyMs);
      }
    })();
    return async () => {
      ended = true;
      await flapping;
    };
  },

  async pair(fault, context) {
    const [one, other] = fault.members;
    return await cutLinks(
      [
        [one, other],
        [other, one],
      ],
      context,
    );
  },

  async storm(fault, context) {
    const pairs = fault.members.flatMap((index) => linksOf(context.count, index, 'both'));
    await context.network.shape(pairs, fault.link);
    return () => context.network.shape(pairs, context.weather);
  },

  async split(fault, context) {
    const pairs = fault.members.flatMap((one) =>
      others(context.count, one)
        .filter((other) => !fault.members.includes(other))
        .flatMap((other) => [
          [one, other],
          [other, one],
        ]),
    );
    return await cutLinks(pairs, context);
  },

  async blackout(fault, context) {
    return await cutLinks(
      fault.members.flatMap((index) => linksOf(context.count, index, 'from')),
      context,
    );
  },

  async kill(fault, { members }) {
    await Promise.all(fault.members.map((index) => members.kill(index)));
    const restarted = sleep(fault.downMs).then(() => {
      for (const index of fault.members) members.start(index);
    });
    return () => restarted;
  },

  async pause(fault, { members }) {
    for (const index of fault.members) members.pause(index);
    return () => {
      for (const index of fault.members) members.resume(index);
    };
  },

  async disk(fault, { members }) {
    for (const index of fault.members) {
      members.mayEnd(index, 1);
      members.fillDisk(index, fault.freePages);
    }
    return () => {
      for (const index of fault.members) members.freeDisk(index);
    };
  },

  async clock(fault, { members }) {
    for (const index of fault.members) members.setClock(index, fault.seconds);
    return () => {
      for (const index of fault.members) members.setClock(index, 0);
    };
  },
};
