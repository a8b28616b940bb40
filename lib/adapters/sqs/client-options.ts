/**
 * Clients of the data plane: short waits, since a batch has seconds. A queue's URL is only its name here, so that one
 * that was made from an ARN does; the request goes to the client's own endpoint.
 */
export const DATA_PLANE_SQS_CLIENT = {
  maxAttempts: 3,
  useQueueUrlAsEndpoint: false,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
} as const;
