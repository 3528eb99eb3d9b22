// SPDX-License-Identifier: MIT

/** What the server said instead of an answer, or that it said nothing (status 0). */
export class ApiFailure extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string | null = null,
    readonly param: string | null = null,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
  }

  get serverIsGone(): boolean {
    return this.status === 0;
  }
  get queueIsFull(): boolean {
    return this.status === 429;
  }
  get keyIsMissing(): boolean {
    return this.status === 401;
  }
}

interface ErrorBody {
  error?: { message?: string; code?: string | null; param?: string | null };
}

export async function failureOf(response: Response): Promise<ApiFailure> {
  const body = (await response.json().catch(() => ({}))) as ErrorBody;
  const wait = Number(response.headers.get("retry-after"));
  return new ApiFailure(
    body.error?.message ?? `The server answered with status ${response.status}.`,
    response.status,
    body.error?.code ?? null,
    body.error?.param ?? null,
    wait > 0 ? wait : null,
  );
}

export function asFailure(error: unknown): ApiFailure {
  if (error instanceof ApiFailure) return error;
  return new ApiFailure(error instanceof Error ? error.message : String(error), 0);
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
