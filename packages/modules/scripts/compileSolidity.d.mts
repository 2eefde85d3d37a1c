export function compileInterface(contract: string): Record<string, unknown>;
export function compileSolidity(files: readonly URL[], selection?: readonly string[]): Record<string, unknown>;
export function plainAbi(abi: readonly object[]): object[];
