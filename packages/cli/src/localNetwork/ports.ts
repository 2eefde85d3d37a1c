import { createServer } from 'node:net';
import { CLIError } from '../cliError.ts';

/** Throws a CLIError naming the first port that something else listens on. */
export async function assertPortsFree(
  wanted: readonly { readonly port: number; readonly use: string; readonly option: string }[],
): Promise<void> {
  for (const { port, use, option } of wanted) {
    if (port > 65_535) throw new CLIError(`Port ${port} for ${use} does not exist: choose a lower ${option}.`);
    const problem = await tryListen(port);
    if (problem === undefined) continue;
    if (problem === 'EADDRINUSE') {
      throw new CLIError(
        `Port ${port} for ${use} is taken by another program. Stop that program, or choose other ports with ${option}.`,
      );
    }
    throw new CLIError(`Port ${port} for ${use} cannot be opened (${problem}). Choose other ports with ${option}.`);
  }
}

function tryListen(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => {
        resolve(undefined);
      });
    });
  });
}
