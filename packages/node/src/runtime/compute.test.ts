import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { SuitePrimitives } from '@hanse/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Compute, ServiceHandle } from './compute.ts';
import { createConsoleLogger } from './consoleLogger.ts';
import { InlineCompute } from './inlineCompute.ts';
import { builtModule, type ServiceModule } from './services.ts';
import { compacted, transferring } from './transfer.ts';
import { WorkerCompute } from './workerCompute.ts';

/** The service of these tests, as a module that a thread can load without a build. */
const SERVICE_SOURCE = `
export function createService(options, { primitives, logger }) {
  if (options.refuse) throw Object.assign(new Error('bad options'), { code: 'refused' });
  const order = [];
  let closed = false;
  return {
    async slow(name) { order.push(name + ' begins'); await new Promise((resolve) => setImmediate(resolve)); order.push(name + ' ends'); return [...order]; },
    quick(name) { order.push(name); return [...order]; },
    echo(value) { return value; },
    bufferBytes(view) { return view.buffer.byteLength; },
    hash(data) { return primitives.keccak256(data); },
    say(text) { logger.log('info', text, { from: 'inside' }); },
    fail() { throw Object.assign(new RangeError('too far', { cause: new Error('the edge') }), { code: 'beyond', height: 7n }); },
    notClonable() { return () => 1; },
    hang() { return new Promise(() => undefined); },
    die() { setImmediate(() => { throw new Error('the thread broke'); }); return new Promise(() => undefined); },
    close() { closed = true; order.push('close'); if (options.failClose) throw new Error('cannot close'); },
  };
}`;

interface TestService {
  slow(name: string): Promise<string[]>;
  quick(name: string): Promise<string[]>;
  echo<T>(value: T): Promise<T>;
  bufferBytes(view: Uint8Array): Promise<number>;
  hash(data: Uint8Array): Promise<Uint8Array>;
  say(text: string): Promise<void>;
  fail(): Promise<void>;
  notClonable(): Promise<unknown>;
  hang(): Promise<void>;
  die(): Promise<void>;
  missing(): Promise<void>;
}

