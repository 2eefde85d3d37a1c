/** A configuration or a genesis that a person must mend; the message says what and how. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
