import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SilenceWatch } from '../../../../lib/adapters/mqtt/silence-watch.ts';

const TIMES = { quietMs: 1_500, answerMs: 2_500, everyMs: 500 };

describe('SilenceWatch', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  function start() {
    const ping = jest.fn();
    const onSilent = jest.fn();
    const watch = new SilenceWatch({ ping, onSilent, clock: Date, times: TIMES });
    watch.start();
    return { watch, ping, onSilent };
  }

  it('tells within 5 s that nothing comes, not even an answer to its ping', () => {
    const { watch, ping, onSilent } = start();
    jest.advanceTimersByTime(1_400);
    expect(ping).not.toHaveBeenCalled();
    jest.advanceTimersByTime(600);
    expect(ping).toHaveBeenCalledTimes(1);
    jest.advanceTimersByTime(1_900);
    expect(onSilent).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1_000);
    expect(onSilent).toHaveBeenCalledTimes(1);
    watch.stop();
  });

  it('does not ping while something comes, and goes on when a ping is answered', () => {
    const { watch, ping, onSilent } = start();
    for (let second = 0; second < 30; second += 1) {
      jest.advanceTimersByTime(1_000);
      watch.heard();
    }
    expect(ping).not.toHaveBeenCalled();
    for (let pings = 1; pings <= 5; pings += 1) {
      jest.advanceTimersByTime(2_000);
      expect(ping).toHaveBeenCalledTimes(pings);
      watch.heard();
    }
    expect(onSilent).not.toHaveBeenCalled();
    watch.stop();
  });

  it('waits once more where it was frozen itself: the answer may lie there', () => {
    const { watch, onSilent } = start();
    jest.advanceTimersByTime(2_000);
    jest.setSystemTime(Date.now() + 60_000);
    jest.advanceTimersByTime(2_000);
    expect(onSilent).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1_500);
    expect(onSilent).toHaveBeenCalledTimes(1);
    watch.stop();
  });

  it('says nothing when it is stopped', () => {
    const { watch, ping, onSilent } = start();
    watch.stop();
    jest.advanceTimersByTime(60_000);
    expect([ping.mock.calls, onSilent.mock.calls]).toEqual([[], []]);
  });
});
