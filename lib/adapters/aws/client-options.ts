/** Clients of control planes: few attempts, since converge comes again, and no call without an end. */
export const CONTROL_PLANE_CLIENT = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
} as const;
