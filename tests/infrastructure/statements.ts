/** A statement of a role's own policies, every part as a list. */
export interface Statement {
  actions: string[];
  resources: string[];
  /** Operator → key → values. */
  conditions: Record<string, Record<string, unknown>>;
}

/** What a role allows. @param role - evaluated properties of an `AWS::IAM::Role` */
export function statementsOf(role: Record<string, unknown>): Statement[] {
  if (role.ManagedPolicyArns !== undefined) throw new Error('a managed policy hides what a role allows');
  const policies = (role.Policies ?? []) as { PolicyDocument: { Statement: Record<string, unknown>[] } }[];
  return policies.flatMap(({ PolicyDocument }) =>
    PolicyDocument.Statement.map(({ Effect, Action, Resource, Condition }) => {
      if (Effect !== 'Allow') throw new Error('a role of this stack only allows');
      return {
        actions: [Action].flat() as string[],
        resources: [Resource].flat() as string[],
        conditions: (Condition ?? {}) as Statement['conditions'],
      };
    }),
  );
}
