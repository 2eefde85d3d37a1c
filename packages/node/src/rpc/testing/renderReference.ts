import { rpcErrors } from '../codes.ts';
import { defaultRPCLimits } from '../limits.ts';
import type { ExampleValues, Method } from '../method.ts';

export interface ExecutedExample {
  readonly method: Method;
  readonly params: readonly unknown[];
  readonly result: unknown;
}

export function exampleParams(method: Method, values: ExampleValues): readonly unknown[] {
  return typeof method.example === 'function' ? method.example(values) : method.example;
}

const introduction = `# JSON-RPC

Every member answers Ethereum's JSON-RPC 2.0 over HTTP (\`POST /\`, \`content-type: application/json\`) and over WebSocket at the
same port and path. viem, ethers, wallets and other Ethereum tools work unchanged. Beside it, \`GET /health\` gives the
member's health (200, or 503 with the checks that fail) and \`GET /metrics\` its metrics in Prometheus' format.

- **Blocks are final.** A block that a client sees is never replaced: \`latest\`, \`safe\`, \`finalized\` and \`pending\` all mean the
  newest block, and \`removed\` of a log is always false. Only \`eth_getTransactionCount\` treats \`pending\` otherwise.
- **The newest state is kept.** State and calls at older blocks are refused with a clear error.
- **Quantities** are hexadecimal without leading zeros (\`0x41\`), **data** two digits a byte (\`0x0041\`).
- **Batches** are answered in order. Notifications (calls without \`id\`) are carried out and not answered. One exception, for
  ethers 6: \`eth_blockNumber\` beside \`eth_sendRawTransaction\`, in a batch or over a WebSocket, is answered once the transaction
  is final, or after half a second (\`batchFinalityMs\`), because ethers keeps the height and would wait for one block more.

The examples below were executed on a small test chain; long values are cut with \`…\`.
`;

/** docs/reference/rpc.md: generated from the methods, the table of errors and the limits, so that it cannot fall behind. */
export function renderReference(examples: readonly ExecutedExample[]): string {
  const sections = [introduction, '## Methods\n', tableOfContents(examples)];
  for (const example of examples) sections.push(renderMethod(example));
  sections.push(renderErrors(), renderLimits());
  return `${sections.join('\n')}`;
}

function tableOfContents(examples: readonly ExecutedExample[]): string {
  const links = examples.map(({ method: { name } }) => `[${name}](#${name.toLowerCase()})`);
  return `${links.join(' ·\n')}\n`;
}

function renderMethod({ method, params, result }: ExecutedExample): string {
  const parameters = method.parameters.map(
    ({ name, form, description, required }, index) =>
      `${index + 1}. \`${name}\`: ${form}${required ? '' : ' (optional)'}. ${description}`,
  );
  const request = { jsonrpc: '2.0', id: 1, method: method.name, params };
  return [
    `### ${method.name}\n`,
    `${method.summary}\n`,
    parameters.length === 0 ? 'Parameters: none.\n' : `Parameters:\n\n${parameters.join('\n')}\n`,
    `Result: ${method.result}.\n`,
    '```text',
    `→ ${JSON.stringify(shorten(request))}`,
    `← ${JSON.stringify(shorten({ jsonrpc: '2.0', id: 1, result }), undefined, 1).replace(/\n\s*/g, ' ')}`,
    '```\n',
  ].join('\n');
}

function renderErrors(): string {
  const rows = Object.values(rpcErrors).map(({ code, message, when }) => `| ${code} | \`${message}\` | ${when} |`);
  return [
    '## Errors\n',
    'An error has a code, a message that begins as below (what follows a colon is detail), and for reverts `data`.\n',
    '| code | message | when |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function renderLimits(): string {
  const rows = Object.entries(defaultRPCLimits).map(
    ([name, value]) => `| \`${name}\` | ${value.toLocaleString('en-US')} |`,
  );
  return [
    '## Limits\n',
    "Every bound can be set in the member's configuration under `rpc.limits`; what each means stands in `packages/node/src/rpc/limits.ts`.\n",
    'Clients are told apart by their address (IPv6 by /64), so that everybody behind one reverse proxy shares one client’s turn. `rpc.allowedHosts` lists the host names that are answered; without it all are.\n',
    '| limit | default |',
    '| --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

const SHOWN_CHARACTERS = 66;

/** Cuts long strings, and arrays of more than two elements that are objects. */
function shorten(value: unknown): unknown {
  if (typeof value === 'string') return value.length > SHOWN_CHARACTERS ? `${value.slice(0, 20)}…` : value;
  if (Array.isArray(value)) {
    const shown = value.length > 2 && typeof value[0] === 'object' ? [...value.slice(0, 1), '…'] : value;
    return shown.map(shorten);
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shorten(member)]));
}
