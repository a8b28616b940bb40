/** Clients of control planes: few attempts, since converge comes again, and no call without an end. */
export const CONTROL_PLANE_CLIENT = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
} as const;

/** Clients of calls that work on a thousand things at once. */
export const BULK_CLIENT = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 20_000, throwOnRequestTimeout: true },
} as const;
