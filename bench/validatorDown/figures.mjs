// Percentiles and medians.

/** The value below which a share of the values lies; NaN of none. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values) => quantile(values, 0.5);

/** `{p50, p90, p99, max, count}` of latencies in milliseconds. */
export function summarize(values) {
  return {
    count: values.length,
    p50: quantile(values, 0.5),
    p90: quantile(values, 0.9),
    p99: quantile(values, 0.99),
    max: quantile(values, 1),
  };
}

export const ms = (value) => (Number.isNaN(value) ? '-' : `${value.toFixed(0)} ms`);
