import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createEvaluator, type Evaluator, type Template } from './intrinsics.ts';

export const ROOT = path.resolve(import.meta.dirname, '..', '..');
export const WORK = path.join(ROOT, '.local', 'infrastructure');
export const CFN_LINT = path.join(ROOT, '.local', 'venv-tools', 'bin', 'cfn-lint');

/** `plain` is what a deploy without parameters makes; `full` has every parameter set. */
export const VARIANTS = {
  plain: { stage: 'dev', params: {} },
  full: {
    stage: 'prod-eu',
    params: {
      vpcSubnetIds: 'subnet-0123456789abcdef0,subnet-0123456789abcdef1',
      vpcSecurityGroupIds: 'sg-0123456789abcdef0',
      caBundleFile: '.local/infrastructure/private-ca.pem',
      ruleConcurrency: '250',
      allowedTopicPrefixes: 'stations/,lifts/',
      secretNamePrefix: 'brokers/',
      jwtIssuer: 'https://issuer.example',
      jwtAudience: 'mqferry',
      keepData: 'true',
      logRetentionDays: '90',
      alarmTopicArn: 'arn:aws:sns:eu-west-1:123456789012:on-call',
      alarmLatencyMs: '2000',
      alarmDeadLetters: '5',
      alarmNoTrafficMinutes: '30',
    },
  },
} as const satisfies Record<string, { stage: string; params: Record<string, string> }>;
export type Variant = keyof typeof VARIANTS;

export interface CompiledStack {
  template: Template;
  templateFile: string;
  evaluate: Evaluator;
  /** Logical ids and resources of one type. */
  ofType(type: string): [id: string, properties: Record<string, unknown>][];
  zipOf(functionKey: string): string;
}

/** What `set-up.ts` has packaged. */
export function compiledStack(variant: Variant): CompiledStack {
  const folder = path.join(WORK, variant);
  const templateFile = path.join(folder, 'cloudformation-template-update-stack.json');
  const template = JSON.parse(readFileSync(templateFile, 'utf8')) as Template;
  const evaluate = createEvaluator(template, VARIANTS[variant].stage);
  return {
    template,
    templateFile,
    evaluate,
    ofType: (type) =>
      Object.entries(template.Resources)
        .filter(([, resource]) => resource.Type === type)
        .map(([id, resource]) => [id, evaluate(resource.Properties ?? {}) as Record<string, unknown>]),
    zipOf: (functionKey) => path.join(folder, `${functionKey}.zip`),
  };
}
