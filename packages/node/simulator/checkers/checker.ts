import type { Cluster, Observer } from '../world/cluster.ts';

/** Something that must never happen, in one sentence. */
export type Report = (violation: string) => void;

/** Watches a run and reports each breach of one property. Sees Byzantine members too and holds honest ones alone to the protocol. */
export interface Checker extends Observer {
  readonly name: string;
  /** Called once when the run is over and everything has come to rest. */
  finish?(): void;
}

export interface CheckerContext {
  readonly cluster: Cluster;
  readonly report: Report;
}
