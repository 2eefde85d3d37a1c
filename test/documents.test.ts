import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../packages/cli/src/program.ts';
import { governanceAbi } from '../packages/modules/src/abi/governanceAbi.ts';
import { readCommandLine } from '../packages/node/simulator/command/commandLine.ts';
import { messageKinds } from '../packages/node/src/engine/messages.ts';
import { MessageKind } from '../packages/node/src/network/messageKinds.ts';
import { TABLES } from '../packages/node/src/storage/tables.ts';
import { DEFAULT_GOVERNANCE, GOVERNANCE_ACTIONS, percentBounds } from '../packages/protocol/src/governance.ts';

// What the documents say and a machine can check: links, commands, code, dependencies, tables.

const root = fileURLToPath(new URL('..', import.meta.url));
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const documents = files.filter((file) => file.endsWith('.md'));

interface CodeBlock {
  readonly file: string;
  readonly language: string;
  readonly text: string;
  /** What an HTML comment in the line before says of the block, for example `example: examples/pay.mjs`. */
  readonly mark: string;
}

const FENCE = /(?:<!-- ([^\n]*?) -->\n)?^```(\w*)\n([\s\S]*?)^```$/gm;

function codeBlocks(file: string): readonly CodeBlock[] {
  return [...read(file).matchAll(FENCE)].map(([, mark = '', language = '', text = '']) => ({
    file,
    language,
    text,
    mark,
  }));
}

/** A document without its code blocks. */
const prose = (file: string): string => read(file).replace(FENCE, '');

/** The anchors that GitHub gives to headings. */
function anchorsOf(file: string): ReadonlySet<string> {
  const headings = [...prose(file).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .replace(/`|\[|\]\([^)]*\)/g, '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

describe('links', () => {
  it('lead to files and headings that exist', () => {
    const broken = documents.flatMap((file) =>
      [...prose(file).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
        if (/^[a-z]+:/.test(target)) return [];
        const [path = '', anchor] = target.split('#');
        const place = path === '' ? file : posix.normalize(posix.join(dirname(file), path));
        const found = existsSync(join(root, place));
        const sound = found && (anchor === undefined || anchorsOf(place).has(anchor));
        return sound ? [] : [`${file}: ${target}`];
      }),
    );
    expect(broken).toEqual([]);
  });

  it('in docs/adr/README.md name every decision by its title', () => {
    const records = files.filter((file) => /^docs\/adr\/\d{4}-/.test(file));
    expect(records.length).toBeGreaterThan(10);
    const index = read('docs/adr/README.md');
    expect(records.filter((file) => !index.includes(`(${posix.basename(file)})`))).toEqual([]);
    const mistitled = records.filter(
      (file) => !read(file).startsWith(`# ${Number(posix.basename(file).slice(0, 4))}. `),
    );
    expect(mistitled).toEqual([]);
  });
});

const program = createProgram();
const allCommands = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(allCommands)];
const optionsOf = (command: Command): readonly string[] => [
  ...command.options.map(({ long }) => long ?? ''),
  '--help',
  ...(command === program ? ['--version'] : []),
];

