/** What the AWS account allows in the stack's region. */
export interface AccountLimits {
  /** Concurrent executions of functions that no function has reserved for itself. */
  unreservedConcurrency(): Promise<number>;
}
