/**
 * The URL of a queue, made from its ARN as SQS makes it. Records of an event name only the ARN. Use it with a client of
 * `useQueueUrlAsEndpoint: false`: SQS reads account and name from it, the request goes to the client's own endpoint.
 * @throws Error when the text is no ARN of a queue.
 */
export function queueUrlOf(queueArn: string): string {
  const [arn, partition, service, region, account, name] = queueArn.split(':');
  if (arn !== 'arn' || service !== 'sqs' || !region || !account || !name) {
    throw new Error(`"${queueArn}" is not the ARN of an SQS queue`);
  }
  const suffix = partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `https://sqs.${region}.${suffix}/${account}/${name}`;
}
