import type { Hex, Suite } from '@hanse/protocol';
import type { Logger } from '../runtime/logger.ts';
import type { Random } from '../runtime/random.ts';
import type { BlockReader } from './blockReader.ts';
import type { CallScheduler } from './callScheduler.ts';
import type { NetworkInformation, NodeStatus, TransactionSubmitter } from './dependencies.ts';
import type { FilterRegistry } from './filterRegistry.ts';
import type { FreshHeights } from './freshHeights.ts';
import type { RPCLimits } from './limits.ts';
import type { Parameter } from './parameters.ts';
import type { Subscriber, SubscriptionHub } from './subscriptionHub.ts';
import type { TurnScheduler } from './turnScheduler.ts';

/** What the methods of one member share. */
export interface MethodServices {
  readonly blocks: BlockReader;
  readonly network: NetworkInformation;
  readonly node: NodeStatus;
  readonly pool: TransactionSubmitter;
  readonly calls: CallScheduler;
  readonly filters: FilterRegistry;
  readonly freshHeights: FreshHeights;
  readonly subscriptions: SubscriptionHub;
  readonly suite: Suite;
  readonly random: Random;
  readonly limits: RPCLimits;
  readonly turns: TurnScheduler;
  readonly logger: Logger;
}

/** What one call sees. */
export interface MethodContext extends MethodServices {
  /** The WebSocket connection that the call came over; undefined over HTTP. */
  readonly subscriber: Subscriber | undefined;
  /** Where the request came from, as far as clients are told apart: their address. */
  readonly client: string;
  /** Throws once the request has run out of time or its client is gone. */
  throwIfAborted(): void;
  /** Milliseconds that the request may still take. */
  remainingMs(): number;
  /** Calls after the answer to the request was handed to the connection. */
  afterResponse(action: () => void): void;
}

/** What the examples of the reference speak about; the test that executes them provides it. */
export interface ExampleValues {
  readonly account: Hex;
  readonly contract: Hex;
  readonly blockHash: Hex;
  readonly transactionHash: Hex;
  readonly rawTransaction: Hex;
  /** A filter's or subscription's. */
  readonly identifier: Hex;
}

export type Example = readonly unknown[] | ((values: ExampleValues) => readonly unknown[]);

type Arguments<P extends readonly Parameter<unknown>[]> = {
  readonly [K in keyof P]: P[K] extends Parameter<infer T> ? T : never;
};

/** A method: everything about it stands in its file, the reference page included. */
export interface Method {
  readonly name: string;
  /** A sentence or two for the reference. */
  readonly summary: string;
  readonly parameters: readonly Parameter<unknown>[];
  /** What the result is, for the reference. */
  readonly result: string;
  /** Parameters of the reference's example, which a test executes. */
  readonly example: Example;
  readonly handle: (context: MethodContext, values: readonly unknown[]) => unknown;
}

export function defineMethod<const P extends readonly Parameter<unknown>[]>(definition: {
  readonly name: string;
  readonly summary: string;
  readonly parameters: P;
  readonly result: string;
  readonly example: Example;
  readonly handler: (context: MethodContext, ...values: Arguments<P>) => unknown;
}): Method {
  const { handler, ...rest } = definition;
  return {
    ...rest,
    // The dispatcher parsed the values with exactly these parameters, so their types are the handler's.
    handle: (context, values) => handler(context, ...(values as unknown as Arguments<P>)),
  };
}