/** What is wrong with a command line that begins with `hanse`; undefined if it could be typed. */
function problemOf(line: string): string | undefined {
  const words = line.replace(/#.*$/, '').trim().split(/\s+/).slice(1);
  let command: Command = program;
  for (const word of words) {
    const next: Command | undefined = command.commands.find((candidate) => candidate.name() === word);
    if (next === undefined) {
      if (command.commands.length > 0 && /^[a-z]+$/.test(word)) return `there is no command "${word}" in: ${line}`;
      break;
    }
    command = next;
  }
  const options = words.filter((word) => word.startsWith('--') && word !== '--');
  const wrong = options.find((option) => !optionsOf(command).includes(option));
  return wrong === undefined ? undefined : `${command.name()} has no option ${wrong}: ${line}`;
}

/** Command lines of a document: in code blocks and in code between words. `npm start --` is `hanse up`. */
function commandLines(file: string): readonly string[] {
  const blocks = codeBlocks(file).flatMap(({ text }) => text.replaceAll('\\\n', ' ').split('\n'));
  const inline = [...prose(file).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
  return [...blocks, ...inline]
    .map((line) =>
      line
        .trim()
        .replace(/^\$ /, '')
        .replace(/^npx /, '')
        .replace(/^npm start -- /, 'hanse up '),
    )
    .filter((line) => /^hanse [a-z-]/.test(line));
}

/** Options of other programs that the documents name. */
const FOREIGN_OPTIONS = ['--write', '--noEmit', '--faults', '--verbose', '--suite', '--seeds'];

/** Programs beside `hanse` whose options a document describes in full: the document, and where they are parsed. */
const DESCRIBED_PROGRAMS: Readonly<Record<string, string>> = { 'docs/internals/chaos.md': 'bench/chaos.mjs' };

/** The options that a program of the repository hands to `parseArgs`. */
const parsedOptions = (file: string): readonly string[] =>
  [...read(file).matchAll(/^ +'?([a-z-]+)'?: \{ type: '(?:string|boolean)'/gm)].map(([, name]) => `--${name}`);

const described = (file: string): readonly string[] => {
  const program = DESCRIBED_PROGRAMS[file];
  return program === undefined ? [] : parsedOptions(program);
};

describe('commands', () => {
  it('of hanse, and their options, exist', () => {
    const lines = documents.flatMap((file) => commandLines(file).map((line) => ({ file, line })));
    expect(lines.length).toBeGreaterThan(30);
    const problems = lines.flatMap(({ file, line }) => {
      const problem = problemOf(line);
      return problem === undefined ? [] : [`${file}: ${problem}`];
    });
    expect(problems).toEqual([]);
  });

  it('of the simulator can be typed as they stand', () => {
    const lines = documents.flatMap((file) => [...read(file).matchAll(/npm run simulate -- ([^`\n]+)/g)]);
    expect(lines.length).toBeGreaterThan(3);
    for (const [, words = ''] of lines) expect(() => readCommandLine(words.trim().split(/\s+/))).not.toThrow();
  });

  it('have every option that is named alone', () => {
    const known = new Set([...allCommands(program).flatMap(optionsOf), ...FOREIGN_OPTIONS]);
    const unknown = documents.flatMap((file) =>
      [...prose(file).matchAll(/`([^`\n]*)`/g)]
        .filter(([, code = '']) => !/^(npx vitest|npm test|npm run|node )/.test(code))
        .flatMap(([, code = '']) => [...code.matchAll(/(?:^|\s)(--[a-zA-Z][a-zA-Z-]*)/g)])
        .filter(([, option = '']) => !known.has(option) && !described(file).includes(option))
        .map(([, option = '']) => `${file}: ${option}`),
    );
    expect(unknown).toEqual([]);
  });

  it('beside hanse are described with every option that they have', () => {
    for (const [document, program] of Object.entries(DESCRIBED_PROGRAMS)) {
      const rows = [...read(document).matchAll(/^\| (`--.*?) \|/gm)].flatMap(([, cell = '']) => [
        ...cell.matchAll(/--[a-z-]+/g),
      ]);
      expect(rows.map(([option]) => option).sort()).toEqual([...parsedOptions(program)].sort());
    }
  });
});

describe('code', () => {
  const marked = documents.flatMap(codeBlocks).map((block) => ({ ...block, mark: block.mark.split(': ') }));

  it('of the README is that of the examples, which the end-to-end tests run', () => {
    const examples = marked.filter(({ mark }) => mark[0] === 'example');
    expect(examples.length).toBeGreaterThan(2);
    for (const { file, mark, text } of examples) expect(`${file}\n${text}`).toBe(`${file}\n${read(mark[1] as string)}`);
  });

  it('of excerpts stands in the file that they name', () => {
    const excerpts = marked.filter(({ mark }) => mark[0] === 'excerpt');
    expect(excerpts.length).toBeGreaterThan(0);
    expect(
      excerpts.filter(({ mark, text }) => !read(mark[1] as string).includes(text)).map(({ text }) => text),
    ).toEqual([]);
  });

  it('in JavaScript or TypeScript is never without such a mark', () => {
    const languages = ['js', 'mjs', 'ts', 'javascript', 'typescript'];
    const loose = marked.filter(({ language, mark }) => languages.includes(language) && mark.length < 2);
    expect(loose.map(({ file, text }) => `${file}: ${text}`)).toEqual([]);
  });
});

describe('docs/internals', () => {
  it('lists every dependency of every package with its version', () => {
    const text = read('docs/internals/dependencies.md');
    const manifests = files.filter((file) => /^(packages\/[a-z]+\/)?package\.json$/.test(file));
    expect(manifests.length).toBeGreaterThan(5);
    const missing = manifests.flatMap((file) => {
      const { dependencies, devDependencies } = JSON.parse(read(file)) as Record<string, Record<string, string>>;
      return Object.entries({ ...dependencies, ...devDependencies })
        .filter(([name]) => !name.startsWith('@hanse/'))
        .filter(([name, version]) => {
          const plain = version.replace(/^npm:.*@/, '');
          return !text
            .split('\n')
            .some((line) => line.startsWith(`| \`${name}\``) && line.split(' | ')[0]?.includes(` ${plain}`));
        })
        .map(([name, version]) => `${file}: ${name} ${version}`);
    });
    expect(missing).toEqual([]);
  });

  it('lists no dependency that nobody has', () => {
    const manifests = files.filter((file) => /^(packages\/[a-z]+\/)?package\.json$/.test(file));
    const used = new Set(
      manifests.flatMap((file) => {
        const { dependencies, devDependencies } = JSON.parse(read(file)) as Record<string, Record<string, string>>;
        return Object.keys({ ...dependencies, ...devDependencies });
      }),
    );
    const listed = [...read('docs/internals/dependencies.md').matchAll(/^\| `([^`]+)`/gm)].map(([, name = '']) => name);
    expect(listed.filter((name) => !used.has(name))).toEqual([]);
  });

  it('describes the tables of the ledger as the code does', () => {
    const section = read('docs/internals/storage.md').split('\n## Tables')[1]?.split('\n## ')[0] ?? '';
    const rows = [...section.matchAll(/^\| `(\w+)` \| (.+?) \| (.+) \|$/gm)].map(([, name, key, value]) => [
      name,
      key?.replaceAll('\\|', '|'),
      value?.replaceAll('\\|', '|'),
    ]);
    expect(rows).toEqual(Object.entries(TABLES).map(([name, { key, value }]) => [name, key, value]));
  });

  it('lists every kind of message between members with its number', () => {
    const { engineFirst, engineLast: _, ...others } = MessageKind;
    const engine = Object.entries(messageKinds).map(([name, kind]): [string, number] => [name, engineFirst + kind]);
    const expected = [...engine, ...Object.entries(others)].map(
      ([name, kind]) => `| 0x${kind.toString(16).padStart(4, '0')} | ${name} |`,
    );
    const text = read('docs/internals/wire.md');
    expect(expected.filter((row) => !text.includes(row))).toEqual([]);
  });
});

describe('docs/reference/governance.md', () => {
  const text = read('docs/reference/governance.md');
  const rows = text.split('\n').map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));

  it('names every function, event and error of governance', () => {
    const missing = governanceAbi.filter(({ name }) => !text.includes(`\`${name}\``)).map(({ name }) => name);
    expect(missing).toEqual([]);
  });

  it('gives the default and the bounds of every policy, as the ADR does', () => {
    const decision = read('docs/adr/0014-governance-by-roles-and-majority.md');
    for (const action of GOVERNANCE_ACTIONS) {
      const { authority, bank, company, percent } = DEFAULT_GOVERNANCE.policies[action];
      const { minimum, maximum } = percentBounds(action);
      const cells = [action, authority, bank, company, percent].map(String);
      expect(rows).toContainEqual(['', ...cells, `${minimum} to ${maximum}`, '']);
      expect(decision).toContain(`| \`${action}\` | ${cells.slice(1).join(' | ')} |`);
    }
  });
});
