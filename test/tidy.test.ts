import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// The rules of CONTRIBUTING.md that can be held by a machine are held here, so that no memory is needed.

const root = fileURLToPath(new URL('..', import.meta.url));

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const sources = files.filter((file) => /^packages\/.*\.ts$/.test(file));
const isTest = (file: string): boolean =>
  /\.(test|contract)\.ts$|\/testing\/|\/bench\/|^packages\/[a-z]+\/test\//.test(file);
const product = sources.filter((file) => !isTest(file));

/** Which packages a package may import (ARCHITECTURE.md, "Dependencies point one way"). */
const packageDependencies: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  consensus: ['protocol'],
  modules: ['protocol'],
  formats: [],
  node: ['protocol', 'consensus', 'modules'],
  sdk: ['protocol', 'modules'],
  cli: ['protocol', 'consensus', 'modules', 'node', 'formats', 'sdk'],
};

/** Inside node: which rooms a room may import. `node.ts` and the worker entries beside it may import all. */
const roomDependencies: Readonly<Record<string, readonly string[]>> = {
  // The limits of the JSON-RPC are read where they are defined.
  config: ['rpc', 'runtime'],
  runtime: [],
  storage: ['runtime'],
  execution: ['storage', 'runtime'],
  chain: ['execution', 'storage', 'runtime'],
  engine: ['chain', 'execution', 'storage', 'runtime'],
  network: ['chain', 'execution', 'storage', 'runtime'],
  rpc: ['chain', 'execution', 'storage', 'runtime'],
  // The entries of the worker threads and the places where rooms meet; node.ts joins them.
  services: ['chain', 'execution', 'storage', 'runtime', 'config'],
  composition: ['chain', 'engine', 'execution', 'network', 'rpc', 'storage', 'runtime'],
};

interface Import {
  readonly file: string;
  readonly target: string;
}

function importsOf(file: string): readonly Import[] {
  const found = [
    ...read(file).matchAll(
      /^(?:import|export|\}) ?(?:.* )?from '([^']+)';$|^import '([^']+)';$|\bimport\('([^']+)'\)/gm,
    ),
  ];
  return found.map(([, from, bare, dynamic]) => ({ file, target: (from ?? bare ?? dynamic) as string }));
}

const packageOf = (file: string): string => file.split('/')[1] as string;

function offenders(list: readonly string[], pattern: RegExp): readonly string[] {
  return list.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
  );
}

describe('dependencies point one way', () => {
  it('between packages', () => {
    const wrong = product.flatMap(importsOf).filter(({ file, target }) => {
      const own = packageOf(file);
      const other = /^@hanse\/([a-z]+)/.exec(target)?.[1];
      if (other !== undefined) return other !== own && !packageDependencies[own]?.includes(other);
      return target.startsWith('.') && packageOf(posix.normalize(posix.join(dirname(file), target))) !== own;
    });
    expect(wrong).toEqual([]);
  });

  it('sdk and console take the ABIs of the modules, never the handlers', () => {
    const wrong = sources
      .flatMap(importsOf)
      .filter(({ file, target }) => packageOf(file) === 'sdk' && target === '@hanse/modules');
    expect(wrong).toEqual([]);
  });

  it('between the rooms of node', () => {
    const roomOf = (file: string): string | undefined => /^packages\/node\/src\/([a-zA-Z]+)\//.exec(file)?.[1];
    const wrong = product
      .filter((file) => roomOf(file) !== undefined)
      .flatMap(importsOf)
      .filter(({ file, target }) => {
        if (!target.startsWith('.')) return false;
        const own = roomOf(file) as string;
        const other = roomOf(posix.normalize(posix.join(dirname(file), target)));
        return other !== own && (other === undefined || !roomDependencies[own]?.includes(other));
      });
    expect(wrong).toEqual([]);
  });

  it('every dependency of a package is declared by it, pinned to one version', () => {
    for (const name of Object.keys(packageDependencies)) {
      const manifest = JSON.parse(read(`packages/${name}/package.json`));
      const declared: Record<string, string> = { ...manifest.dependencies, ...manifest.devDependencies };
      for (const [dependency, version] of Object.entries(declared))
        expect(`${dependency}@${version}`).toMatch(/@\d+\.\d+\.\d+$/);
      const undeclared = product
        .filter((file) => packageOf(file) === name)
        .flatMap(importsOf)
        .map(({ target }) => target)
        .filter((target) => !target.startsWith('.') && !target.startsWith('node:'))
        .map((target) =>
          target
            .split('/')
            .slice(0, target.startsWith('@') ? 2 : 1)
            .join('/'),
        )
        .filter((dependency) => !(dependency in manifest.dependencies) && dependency !== `@hanse/${name}`);
      expect([name, ...new Set(undeclared)]).toEqual([name]);
    }
  });
});

