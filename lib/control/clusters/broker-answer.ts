import { BridgeError, RequestError } from '../../domain/errors/errors.ts';

/** What is about the things asked for, not about the cluster. */
const CONFLICTS: ReadonlySet<string> = new Set(['TOPIC_EXISTS', 'TOPIC_NOT_FOUND', 'GROUP_NOT_FOUND']);

/** Waits for a broker's answer in a request of the API. Its refusal becomes a `RequestError` with the same code. */
export async function brokerAnswer<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw error instanceof BridgeError ? brokerRefusal(error) : error;
  }
}

/** 409 where something is not there or is another, 504 without an answer in time, 503 when asked for less, 502 for all else. */
function brokerRefusal(cause: BridgeError): RequestError {
  return new RequestError(statusOf(cause), cause.code, sentenceOf(cause), { cause });
}

/** The error and its remedy. */
export function sentenceOf({ message, hint }: BridgeError): string {
  return hint === undefined ? message : `${message}. ${hint}`;
}

function statusOf({ code, reaction }: BridgeError): number {
  if (CONFLICTS.has(code)) return 409;
  if (code === 'ADMIN_TIMEOUT') return 504;
  return reaction === 'throttle' ? 503 : 502;
}
