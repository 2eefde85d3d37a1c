/** A JSON-RPC answer. */
export interface Answer<T = unknown> {
  readonly result?: T;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

export async function post(url: string, body: string): Promise<{ status: number; json: unknown }> {
  const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  const text = await response.text();
  try {
    return { status: response.status, json: JSON.parse(text) };
  } catch {
    return { status: response.status, json: text };
  }
}

export async function ask<T = unknown>(url: string, method: string, ...params: readonly unknown[]): Promise<Answer<T>> {
  const { json } = await post(url, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
  return json as Answer<T>;
}

/** The result of a call that must succeed. */
export async function call<T = unknown>(url: string, method: string, ...params: readonly unknown[]): Promise<T> {
  const { result, error } = await ask<T>(url, method, ...params);
  if (error !== undefined) throw new Error(`${method}: ${error.code} ${error.message}`);
  return result as T;
}

/** Asks again until the answer is good; the test's own time limit is the only bound. */
export async function until<T>(probe: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await probe().catch(() => undefined);
    if (found !== undefined) return found;
    await new Promise((resolve) => {
      setTimeout(resolve, 25);
    });
  }
}
