export interface TopicRuleSpec {
  /** [A-Za-z0-9_]+, at most 128. */
  name: string;
  sql: string;
  description: string;
  enabled: boolean;
  /** Action: the task's queue. */
  queueUrl: string;
  /** Error action: the dead-letter hand-over queue. */
  errorQueueUrl: string;
  /** Role that AWS IoT assumes to send. */
  roleArn: string;
  tags: Readonly<Record<string, string>>;
}

export interface TopicRule {
  name: string;
  arn: string;
  sql: string;
  enabled: boolean;
  queueUrl?: string;
  errorQueueUrl?: string;
}

/**
 * Topic rules of AWS IoT in one region. Replace replaces everything (an omitted error action is removed); a rule that
 * does not exist answers `UnauthorizedException` on AWS, which the adapter tells apart from a missing permission.
 */
export interface TopicRules {
  create(spec: TopicRuleSpec): Promise<void>;
  replace(spec: TopicRuleSpec): Promise<void>;
  setEnabled(name: string, enabled: boolean): Promise<void>;
  get(name: string): Promise<TopicRule | undefined>;
  /** Deleting what is gone is no error. */
  delete(name: string): Promise<void>;
  /** Names of rules with this prefix. May be stale by seconds. */
  list(namePrefix: string): Promise<string[]>;
  /** Tags of a rule, for the ownership check before a deletion. */
  tags(arn: string): Promise<Readonly<Record<string, string>>>;
}

/** One client per region, cached. */
export interface TopicRulesByRegion {
  inRegion(region: string): TopicRules;
}
