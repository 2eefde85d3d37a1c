// What a campaign does, decided by the seed alone: a pure function, so that a seed and a commit repeat a plan.
import { seededRandom } from '../campaign/seededRandom.mjs';

/**
 * Faults by kind. `many`: it may also strike more than f members at once, and then no progress is demanded, only safety and
 * recovery afterwards. `needs`: what the machine must have for it.
 */
export const KINDS = {
  isolate: { says: 'cut off from everybody, both ways', many: false },
  mute: { says: 'hears everybody, is heard by nobody', many: false },
  deaf: { says: 'is heard by everybody, hears nobody', many: false },
  flap: { says: 'its links come and go', many: false },
  pair: { says: 'one link between two members is cut', many: false },
  storm: { says: 'its links lose, delay and reorder most packets', many: false },
  split: { says: 'two halves without a quorum', many: true },
  blackout: { says: 'no packet between any two members', many: true },
  kill: { says: 'kill -9, and started again', many: true },
  pause: { says: 'SIGSTOP, then SIGCONT', many: true },
  disk: { says: 'no space left on its disk', many: true },
  clock: { says: 'its clock steps', many: true, needs: 'faketime' },
};

export const faultBound = (members) => Math.floor((members - 1) / 3);

/**
 * Steps for ever: `{ number, weather, faults, troubled, lengthMs }`. `weather` lies on every link for the time of the step. Every
 * kind comes once before any comes again; about one step in four strikes more than f members. `stepMs`: all of this length.
 */
export function* createPlan({ seed, members, kinds, smallDisks, stepMs }) {
  const random = seededRandom(seed);
  const f = faultBound(members);
  let deck = [];
  for (let number = 1; ; number++) {
    if (deck.length === 0) deck = dealDeck(random, kinds);
    const { kind, many } = deck.pop();
    const fault = many
      ? strikeMany(random, kind, members, f, smallDisks)
      : strike(random, kind, members, f, smallDisks);
    const faults = [fault];
    // Two faults at a time, on the same members: nothing is troubled that was not before.
    if (!many && ['storm', 'flap', 'clock', 'pair'].includes(kind) && kinds.includes('kill') && random.chance(0.4))
      faults.push({
        kind: 'kill',
        members: fault.troubled,
        troubled: fault.troubled,
        downMs: random.integer(0, 3_000),
      });
    const troubled = [...new Set(faults.flatMap((each) => each.troubled))].sort((a, b) => a - b);
    yield {
      number,
      weather: random.chance(0.6) ? drawWeather(random) : undefined,
      faults,
      troubled,
      tooMany: troubled.length > f,
      lengthMs: stepMs ?? lengthOf(random, kind),
    };
  }
}

function dealDeck(random, kinds) {
  const single = kinds.filter((kind) => !['split', 'blackout'].includes(kind)).map((kind) => ({ kind, many: false }));
  const many = kinds.filter((kind) => KINDS[kind].many).map((kind) => ({ kind, many: true }));
  // All single faults, and some of the others, so that most of the time progress is demanded.
  return random.shuffled([...single, ...random.shuffled(many).slice(0, Math.max(1, Math.ceil(single.length / 3)))]);
}

function lengthOf(random, kind) {
  if (kind === 'disk') return random.integer(5_000, 10_000);
  if (kind === 'kill') return random.integer(2_000, 5_000);
  return random.integer(4_000, 12_000);
}

/** At most f members. */
function strike(random, kind, members, f, smallDisks) {
  const everybody = Array.from({ length: members }, (_, index) => index);
  const victims = random.shuffled(kind === 'disk' ? smallDisks.slice(0, f) : everybody).slice(0, random.integer(1, f));
  return detailsOf(
    random,
    kind,
    victims.sort((a, b) => a - b),
    everybody,
  );
}

