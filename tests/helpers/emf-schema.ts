import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';

const file = path.resolve(import.meta.dirname, '..', 'fixtures', 'emf', 'emf.schema.json');
const validate = new Ajv({ allErrors: true }).compile(JSON.parse(readFileSync(file, 'utf8')));

/**
 * What is wrong with a document in the embedded metric format: by the schema, and by what the specification says of target members,
 * which no schema can: each dimension named is a text of the root, each metric a number or at most 100 of them.
 */
export function emfFaults(document: unknown): string[] {
  const faults = validate(document)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  if (faults.length > 0) return faults;
  const root = document as Record<string, unknown> & {
    _aws: { CloudWatchMetrics: { Dimensions: string[][]; Metrics: { Name: string }[] }[] };
  };
  for (const { Dimensions, Metrics } of root._aws.CloudWatchMetrics) {
    for (const name of Dimensions.flat()) {
      const value = root[name];
      const isText = typeof value === 'string' && value.length > 0 && value.length <= 1_024;
      if (!isText) faults.push(`dimension ${name} is ${JSON.stringify(value)}`);
    }
    for (const { Name } of Metrics) {
      const values = [root[Name]].flat();
      const areNumbers = values.every((value) => Number.isFinite(value));
      if (!areNumbers || values.length === 0 || values.length > 100)
        faults.push(`metric ${Name} is no metric`);
    }
    const names = Metrics.map(({ Name }) => Name);
    if (new Set(names).size !== names.length) faults.push('a metric is named twice');
  }
  if (Buffer.byteLength(JSON.stringify(document)) > 256 * 1024) faults.push('larger than 256 KB');
  return faults;
}
