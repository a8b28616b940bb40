interface Template {
  Resources: Record<string, { Type: string; Properties?: object; DependsOn?: string | string[] }>;
  Outputs?: Record<string, unknown>;
}

/** Serverless Framework plugin. */
declare class LocalPlugin {
  constructor(serverless: { getProvider(name: string): unknown });
  hooks: Record<string, () => unknown>;
  /** Changes a compiled template in place. */
  static adaptTemplate(template: Template): void;
}

export = LocalPlugin;
