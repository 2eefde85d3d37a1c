import { fileURLToPath, pathToFileURL } from 'node:url';
import type { SuitePrimitives } from '@hanse/protocol';
import type { Logger } from './logger.ts';

/** What every service finds ready when it is created. */
export interface ServiceContext {
  /** The primitives of this thread (native or WebAssembly), initialised. */
  readonly primitives: SuitePrimitives;
  /** Lines end in the log of the member that spawned the service. */
  readonly logger: Logger;
}

/**
 * Makes a service. Every method of the object can be called through `Compute`, one call after another in the order in which they were
 * made; a method `close`, if there is one, is called last. Options are what `spawn` got, cloned.
 */
export type ServiceFactory = (options: unknown, context: ServiceContext) => object | Promise<object>;

/** What the entry module of a service exports. */
export interface ServiceModule {
  readonly createService: ServiceFactory;
}

/**
 * Where the services of a node are, by name: the entry modules, for threads of their own. The composition root holds the
 * list, because this layer must not know those above it.
 */
export type ServiceRegistry = Readonly<Record<string, URL>>;

/**
 * The built module for the source file `path` (ending in `.ts`) relative to `base` (`import.meta.url`). Threads cannot load TypeScript
 * on Node.js 20, so a program that runs from `src` (the tests) still starts its threads from `dist`.
 */
export function builtModule(path: string, base: string): URL {
  const location = fileURLToPath(new URL(path, base)).replace(/\.ts$/, '.js');
  if (!base.endsWith('.ts')) return pathToFileURL(location);
  const source = /^(.*[\\/])src([\\/].*)$/.exec(location);
  if (source === null) throw new Error(`${location} is not below a src folder`);
  return pathToFileURL(`${source[1]}dist${source[2]}`);
}
