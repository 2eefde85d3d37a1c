import {
  collectDefaultMetrics,
  Counter as PromCounter,
  Gauge as PromGauge,
  Histogram as PromHistogram,
  Registry,
} from 'prom-client';

export type Labels<Name extends string> = Readonly<Record<Name, string | number>>;

/** A number that only grows while the process lives. */
export interface Counter<Name extends string = never> {
  increment(labels: Labels<Name>, by?: number): void;
}

/** A number that goes up and down. */
export interface Gauge<Name extends string = never> {
  set(labels: Labels<Name>, value: number): void;
}

/** How observed values (seconds, bytes) are distributed over fixed buckets. */
export interface Histogram<Name extends string = never> {
  observe(labels: Labels<Name>, value: number): void;
}

export interface MetricOptions<Name extends string> {
  /** Snake case with the unit last, for example `hanse_rpc_request_seconds`; a counter's name ends in `_total`. */
  readonly name: string;
  /** One sentence for the person who reads `/metrics`. */
  readonly help: string;
  /** Labels must have few values: never a hash, an address or anything that a client can choose. */
  readonly labels?: readonly Name[];
}

/**
 * One member's metrics. Every part of the node declares its own at construction; several members in one process
 * (as in tests) do not share anything, because the registry is never the library's global one.
 */
export interface Metrics {
  counter<const Name extends string = never>(options: MetricOptions<Name>): Counter<Name>;
  /** With `read`, the value is asked for whenever somebody reads the metrics, and `set` is not needed. */
  gauge<const Name extends string = never>(
    options: MetricOptions<Name> & { readonly read?: () => number },
  ): Gauge<Name>;
  histogram<const Name extends string = never>(
    options: MetricOptions<Name> & { readonly buckets: readonly number[] },
  ): Histogram<Name>;
  /** Everything in Prometheus' text format. */
  render(): Promise<string>;
  readonly contentType: string;
}

/**
 * `processMetrics` adds memory, CPU, garbage collection and event loop lag of the whole process; leave it out where several
 * members share a process.
 */
export function createMetrics(options: { readonly processMetrics?: boolean } = {}): Metrics {
  const registry = new Registry();
  // The default looks at the event loop 100 times a second, which is most of what an idle member does.
  if (options.processMetrics === true) collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  const common = <Name extends string>({ name, help, labels }: MetricOptions<Name>) => ({
    name,
    help,
    labelNames: [...(labels ?? [])],
    registers: [registry],
  });
  return {
    counter(counterOptions) {
      const counter = new PromCounter(common(counterOptions));
      return { increment: (labels, by = 1) => counter.inc(labels, by) };
    },
    gauge(gaugeOptions) {
      const { read } = gaugeOptions;
      const gauge = new PromGauge({
        ...common(gaugeOptions),
        ...(read === undefined
          ? {}
          : {
              collect() {
                gauge.set(read());
              },
            }),
      });
      return { set: (labels, value) => gauge.set(labels, value) };
    },
    histogram(histogramOptions) {
      const histogram = new PromHistogram({ ...common(histogramOptions), buckets: [...histogramOptions.buckets] });
      return { observe: (labels, value) => histogram.observe(labels, value) };
    },
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
