/** Values in place of what only AWS gives, in the form that AWS gives them. */
const EXAMPLES: Readonly<Record<string, string>> = {
  '<ControlQueue>': 'https://sqs.eu-west-1.amazonaws.com/123456789012/control.fifo',
  '<DeadLetterQueue>': 'https://sqs.eu-west-1.amazonaws.com/123456789012/dead-letters',
  '<DeadLetterQueue.Arn>': 'arn:aws:sqs:eu-west-1:123456789012:dead-letters',
  '<DeadLetterFifoQueue.Arn>': 'arn:aws:sqs:eu-west-1:123456789012:dead-letters.fifo',
  '<TopicRuleRole.Arn>': 'arn:aws:iam::123456789012:role/topic-rules',
};

/** The environment that Lambda would give a function of the compiled template. */
export function environmentFor(environment: unknown): Record<string, string> {
  const { Variables = {} } = (environment ?? {}) as { Variables?: Record<string, unknown> };
  return {
    AWS_REGION: 'eu-west-1',
    AWS_LAMBDA_FUNCTION_NAME: 'mqferry-dev-function',
    AWS_ACCESS_KEY_ID: 'example',
    AWS_SECRET_ACCESS_KEY: 'example',
    ...Object.fromEntries(
      Object.entries(Variables).map(([name, value]) => [name, EXAMPLES[String(value)] ?? String(value)]),
    ),
  };
}
