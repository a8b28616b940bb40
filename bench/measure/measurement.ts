/** What one run did: messages, wall time, CPU time and memory of the process under test. */
export interface Measurement {
  messages: number;
  perSecond: number;
  cpuMicrosPerMessage: number;
  /** Most resident memory so far, in MiB; absent where it was not looked at. */
  peakMegabytes?: number;
  /** Messages that came twice; absent: none. */
  repeated?: number;
  /** Messages that had not come when nothing more came; absent: none. */
  missing?: number;
}

/** Runs `work` in this process, which answers how many messages it carried. */
export async function measure(work: () => Promise<number>): Promise<Measurement> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  const messages = await work();
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { messages, perSecond: messages / seconds, cpuMicrosPerMessage: (user + system) / messages };
}

/** The one in the middle; of an even number, the lower of the two. */
export function median(values: readonly number[]): number {
  const middle = values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
  if (middle === undefined) throw new Error('nothing was measured');
  return middle;
}

export function describeMeasurement(name: string, measurement: Measurement): string {
  const { perSecond, cpuMicrosPerMessage, peakMegabytes, repeated = 0, missing = 0 } = measurement;
  const rate = Math.round(perSecond).toLocaleString('en');
  const memory = peakMegabytes === undefined ? '' : `${Math.round(peakMegabytes)} MiB`.padStart(10);
  const twice = repeated === 0 ? '' : `, ${repeated.toLocaleString('en')} came twice`;
  const never = missing === 0 ? '' : `, stood still with ${missing.toLocaleString('en')} missing`;
  return `${name.padEnd(48)}${rate.padStart(9)} msg/s ${cpuMicrosPerMessage.toFixed(1).padStart(7)} µs CPU per message${memory}${twice}${never}`;
}
