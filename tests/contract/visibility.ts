import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Visibility } from '../../lib/ports/visibility.ts';

export interface VisibilityUnderTest {
  visibility: Visibility;
  queueArn: string;
  /** Handles of so many messages that are in hand, hidden for minutes. */
  receive(count: number): Promise<string[]>;
  /** A handle that the queue refuses. */
  wrongHandle: string;
  /** How many messages are there to be received now. */
  countVisible(): Promise<number>;
}

/** What every way of changing visibility promises. */
export function describeVisibility(name: string, build: () => Promise<VisibilityUnderTest>): void {
  describe(`Visibility, ${name}`, () => {
    let tested: VisibilityUnderTest;
    beforeEach(async () => {
      tested = await build();
    });
    const change = (handles: readonly string[], visibilityTimeoutSeconds: number) =>
      tested.visibility.change(
        tested.queueArn,
        handles.map((receiptHandle) => ({ receiptHandle, visibilityTimeoutSeconds })),
      );

    it('changes nothing', async () => {
      expect(await change([], 5)).toEqual([]);
    });

    it('brings records back at once', async () => {
      const handles = await tested.receive(3);
      expect(await tested.countVisible()).toBe(0);
      expect(await change(handles, 0)).toEqual([true, true, true]);
      expect(await tested.countVisible()).toBe(3);
    });

    it('leaves records hidden that are to come later', async () => {
      const handles = await tested.receive(2);
      expect(await change(handles, 600)).toEqual([true, true]);
      expect(await tested.countVisible()).toBe(0);
    });

    it('changes more records than one request holds, in order', async () => {
      const handles = await tested.receive(23);
      expect(await change(handles, 0)).toEqual(handles.map(() => true));
      expect(await tested.countVisible()).toBe(23);
    });

    it('tells which record was refused, and changes the others', async () => {
      const [first, second] = await tested.receive(2);
      const answers = await change([first ?? '', tested.wrongHandle, second ?? ''], 0);
      expect(answers).toEqual([true, false, true]);
      expect(await tested.countVisible()).toBe(2);
    });
  });
}
