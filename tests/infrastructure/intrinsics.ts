export interface Resource {
  Type: string;
  Properties?: Record<string, unknown>;
  DependsOn?: string | string[];
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
}

export interface Template {
  Resources: Record<string, Resource>;
  Outputs: Record<string, { Value: unknown }>;
}

export type Evaluator = (value: unknown) => unknown;

/** The eight characters that tell two stacks of the same name apart. */
export const H8 = '0a1b2c3d';
const NO_VALUE = Symbol('AWS::NoValue');

/**
 * Evaluates CloudFormation's intrinsic functions as far as this template uses them, so that tests see the very text that
 * AWS will. Names that only AWS gives stand as `<LogicalId>` and `<LogicalId.Attribute>`. Anything unknown throws.
 */
export function createEvaluator({ Resources }: Template, stage: string): Evaluator {
  const pseudo: Readonly<Record<string, unknown>> = {
    'AWS::Partition': 'aws',
    'AWS::Region': 'eu-west-1',
    'AWS::AccountId': '123456789012',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackId': `arn:aws:cloudformation:eu-west-1:123456789012:stack/mqferry-${stage}/${H8}-1111-2222-3333-444444444444`,
    'AWS::StackName': `mqferry-${stage}`,
    'AWS::NoValue': NO_VALUE,
  };

  const named = (id: string): unknown => {
    if (id in pseudo) return pseudo[id];
    if (Resources[id] === undefined) throw new Error(`${id} is neither a resource nor a pseudo parameter`);
    return `<${id}>`;
  };
  const attribute = (id: string, name: string): string => {
    if (Resources[id] === undefined) throw new Error(`${id} is no resource`);
    return `<${id}.${name}>`;
  };
  const substitute = (text: string, values: Record<string, unknown>): string =>
    text.replace(/\$\{([^}!]+)\}/g, (_, name: string) => {
      if (name in values) return String(evaluate(values[name]));
      const [id = '', ...rest] = name.split('.');
      return String(rest.length === 0 ? named(id) : attribute(id, rest.join('.')));
    });

  const functions: Readonly<Record<string, (argument: never) => unknown>> = {
    Ref: (id: string) => named(id),
    'Fn::GetAtt': (path: string | [string, string]) => {
      const [id = '', name = ''] = Array.isArray(path) ? path : path.split('.');
      return attribute(id, name);
    },
    'Fn::Sub': (argument: string | [string, Record<string, unknown>]) =>
      Array.isArray(argument) ? substitute(argument[0], argument[1]) : substitute(argument, {}),
    'Fn::Join': ([separator, parts]: [string, unknown]) => (evaluate(parts) as unknown[]).join(separator),
    'Fn::Split': ([separator, text]: [string, unknown]) => String(evaluate(text)).split(separator),
    'Fn::Select': ([index, list]: [number, unknown]) => (evaluate(list) as unknown[])[Number(index)],
  };

  function evaluate(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(evaluate).filter((item) => item !== NO_VALUE);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [name, argument] = entries[0] ?? [];
    if (entries.length === 1 && name !== undefined && (name === 'Ref' || name.startsWith('Fn::'))) {
      const apply = functions[name];
      if (apply === undefined) throw new Error(`${name} is not known here`);
      return apply(argument as never);
    }
    return Object.fromEntries(
      entries.map(([key, inner]) => [key, evaluate(inner)]).filter(([, inner]) => inner !== NO_VALUE),
    );
  }
  return evaluate;
}
