/**
 * Reads the secret a cluster names by its ARN. Values never leave the process: not into logs, errors or answers.
 *
 * @example
 * const { accessKey, secretKey } = await secrets.read('arn:aws:secretsmanager:eu-west-1:123456789012:secret:rocketmq');
 */
export interface SecretReader {
  /**
   * The secret's JSON members. The client's region is the one in the ARN. Throws `BrokerHoldError` (codes
   * `SECRET_NOT_FOUND`, `SECRET_ACCESS_DENIED`, `SECRET_INVALID`) or `BrokerUnavailableError`; the error never quotes the value.
   *
   * @param options.fresh true: do not answer from the cache (after the broker refused the credentials, for a rotation).
   */
  read(secretRef: string, options?: { fresh?: boolean }): Promise<Readonly<Record<string, string>>>;
}
