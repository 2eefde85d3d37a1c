// Turns what `spin -t` prints of simplex.pml into the words of the specification, one line a step.

/** P2 is what the leader of view 2 proposes; P2* is the second proposal of a leader that makes two. */
class Naming {
  /** The view of each node. */
  #views = new Map([[0, 0]]);
  #repeats = new Map();

  add(node, view, repeated) {
    this.#views.set(node, view);
    if (repeated !== undefined) this.#repeats.set(node, repeated);
  }

  view(node) {
    return this.#views.get(node);
  }

  block(node) {
    if (node === 0) return 'the start of the epoch';
    const repeated = this.#repeats.get(node);
    if (repeated !== undefined) return this.block(repeated);
    return node === 5 ? `P${this.view(node)}*` : `P${node}`;
  }
}

const bits = (word, shift) => [1, 2, 3, 4, 5].filter((n) => (word >> (shift + n)) & 1);

/** The names of the certificates that a word of simplex.pml holds and an earlier one does not. */
function newCertificates(before, after, { naming, results }) {
  const added = after & ~before;
  const finalization = (node, result) =>
    `finalization (v=${naming.view(node)}, ${naming.block(node)}${results ? `, ${result}` : ''})`;
  return [
    ...bits(added, 0).map((node) => `notarization (v=${naming.view(node)}, ${naming.block(node)})`),
    ...[1, 2, 3, 4].filter((view) => (added >> (5 + view)) & 1).map((view) => `nullification (v=${view})`),
    ...bits(added, 10).map((node) => finalization(node, 'B')),
    ...bits(added, 15).map((node) => finalization(node, "B'")),
    ...bits(added, 20).map((node) => `finalization in the next epoch, which starts from ${naming.block(node)}`),
  ];
}

/** What a step says; `who` is the member's name, `values` are the numbers after it. */
const sentences = {
  propose: (who, [node, view, parent], { naming }) => {
    naming.add(node, view);
    const [block, on] = [naming.block(node), naming.block(parent)];
    return `${who} signs ${notarize(naming, node, parent)}: the leader of view ${view} proposes ${block} on ${on}`;
  },
  close: (who, values, context) => `${sentences.propose(who, values, context)}, and ends the epoch with it`,
  repeat: (who, [node, view, parent], { naming }) => {
    naming.add(node, view, parent);
    return `${who} signs ${notarize(naming, node, parent)}: the leader of view ${view} repeats ${naming.block(node)}`;
  },
  notarize: (who, [node], { naming }) => `${who} signs notarize(v=${naming.view(node)}, ${naming.block(node)})`,
  nullify: (who, [view]) => `${who} signs nullify(v=${view})`,
  finalize: (who, [node, other], { naming, results }) => {
    const result = results ? `, ${other ? "B'" : 'B'}` : '';
    return `${who} signs finalize(v=${naming.view(node)}, ${naming.block(node)}${result})`;
  },
  diverge: (who, [node, block], { naming }) =>
    `${who} signs finalize(v=${naming.view(node)}, ${naming.block(node)}, B'): its ${naming.block(block)} gave another result`,
  flush: (who) => `${who} flushes the vote to its log`,
  crash: (who) => `${who} crashes and starts again`,
  lose: (who, [floor]) => `${who} loses its log and starts with amnesia; the reports give V* = ${floor - 1}`,
  enter: (who, [block], { naming }) =>
    `${who} enters the next epoch, which starts from ${naming.block(block)}, and signs in it`,
};

const notarize = (naming, node, parent) =>
  `notarize(v=${naming.view(node)}, parentView=${naming.view(parent)}, ${naming.block(node)})`;

/**
 * A counterexample: the number of its steps, and the lines that tell it. `printed` is the output of `spin -t`: `@kind member numbers`, and `@certified` with all certificates
 * after each step. Where members were sorted on the way (`@swap`) the names given here follow the members.
 */
export function describeTrail(printed, results) {
  const names = [0, 1, 2];
  const context = { naming: new Naming(), results };
  const lines = [];
  let steps = 0;
  let certified = 0;
  for (const [, kind, rest] of printed.matchAll(/@(\w+) ([-\d ]+)/g)) {
    const numbers = rest.trim().split(/\s+/).map(Number);
    if (kind === 'swap') {
      const [i, j] = numbers;
      [names[i], names[j]] = [names[j], names[i]];
    } else if (kind === 'certified') {
      for (const fresh of newCertificates(certified, numbers[0], context))
        lines.push(`${' '.repeat(6)}now there is a ${fresh}`);
      certified = numbers[0];
    } else {
      const [position, ...values] = numbers;
      steps += 1;
      lines.push(`${String(steps).padStart(4)}. ${sentences[kind](`member ${names[position]}`, values, context)}`);
    }
  }
  return { steps, lines };
}
