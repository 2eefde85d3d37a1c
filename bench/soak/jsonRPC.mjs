// JSON-RPC over fetch, which keeps its connections to a member alive. Every request is one HTTP body.

/** Sends calls `[method, params]` as one batch; gives `{result}` or `{error}` for each, in order. */
export async function batch(url, calls) {
  if (calls.length === 0) return [];
  const body = calls.map(([method, params], id) => ({ jsonrpc: '2.0', id, method, params }));
  const answers = await post(url, body);
  if (!Array.isArray(answers)) throw new Error(`${url}: ${answers.error?.message ?? 'no batch came back'}`);
  const byId = new Map(answers.map((answer) => [answer.id, answer]));
  return calls.map((_, id) => byId.get(id) ?? { error: { message: 'no answer' } });
}

/** One call; throws what the member answers as an error, with its message in `refused`. */
export async function call(url, method, params, timeoutMs = 30_000) {
  const { result, error } = await post(url, { jsonrpc: '2.0', id: 1, method, params }, timeoutMs);
  if (error !== undefined)
    throw Object.assign(new Error(`${url} ${method}: ${error.message}`), { refused: error.message });
  return result;
}

async function post(url, body, timeoutMs = 30_000) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  });
  return await response.json();
}