/** More than f members; for a disk, more than f small ones. */
function strikeMany(random, kind, members, f, smallDisks) {
  const everybody = Array.from({ length: members }, (_, index) => index);
  if (kind === 'blackout') return { kind, members: everybody, troubled: everybody };
  const order = random.shuffled(kind === 'disk' ? smallDisks : everybody);
  const victims = order.slice(0, random.integer(f + 1, order.length)).sort((a, b) => a - b);
  if (kind === 'split') {
    const half = order.slice(0, Math.floor(members / 2)).sort((a, b) => a - b);
    return { kind, members: half, troubled: everybody };
  }
  return detailsOf(random, kind, victims, everybody);
}

function detailsOf(random, kind, members, everybody) {
  const fault = { kind, members, troubled: members };
  if (kind === 'isolate') return { ...fault, how: random.pick(['drop', 'link-down']) };
  if (kind === 'mute' || kind === 'deaf') return { ...fault, how: random.pick(['drop', 'blackhole']) };
  if (kind === 'flap') return { ...fault, everyMs: random.integer(300, 3_000) };
  if (kind === 'storm') {
    return {
      ...fault,
      link: {
        delayMs: random.integer(100, 600),
        jitterMs: random.integer(50, 400),
        loss: random.integer(10, 40) / 100,
        duplicate: 0.05,
        reorder: 0.3,
      },
    };
  }
  if (kind === 'pair') {
    // Without its first member, all others reach one another: that one is the troubled one.
    const other = random.pick(everybody.filter((index) => !members.includes(index)));
    return { ...fault, members: [members[0], other], troubled: [members[0]] };
  }
  if (kind === 'kill') return { ...fault, downMs: random.integer(0, 4_000) };
  if (kind === 'disk') return { ...fault, freePages: random.pick([0, 0, 1, 2, 4, 8, 16, 32]) };
  if (kind === 'clock') {
    // With more than f clocks far ahead the chain's time would run ahead of all clocks, and blocks would have to wait for it.
    const seconds =
      members.length > Math.floor((everybody.length - 1) / 3) ? random.integer(1, 8) : random.integer(2, 900);
    return { ...fault, seconds: random.chance(0.5) ? seconds : -seconds };
  }
  return fault;
}

/** What an honest network may be like between cities: finality must go on under it. */
function drawWeather(random) {
  return {
    delayMs: random.integer(1, 80),
    jitterMs: random.integer(0, 30),
    loss: random.pick([0, 0, 0.005, 0.01, 0.02]),
    duplicate: random.pick([0, 0, 0.01]),
    reorder: random.pick([0, 0, 0.02, 0.1]),
  };
}

export function describeStep({ faults, weather, lengthMs, tooMany }, names) {
  const what = faults.map((fault) => {
    const { kind, members, how, seconds, everyMs, downMs, freePages } = fault;
    const details = [
      how,
      seconds === undefined ? undefined : `${seconds > 0 ? '+' : ''}${seconds} s`,
      everyMs === undefined ? undefined : `every ${everyMs} ms`,
      downMs === undefined ? undefined : `down ${downMs} ms`,
      freePages ? `${freePages} pages left` : undefined,
      fault.link === undefined ? undefined : describeLink(fault.link),
    ].filter(Boolean);
    return `${kind} ${members.map((index) => names[index]).join('+')}${details.length > 0 ? ` (${details.join(', ')})` : ''}`;
  });
  const sky = weather === undefined ? 'clear weather' : `weather ${describeLink(weather)}`;
  return `${what.join(' and ')}${tooMany ? ', more than f' : ''}, ${(lengthMs / 1_000).toFixed(1)} s, ${sky}`;
}

function describeLink({ delayMs, jitterMs, loss, duplicate, reorder }) {
  const percent = (share) => `${Math.round(share * 1_000) / 10} %`;
  return `${delayMs}±${jitterMs} ms, loss ${percent(loss)}, twice ${percent(duplicate)}, reordered ${percent(reorder)}`;
}
