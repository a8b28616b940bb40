import type { TopicRuleSpec } from '../domain/tasks/resource-specs.ts';

export type { TopicRuleSpec };

/** A rule as it is. Actions other than the one to a queue are not shown, but counted. */
export interface TopicRule {
  name: string;
  arn: string;
  sql: string;
  enabled: boolean;
  actionCount: number;
  queueUrl?: string;
  errorQueueUrl?: string;
  /** Role of the action. */
  roleArn?: string;
  /** The SQL engine's version, sending without base64, the error action's role: whether they are as `create` makes them. */
  form: 'ours' | 'other';
}

/**
 * Topic rules of AWS IoT in one region. Replace replaces everything (an omitted error action is removed); a rule that
 * does not exist answers `UnauthorizedException` on AWS, which the adapter tells apart from a missing permission.
 * Throws `ControlPlaneError`.
 */
export interface TopicRules {
  /** One of the same name and stack that exists already is brought to the specification. */
  create(spec: TopicRuleSpec): Promise<void>;
  /** False when there is no such rule. */
  replace(spec: TopicRuleSpec): Promise<boolean>;
  /** False when there is no such rule. */
  setEnabled(name: string, enabled: boolean): Promise<boolean>;
  get(name: string): Promise<TopicRule | undefined>;
  /** Deleting what is gone is no error. */
  delete(name: string): Promise<void>;
  /** Names of rules with this prefix. May be stale by seconds. */
  list(namePrefix: string): Promise<string[]>;
  /** Tags of a rule, for the ownership check before a deletion. Empty when it is gone. */
  tags(arn: string): Promise<Readonly<Record<string, string>>>;
}

/** One client per region, cached. */
export interface TopicRulesByRegion {
  inRegion(region: string): TopicRules;
}
