/** Requests to the server that the page came from. */

/** The server's refusal, or its silence, in words that can be shown. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** @param status of the answer; 0: there was none. */
  constructor(
    readonly status: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface Request {
  /** Parameters of the address; a list repeats the name. */
  params?: Readonly<Record<string, string | number | readonly string[]>>;
  /** Sent as JSON by POST; absent: GET. */
  body?: unknown;
  /** Sent as a form by POST. */
  form?: URLSearchParams;
  accept?: string;
  signal?: AbortSignal;
}

/** A server that says nothing for so long is taken for gone. */
const TIMEOUT_MS = 60_000;

export class Client {
  /** Empty: none is sent. */
  token = '';
  /** Told of each 401 with the server's reason. */
  onRefused: (reason: string) => void = () => {};

  /** @throws ApiError; the signal's reason when it was aborted. */
  async ask(path: string, request: Request = {}): Promise<Response> {
    const { body, form, signal } = request;
    const headers: Record<string, string> = {};
    if (this.token !== '') headers.authorization = `Bearer ${this.token}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (request.accept !== undefined) headers.accept = request.accept;
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const init: RequestInit = {
      method: body === undefined && form === undefined ? 'GET' : 'POST',
      headers,
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      // No cookie, and nothing of the last answer.
      credentials: 'omit',
      cache: 'no-store',
    };
    if (body !== undefined) init.body = JSON.stringify(body);
    if (form !== undefined) init.body = form;
    let response: Response;
    try {
      response = await fetch(addressOf(path, request.params), init);
    } catch (error) {
      signal?.throwIfAborted();
      throw new ApiError(
        0,
        timeout.aborted ? `no answer within ${TIMEOUT_MS / 1000} s` : 'the server cannot be reached',
        {
          cause: error,
        },
      );
    }
    if (response.ok) return response;
    const reason = await reasonOf(response);
    if (response.status === 401) this.onRefused(reason);
    throw new ApiError(response.status, reason);
  }

  async json<T>(path: string, request: Request = {}): Promise<T> {
    const response = await this.ask(path, request);
    try {
      return (await response.json()) as T;
    } catch (error) {
      request.signal?.throwIfAborted();
      throw new ApiError(0, 'the answer broke off', { cause: error });
    }
  }
}

/** Relative to the page, so that a reverse proxy may serve both below any path. */
function addressOf(path: string, params: Request['params'] = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one));
  }
  const text = query.toString();
  return text === '' ? `./${path}` : `./${path}?${text}`;
}

/** The `error` of the server's JSON; of anything else (a proxy's page) the status. */
async function reasonOf(response: Response): Promise<string> {
  try {
    const { error } = (await response.json()) as { error?: unknown };
    if (typeof error === 'string') return error;
  } catch {
    // Not JSON.
  }
  return `${response.status} ${response.statusText}`.trim();
}
