/** What `hanse doctor` found; everything but `good` has a remedy. */
export interface Finding {
  readonly level: 'good' | 'warning' | 'problem';
  /** In one line. */
  readonly what: string;
  /** What to do, in one line. */
  readonly remedy?: string;
}

export const good = (what: string): Finding => ({ level: 'good', what });
export const warning = (what: string, remedy: string): Finding => ({ level: 'warning', what, remedy });
export const problem = (what: string, remedy: string): Finding => ({ level: 'problem', what, remedy });