let folder = '';
let moduleUrl = pathToFileURL('/');
const lines: string[] = [];
const logger = createConsoleLogger({
  level: 'info',
  format: 'json',
  nowMs: () => 0,
  sink: { write: (line) => lines.push(line) },
});
const primitives = { keccak256: (data: Uint8Array) => Uint8Array.of(data.length) } as SuitePrimitives;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hanse-compute-'));
  moduleUrl = pathToFileURL(join(folder, 'service.mjs'));
  await writeFile(moduleUrl, SERVICE_SOURCE);
  const entry = fileURLToPath(builtModule('./workerEntry.ts', import.meta.url));
  if (!existsSync(entry)) throw new Error(`${entry} is missing: run npm run build first`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const implementations = [
  {
    name: 'workers',
    create: async (): Promise<Compute> => new WorkerCompute({ services: { test: moduleUrl } }, { logger }),
    die: (_compute: Compute, service: TestService) => service.die(),
  },
  {
    name: 'one thread',
    create: async (): Promise<Compute> => {
      const module = (await import(/* @vite-ignore */ moduleUrl.href)) as ServiceModule;
      return new InlineCompute(
        { test: module.createService },
        { primitives, logger: logger.child({ service: 'test' }) },
      );
    },
    die: (compute: Compute, service: TestService) => {
      const pending = service.hang();
      (compute as InlineCompute).kill('test', new Error('the thread broke'));
      return pending;
    },
  },
];

describe.each(implementations)('services in $name', ({ create, die }) => {
  const handles: ServiceHandle<TestService>[] = [];
  afterEach(async () => {
    for (const handle of handles.splice(0)) await handle.close().catch(() => undefined);
  });

  async function spawn(options: object = {}) {
    const compute = await create();
    const handle = await compute.spawn<TestService>('test', options);
    handles.push(handle);
    return { compute, handle, service: handle.service };
  }

  it('run calls one after another in the order in which they were made', async () => {
    const { service } = await spawn();
    const [, , last] = await Promise.all([service.slow('a'), service.quick('b'), service.slow('c')]);
    expect(last).toEqual(['a begins', 'a ends', 'b', 'c begins', 'c ends']);
  });

  it('take and give copies', async () => {
    const { service } = await spawn();
    const value = { big: 2n ** 200n, map: new Map([['a', Uint8Array.of(1, 2)]]), list: [undefined, null, -0] };
    const answer = service.echo(value);
    value.list.push(5 as never);
    expect(await answer).toEqual({ ...value, list: [undefined, null, -0] });
  });

  it('get the bytes of a view and not the whole buffer that it lies on', async () => {
    const { service } = await spawn();
    const large = new Uint8Array(1_000_000).fill(9);
    expect(await service.bufferBytes(large.subarray(10, 20))).toBe(10);
    expect(await service.echo([{ part: large.subarray(3, 5) }])).toEqual([{ part: Uint8Array.of(9, 9) }]);
  });

  it('take over marked buffers instead of copying them', async () => {
    const { service } = await spawn();
    const data = Uint8Array.of(1, 2, 3);
    expect(await service.echo(transferring(data, [data.buffer]))).toEqual(Uint8Array.of(1, 2, 3));
    expect(data.byteLength).toBe(0);
  });

  it('give errors back with message, code, fields and cause', async () => {
    const { service } = await spawn();
    const error = await service.fail().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      name: 'RangeError',
      message: 'too far',
      code: 'beyond',
      height: 7n,
      cause: { message: 'the edge' },
    });
    expect(await service.quick('after')).toEqual(['after']);
  });

  it('refuse methods that they do not have, and values that cannot cross', async () => {
    const { service } = await spawn();
    await expect(service.missing()).rejects.toThrow('the service has no method missing');
    const inherited = (service as unknown as Record<string, () => Promise<void>>).constructor!;
    await expect(inherited()).rejects.toThrow('the service has no method constructor');
    await expect(service.notClonable()).rejects.toThrow(/could not be cloned/);
    await expect(service.echo(() => 1)).rejects.toThrow(/could not be cloned/);
    expect(await service.quick('after')).toEqual(['after']);
  });

  it('find the primitives and the log ready', async () => {
    const { service } = await spawn();
    expect((await service.hash(Uint8Array.of(1))).length).toBeGreaterThan(0);
    lines.length = 0;
    await service.say('hello');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'info', message: 'hello', service: 'test', from: 'inside' },
    ]);
  });

  it('finish what was called before a close, close, and take nothing more', async () => {
    const { handle, service } = await spawn();
    const before = service.slow('a');
    const closed = handle.close();
    await expect(service.quick('late')).rejects.toThrow('the service test was closed');
    expect(await before).toEqual(['a begins', 'a ends']);
    await closed;
    await handle.close();
  });

  it('report a close that fails', async () => {
    const { handle } = await spawn({ failClose: true });
    await expect(handle.close()).rejects.toThrow('cannot close');
  });

  it('reject what is pending when they die, and say so once', async () => {
    const { compute, handle, service } = await spawn();
    const failures: string[] = [];
    handle.onFailure((error) => failures.push(error.message));
    await expect(die(compute, service)).rejects.toThrow('the thread broke');
    await expect(service.quick('late')).rejects.toThrow('the thread broke');
    await handle.close();
    expect(failures).toEqual(['the thread broke']);
  });

  it('are not spawned from options that they refuse, nor by a name that does not exist', async () => {
    const compute = await create();
    await expect(compute.spawn('test', { refuse: true })).rejects.toMatchObject({
      message: 'bad options',
      code: 'refused',
    });
    await expect(compute.spawn('toString', {})).rejects.toThrow('there is no service "toString"');
  });
});

describe('compacting', () => {
  it('returns what needs no change as it is', () => {
    const value = { list: [1, Uint8Array.of(1)], deep: { text: 'a' } };
    expect(compacted(value)).toBe(value);
  });
});
