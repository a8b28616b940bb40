import { beforeAll, describe, expect, it } from '@jest/globals';
import { emfFaults } from '../helpers/emf-schema.ts';
import { foundIn, PLANTED } from '../helpers/planted.ts';
import {
  apiOutput,
  cloudOutput,
  deadLetterBodies,
  logOutput,
  metricOutput,
  type Output,
  tableOutput,
} from '../helpers/stack-output.ts';
import { runningStack, type StackUnderTest } from '../helpers/stack-under-test.ts';

let stack: StackUnderTest;
let planted: string[];
beforeAll(async () => {
  stack = await runningStack();
  planted = [...Object.values(PLANTED), stack.mqttPassword, stack.apiOptions.secretAccessKey];
});

/** Where something planted stands; the text around it is left to who looks. */
function leaks(output: readonly Output[]): string[] {
  return output.flatMap(({ where, text }) => foundIn(text, planted).map((what) => `${what} in ${where}`));
}

// Runs behind all others, see sequencer.mjs: alone, it looks at what is there.
describe('what the suite has put out', () => {
  it('has the planted message where it belongs, so that it could be elsewhere', async () => {
    const bodies = await deadLetterBodies(stack);
    expect(bodies.filter((body) => foundIn(body, [PLANTED.payload]).length > 0)).not.toEqual([]);
  });

  it('holds nothing planted in the logs of the functions', async () => {
    const output = await logOutput(stack);
    expect(new Set(output.map(({ where }) => where)).size).toBeGreaterThan(5);
    expect(leaks(output)).toEqual([]);
  });

  it('has only metric lines that CloudWatch takes', async () => {
    // The emulator may put several lines into one event, and has what a shift wrote when that has ended.
    const lines = (await logOutput(stack)).flatMap(({ where, text }) =>
      text
        .split('\n')
        .flatMap((line) => (line.includes('"_aws"') ? [{ where, document: JSON.parse(line) }] : [])),
    );
    expect(new Set(lines.map(({ where }) => where)).size).toBeGreaterThan(1);
    const faults = lines.flatMap(({ where, document }) =>
      emfFaults(document).map((fault) => `${where}: ${fault}`),
    );
    expect(faults).toEqual([]);
  });

  it('holds nothing planted in the answers of the API, but a message in its dead letter', async () => {
    const output = await apiOutput();
    expect(output.length).toBeGreaterThan(0);
    expect(leaks(output)).toEqual([]);
  });

  it('holds nothing planted in the table, but a message in its dead letter', async () => {
    const output = await tableOutput(stack);
    expect(output.length).toBeGreaterThan(5);
    expect(leaks(output)).toEqual([]);
  });

  it('holds nothing planted in metrics, functions and topic rules', async () => {
    const output = [...(await metricOutput(stack)), ...(await cloudOutput(stack))];
    expect(output.length).toBeGreaterThan(5);
    expect(leaks(output)).toEqual([]);
  });

  it('is searched in every form that a planted text may take', () => {
    const lines = [0, 1, 2].flatMap((before) =>
      [0, 1, 2].map((behind) => Buffer.from(`${'x'.repeat(before)}${PLANTED.payload}${'y'.repeat(behind)}`)),
    );
    for (const line of lines) {
      for (const text of [
        line.toString(),
        line.toString('base64'),
        line.toString('hex'),
        JSON.stringify(line),
      ])
        expect([text, foundIn(`before ${text} behind`, planted)]).toEqual([text, [PLANTED.payload]]);
    }
  });
});