describe('what members must agree on', () => {
  const pure = product.filter((file) => /^packages\/(protocol|consensus|modules|evm|formats)\/src\//.test(file));

  it('uses no clock, no randomness and nothing of Node.js', () => {
    expect(pure.flatMap(importsOf).filter(({ target }) => target.startsWith('node:'))).toEqual([]);
    expect(
      offenders(pure, /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\.now\b|crypto\.subtle/),
    ).toEqual([]);
  });

  it('uses no floating point', () => {
    const scaled =
      /\bMath\.(sin|cos|tan|exp|log|pow|sqrt|random|fround|hypot|cbrt)\b|\bparseFloat\b|\bFloat(32|64)Array\b/;
    expect(
      offenders(
        pure.filter((file) => /^packages\/(consensus|modules|evm)\//.test(file)),
        scaled,
      ),
    ).toEqual([]);
  });
});

describe('the node', () => {
  const node = product.filter((file) => file.startsWith('packages/node/src/'));

  it('takes time, randomness and files through the interfaces of runtime', () => {
    const elsewhere = node.filter((file) => !file.startsWith('packages/node/src/runtime/'));
    expect(
      offenders(elsewhere, /\bDate\.now\(|\bsetTimeout\(|\bsetInterval\(|\bMath\.random\(|\bperformance\.now\(/),
    ).toEqual([]);
  });

  it('commits to LMDB with transactionSync only', () => {
    const lmdbFiles = node.filter((file) => importsOf(file).some(({ target }) => target === 'lmdb'));
    expect(lmdbFiles.length).toBeGreaterThan(0);
    expect(offenders(lmdbFiles, /\.(transaction|childTransaction|transactionAsync)\(/)).toEqual([]);
  });
});

describe('the simulator', () => {
  const simulator = product.filter((file) => file.startsWith('packages/node/simulator/'));

  it('takes nothing from the host that a seed does not decide; its commands alone have processes and files', () => {
    expect(simulator.length).toBeGreaterThan(30);
    const host =
      /\bDate\.now\b|\bnew Date\(|\bset(Timeout|Interval)\(|\bMath\.random\b|\bperformance\.|\bhrtime\b|\brandomBytes\b|\bcpuUsage\b/;
    expect(offenders(simulator, host)).toEqual([]);
    const worlds = simulator.filter((file) => !/^packages\/node\/simulator\/(command|defects)\//.test(file));
    expect(worlds.flatMap(importsOf).filter(({ target }) => target.startsWith('node:'))).toEqual([]);
  });

  it('is no part of the product: nothing but tests imports it', () => {
    const wrong = sources
      .filter((file) => !file.startsWith('packages/node/simulator/') && !/\.test\.ts$/.test(file))
      .flatMap(importsOf)
      .filter(({ target }) => /(^|\/)simulator\//.test(target));
    expect(wrong).toEqual([]);
  });
});

describe('the repository', () => {
  it('keeps files short enough to read', () => {
    const long = sources
      .map((file) => `${file}: ${read(file).split('\n').length} lines`)
      .filter((line) => Number(/: (\d+)/.exec(line)?.[1]) > 600);
    expect(long).toEqual([]);
  });

  it('names files in camelCase, and those of JSON-RPC methods as the methods are called', () => {
    const wrong = product.filter((file) => {
      const isMethod = dirname(file) === 'packages/node/src/rpc/methods';
      return !(isMethod ? /^[a-z0-9]+_[a-z][a-zA-Z0-9]*\.ts$/ : /^[a-z][a-zA-Z0-9]*\.ts$/).test(basename(file));
    });
    expect(wrong).toEqual([]);
  });

  it('names an issue in every TODO', () => {
    expect(offenders(sources, /\b(TODO|FIXME|HACK|XXX)\b(?!\(issue )/)).toEqual([]);
  });

  it('has no test that is switched off, focused, empty, sleeping or retried', () => {
    const tests = files.filter((file) => /\.test\.ts$/.test(file) && file !== 'test/tidy.test.ts');
    // skipIf and runIf stay allowed: they say what is missing on this machine.
    expect(offenders(tests, /\b(it|test|describe)(\.\w+)*\.(only|todo|skip|fails)\b|\bx(it|test|describe)\(/)).toEqual(
      [],
    );
    expect(offenders(tests, /\b(it|test)\b.*\(\) => \{\s*\}\);$/)).toEqual([]);
    expect(offenders(tests, /\bsleep\(|setTimeout\([^)]*\d{3,}|retry:\s*[1-9]/)).toEqual([]);
  });

  it('records no download address', () => {
    expect(
      offenders(
        files.filter((file) => file.endsWith('package-lock.json')),
        /"resolved": "(https?|git)/,
      ),
    ).toEqual([]);
  });
});
